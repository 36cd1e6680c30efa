"""LiteLLM as a client: its openai, hosted_vllm and anthropic handlers, streamed and whole, with tools."""

import json

import litellm
import pytest
from pydantic import BaseModel

litellm.telemetry = False
litellm.suppress_debug_info = True

WEATHER = {
    "type": "function",
    "function": {"name": "get_weather", "parameters": {"type": "object", "properties": {"town": {"type": "string"}}}},
}


@pytest.fixture(params=["openai", "hosted_vllm", "anthropic"])
def ask(demo, request):
    base = demo.url if request.param == "anthropic" else f"{demo.url}/v1"

    def completion(script: str, **more):
        question = {"messages": [{"role": "user", "content": script}], "max_tokens": 1000} | more
        return litellm.completion(model=f"{request.param}/scripted-1", api_base=base, api_key="unused", num_retries=0, **question)

    return completion


def test_whole_response(ask):
    answer = ask("say:Hello from the demo.")

    assert (answer.choices[0].message.content, answer.choices[0].finish_reason) == ("Hello from the demo.", "stop")
    assert answer.usage.total_tokens > 0


def test_streamed_response(ask):
    pieces = [chunk.choices[0].delta.content for chunk in ask("slow:3 50", stream=True)]

    assert "".join(filter(None, pieces)) == "p0 p1 p2 "


def test_line_separators_survive_reading_by_lines(ask):
    text = "a\u2028b\u2029c\u0085d"
    pieces = [chunk.choices[0].delta.content for chunk in ask(f"say:{text}", stream=True)]

    assert "".join(filter(None, pieces)) == text


@pytest.mark.turn
def test_turn_with_a_call_and_its_result(ask):
    script = 'call:get_weather {"town":"Ulm"}\nthen:\nsay:Sunny.'
    message = ask(script, tools=[WEATHER]).choices[0].message
    [call] = message.tool_calls
    assert (call.function.name, json.loads(call.function.arguments)) == ("get_weather", {"town": "Ulm"})

    result = {"role": "tool", "tool_call_id": call.id, "content": "sunny"}
    answer = ask("", tools=[WEATHER], messages=[{"role": "user", "content": script}, message, result])
    assert answer.choices[0].message.content == "Sunny."


def test_calls_are_streamed(ask):
    chunks = list(ask('call:get_weather {"town":"Ulm"}', tools=[WEATHER], stream=True))
    [call] = litellm.stream_chunk_builder(chunks).choices[0].message.tool_calls

    assert (call.function.name, json.loads(call.function.arguments)) == ("get_weather", {"town": "Ulm"})


class Person(BaseModel):
    name: str
    age: int


def test_output_fits_its_schema(ask, request):
    # Anthropic's handler converts the schema to a tool.
    name = "json_tool_call" if "anthropic" in request.node.name else "Person"
    answer = ask(f'call:{name} {{"name":"Ada","age":36}}', response_format=Person)

    assert json.loads(answer.choices[0].message.content) == {"name": "Ada", "age": 36}


def test_failures_have_their_error_classes(ask):
    with pytest.raises(litellm.RateLimitError):
        ask("fail:ChatRateLimited slow down")
    with pytest.raises(litellm.BadRequestError):
        ask("fail:Error Message exceeds token limit.")


def test_failure_in_mid_stream_is_raised_after_the_parts(ask):
    heard = []
    with pytest.raises(Exception, match="broke off"):
        for chunk in ask("say:half a\nfail:Error the model broke off", stream=True):
            heard.append(chunk.choices[0].delta.content or "")

    assert "".join(heard) == "half a"
