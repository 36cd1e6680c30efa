"""The official openai SDK on chat completions: tools, tool_choice, structured output, images, limits."""

import base64
import hashlib
import json

import openai
import pytest
from openai import OpenAI
from pydantic import BaseModel

WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather in a town",
        "parameters": {"type": "object", "properties": {"town": {"type": "string"}}, "required": ["town"]},
    },
}
CLOCK = {"type": "function", "function": {"name": "clock.now", "description": "The time", "parameters": {"type": "object", "properties": {}}}}


@pytest.fixture(scope="module")
def client(demo):
    with OpenAI(base_url=f"{demo.url}/v1", api_key="unused", max_retries=0) as client:
        yield client


def user(script: str) -> list[dict]:
    return [{"role": "user", "content": script}]


def dump(client, **question) -> dict:
    """The request as the model got it."""
    completion = client.chat.completions.create(model="scripted-1", **{"messages": user("dump:"), **question})
    return json.loads(completion.choices[0].message.content)


@pytest.mark.turn
def test_turn_with_a_call_and_its_result(client):
    messages = user('call:get_weather {"town":"Ulm"}\nthen:\nsay:Sunny in Ulm.')
    asked = client.chat.completions.create(model="scripted-1", messages=messages, tools=[WEATHER]).choices[0]

    [call] = asked.message.tool_calls
    assert (asked.finish_reason, call.type, call.function.name) == ("tool_calls", "function", "get_weather")
    assert json.loads(call.function.arguments) == {"town": "Ulm"}

    messages += [asked.message, {"role": "tool", "tool_call_id": call.id, "content": "sunny, 21 degrees"}]
    answer = client.chat.completions.create(model="scripted-1", messages=messages, tools=[WEATHER]).choices[0]
    assert (answer.message.content, answer.finish_reason) == ("Sunny in Ulm.", "stop")


def test_parallel_calls_keep_their_order_in_a_stream(client):
    script = 'say:Let me look.\ncall:get_weather {"town":"Ulm"}\ncall:clock_now\ncall:get_weather {"town":"Bonn"}'
    with client.chat.completions.stream(model="scripted-1", messages=user(script), tools=[WEATHER, CLOCK]) as stream:
        choice = stream.get_final_completion().choices[0]

    calls = [(call.function.name, json.loads(call.function.arguments)) for call in choice.message.tool_calls]
    assert calls == [("get_weather", {"town": "Ulm"}), ("clock.now", {}), ("get_weather", {"town": "Bonn"})]
    assert choice.message.content == "Let me look."
    assert choice.finish_reason == "tool_calls"


def test_results_of_parallel_calls_are_accepted_in_any_order(client):
    asked = client.chat.completions.create(
        model="scripted-1", messages=user('call:get_weather {"town":"Ulm"}\ncall:get_weather {"town":"Bonn"}'), tools=[WEATHER]
    ).choices[0]
    first, second = asked.message.tool_calls
    messages = [
        *user('call:get_weather {"town":"Ulm"}\ncall:get_weather {"town":"Bonn"}'),
        asked.message,
        {"role": "tool", "tool_call_id": second.id, "content": [{"type": "text", "text": "rain"}]},
        {"role": "tool", "tool_call_id": first.id, "content": "sun"},
    ]
    answer = client.chat.completions.create(model="scripted-1", messages=messages, tools=[WEATHER]).choices[0]

    assert sorted(answer.message.content.removeprefix("tool said: ").splitlines()) == ["rain", "sun"]


def test_tool_choice_limits_the_calls(client):
    none = dump(client, tools=[WEATHER], tool_choice="none")
    auto = dump(client, tools=[WEATHER, CLOCK], tool_choice="auto")
    assert ([tool["name"] for tool in none["tools"]], none["toolMode"]) == (["get_weather"], "auto")
    assert ([tool["name"] for tool in auto["tools"]][0], len(auto["tools"]), auto["toolMode"]) == ("get_weather", 2, "auto")

    named = client.chat.completions.create(
        model="scripted-1",
        messages=user('call:get_weather {"town":"Ulm"}\ncall:clock_now'),
        tools=[WEATHER, CLOCK],
        tool_choice={"type": "function", "function": {"name": "get_weather"}},
    ).choices[0]
    assert [call.function.name for call in named.message.tool_calls] == ["get_weather"]

    required = client.chat.completions.create(
        model="scripted-1", messages=user("call:clock_now"), tools=[WEATHER, CLOCK], tool_choice="required"
    ).choices[0]
    assert [call.function.name for call in required.message.tool_calls] == ["clock.now"]


class Person(BaseModel):
    name: str
    age: int


def test_parsed_response_fits_its_schema(client):
    completion = client.chat.completions.parse(
        model="scripted-1", messages=user('call:Person {"name":"Ada","age":36}'), response_format=Person
    )

    [choice] = completion.choices
    assert (choice.message.parsed, choice.finish_reason) == (Person(name="Ada", age=36), "stop")
    assert choice.message.tool_calls is None


def test_parsed_response_is_streamed(client):
    script = 'call:Person {"name":"Ada","age":36}'
    with client.chat.completions.stream(model="scripted-1", messages=user(script), response_format=Person) as stream:
        choice = stream.get_final_completion().choices[0]

    assert choice.message.parsed == Person(name="Ada", age=36)


def test_tools_are_parsed_into_types(client):
    completion = client.chat.completions.parse(
        model="scripted-1",
        messages=user('call:Person {"name":"Ada","age":36}'),
        tools=[openai.pydantic_function_tool(Person)],
    )

    [call] = completion.choices[0].message.tool_calls
    assert call.function.parsed_arguments == Person(name="Ada", age=36)


def test_request_reaches_the_model(client):
    picture = base64.b64encode(b"\x89PNG not really").decode()
    seen = dump(
        client,
        messages=[
            {"role": "system", "content": "Be brief."},
            {"role": "developer", "content": "Be kind."},
            {"role": "user", "content": [
                {"type": "text", "text": "What is it?"},
                {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{picture}"}},
                {"type": "text", "text": "dump:"},
            ]},
        ],
        temperature=0.25,
    )

    texts = [part["text"] for message in seen["messages"] for part in message["parts"] if part["type"] == "text"]
    [image] = [part for message in seen["messages"] for part in message["parts"] if part["type"] == "data"]
    assert "Be brief." in texts[0] and "Be kind." in "\n".join(texts)
    assert image == {"type": "data", "mime": "image/png", "bytes": 15, "sha256": hashlib.sha256(b"\x89PNG not really").hexdigest()}
    assert seen["modelOptions"]["temperature"] == 0.25


def test_stop_sequences_and_limits_end_the_response(client):
    stopped = client.chat.completions.create(model="scripted-1", messages=user("say:one two three four"), stop=["never", "o thr"])
    limited = client.chat.completions.create(model="scripted-1", messages=user("slow:500 1"), max_tokens=5)

    assert (stopped.choices[0].message.content, stopped.choices[0].finish_reason) == ("one tw", "stop")
    assert limited.choices[0].finish_reason == "length"
    assert limited.usage.completion_tokens <= 5


def test_n_gives_several_choices(client):
    completion = client.chat.completions.create(model="scripted-1", messages=user("say:again"), n=3)

    assert [(choice.index, choice.message.content) for choice in completion.choices] == [(n, "again") for n in range(3)]


def test_unsupported_parameters_are_refused(client):
    with pytest.raises(openai.BadRequestError) as refused:
        client.chat.completions.create(model="scripted-1", messages=user("say:x"), logprobs=True)

    assert refused.value.param == "logprobs" or "logprobs" in refused.value.message


def test_embeddings_are_refused_with_a_reason(client):
    with pytest.raises(openai.APIStatusError) as refused:
        client.embeddings.create(model="text-embedding-3-small", input="hello")

    assert "VS Code" in refused.value.message
