"""The official ollama SDK: chat, generate, tools, structured output, models and errors; and LangChain on top of it."""

import base64

import httpx
import ollama
import pytest
from langchain_core.messages import HumanMessage, ToolMessage
from langchain_ollama import ChatOllama
from pydantic import BaseModel

# One pixel.
PIXEL = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")


class Person(BaseModel):
    """A person."""

    name: str
    age: int


def get_weather(town: str) -> str:
    """The weather in a town.

    Args:
      town: the town
    """
    return f"sunny in {town}"


@pytest.fixture(scope="module")
def client(demo):
    return ollama.Client(host=demo.url)


@pytest.fixture
def model(demo):
    return ChatOllama(model="scripted-1", base_url=demo.url)


def user(script: str, **more) -> list[dict]:
    return [{"role": "user", "content": script, **more}]


def test_whole_response(client):
    answer = client.chat("scripted-1", messages=user("think:Hm.\nsay:Hello from the demo."))

    assert (answer.message.role, answer.message.content) == ("assistant", "Hello from the demo.")
    assert (answer.message.thinking, answer.model, answer.done, answer.done_reason) == ("Hm.", "scripted-1", True, "stop")
    assert answer.prompt_eval_count > 0 and answer.eval_count > 0
    assert answer.total_duration == answer.load_duration + answer.prompt_eval_duration + answer.eval_duration > 0


def test_streamed_response(client):
    *parts, last = client.chat("scripted-1:latest", messages=user("slow:3 50"), stream=True)

    assert "".join(part.message.content for part in parts) == "p0 p1 p2 "
    assert not any(part.done for part in parts)
    assert (last.message.content, last.done, last.done_reason) == ("", True, "stop")


async def test_async_streamed_response(demo):
    stream = await ollama.AsyncClient(host=demo.url).chat("scripted-1", messages=user("parts:300 8"), stream=True)
    text = "".join([part.message.content async for part in stream])

    assert text == "".join(str(part).ljust(8, ".") for part in range(300))


def test_line_separators_do_not_split_a_response(client):
    text = 'Grüße 漢字 👩‍👩‍👧 "quoted"\u2028separated\u0085next'
    parts = client.chat("scripted-1", messages=user(f"units:{text}"), stream=True)

    assert "".join(part.message.content for part in parts) == text


def test_text_is_generated(client):
    whole = client.generate("scripted-1", prompt="say:Hello.", system="Be brief.")
    *parts, last = client.generate("scripted-1", prompt="think:Hm.\nslow:3 50", stream=True)

    assert (whole.response, whole.done_reason) == ("Hello.", "stop")
    assert "".join(part.thinking or "" for part in parts) == "Hm."
    assert "".join(part.response for part in parts) == "p0 p1 p2 "
    assert (last.response, last.done) == ("", True)


def test_empty_prompt_loads_a_model(client):
    loaded = client.generate("scripted-1")
    unloaded = client.chat("scripted-1", messages=[], keep_alive=0)

    assert [(answer.done, answer.done_reason) for answer in (loaded, unloaded)] == [(True, "load"), (True, "unload")]


def test_num_predict_limits_the_response(client):
    answer = client.chat("scripted-1", messages=user("say:one two three four"), options={"num_predict": 2, "num_ctx": 8192})

    assert (answer.message.content, answer.done_reason) == ("one two", "length")


def test_image_reaches_the_model(client):
    answer = client.chat("scripted-1", messages=user("dump:", images=[PIXEL]))

    assert f'"mime":"image/png","bytes":{len(PIXEL)}' in answer.message.content.replace(" ", "")


@pytest.mark.turn
def test_turn_with_calls_and_their_results(client):
    script = 'say:Look.\ncall:get_weather {"town":"Ulm"}\ncall:get_weather {"town":"Bonn"}\nthen:\nsay:Sunny.'
    messages = user(script)
    asked = client.chat("scripted-1", messages=messages, tools=[get_weather])
    calls = [call.function for call in asked.message.tool_calls]
    assert [(call.name, call.arguments) for call in calls] == [
        ("get_weather", {"town": "Ulm"}),
        ("get_weather", {"town": "Bonn"}),
    ]

    results = [{"role": "tool", "content": get_weather(**call.arguments), "tool_name": call.name} for call in calls]
    answer = client.chat("scripted-1", messages=[*messages, asked.message, *results], tools=[get_weather])
    assert answer.message.content == "Sunny."


def test_calls_are_streamed(client):
    parts = client.chat("scripted-1", messages=user('call:get_weather {"town":"Ulm"}'), tools=[get_weather], stream=True)
    calls = [call.function for part in parts for call in part.message.tool_calls or []]

    assert [(call.name, call.arguments) for call in calls] == [("get_weather", {"town": "Ulm"})]


def test_output_fits_its_schema(client):
    script = 'call:answer {"name":"Ada","age":36}'
    chatted = client.chat("scripted-1", messages=user(script), format=Person.model_json_schema())
    generated = client.generate("scripted-1", prompt=script, format=Person.model_json_schema())

    for said in (chatted.message.content, generated.response):
        assert Person.model_validate_json(said) == Person(name="Ada", age=36)


def test_models_are_listed_shown_and_pulled(client):
    listed = {model.model: model for model in client.list().models}
    assert {"scripted-1", "scripted-mini", "gpt-4o"} <= listed.keys()
    assert listed["gpt-4o"].details.family == "gpt-4o" and len(listed["gpt-4o"].digest) == 64

    shown = client.show("scripted-mini")
    assert shown.capabilities == ["completion", "tools", "thinking"]
    assert shown.modelinfo[f"{shown.modelinfo['general.architecture']}.context_length"] == 16384
    assert client.pull("gpt-4o").status == "success"
    assert [progress.status for progress in client.pull("gpt-4o", stream=True)] == ["success"]
    assert client.ps().models == []


def test_unknown_model_lists_the_available_ones(client):
    for ask in (client.show, client.generate, lambda name: list(client.chat(name, messages=user("say:hi"), stream=True))):
        with pytest.raises(ollama.ResponseError) as unknown:
            ask("no-such-thing")
        assert unknown.value.status_code == 404
        assert unknown.value.error.startswith("model 'no-such-thing' not found") and "scripted-1" in unknown.value.error


def test_failures_have_status_and_message(client):
    for ask, status, words in [
        (lambda: client.chat("scripted-1", messages=user("fail:ChatQuotaExceeded used up")), 429, "used up"),
        (lambda: client.chat("scripted-1", messages=user("a", images=["aGVsbG8="])), 400, "messages[0].images[0]"),
        (lambda: client.embed("scripted-1", input="a"), 400, "VS Code"),
    ]:
        with pytest.raises(ollama.ResponseError) as failed:
            ask()
        assert failed.value.status_code == status and words in failed.value.error


def test_failure_in_mid_stream_is_raised_after_the_parts(client):
    stream = client.chat("scripted-1", messages=user("say:half a\nwait:50\nfail:Error the model broke off"), stream=True)
    heard = []
    with pytest.raises(ollama.ResponseError, match="the model broke off"):
        for part in stream:
            heard.append(part.message.content)

    assert "".join(heard) == "half a"


def test_vs_code_ollama_provider_finds_version_models_and_capabilities(demo):
    """GitHub Copilot's provider for Ollama needs a minimum version, the list, and each model's context and capabilities."""
    version = httpx.get(f"{demo.url}/api/version").json()["version"]
    assert [int(number) for number in version.split(".")] >= [0, 6, 4]
    for model in httpx.get(f"{demo.url}/api/tags").json()["models"]:
        shown = httpx.post(f"{demo.url}/api/show", json={"model": model["model"]}).json()
        info = shown["model_info"]
        assert info[f"{info['general.architecture']}.context_length"] >= 16384
        assert info["general.basename"] and "tools" in shown["capabilities"]


def test_langchain_whole_and_streamed_response(model):
    answer = model.invoke("say:Hello from the demo.")

    assert answer.text == "Hello from the demo."
    assert answer.usage_metadata["total_tokens"] > 0
    assert "".join(chunk.text for chunk in model.stream("slow:3 50")) == "p0 p1 p2 "


@pytest.mark.turn
def test_langchain_takes_a_turn(model):
    bound = model.bind_tools([get_weather])
    question = HumanMessage('call:get_weather {"town":"Ulm"}\nthen:\nsay:Sunny.')
    asked = bound.invoke([question])
    [call] = asked.tool_calls
    result = ToolMessage(get_weather(**call["args"]), tool_call_id=call["id"])

    assert bound.invoke([question, asked, result]).text == "Sunny."


def test_langchain_output_has_its_type(model):
    asked = model.with_structured_output(Person)

    assert asked.invoke('call:answer {"name":"Ada","age":36}') == Person(name="Ada", age=36)
