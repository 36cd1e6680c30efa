"""The official openai SDK on responses: whole and streamed responses, calls, stored responses, structured output, errors."""

import json

import openai
import pytest
from openai import OpenAI
from pydantic import BaseModel

WEATHER = {
    "type": "function",
    "name": "get_weather",
    "description": "The weather in a town",
    "parameters": {"type": "object", "properties": {"town": {"type": "string"}}, "required": ["town"], "additionalProperties": False},
    "strict": True,
}


@pytest.fixture(scope="module")
def client(demo):
    with OpenAI(base_url=f"{demo.url}/v1", api_key="unused", max_retries=0) as client:
        yield client


def test_whole_response(client):
    response = client.responses.create(model="scripted-1", input="say:Hello from the demo.")

    assert (response.output_text, response.status, response.model) == ("Hello from the demo.", "completed", "scripted-1")
    assert response.usage.total_tokens == response.usage.input_tokens + response.usage.output_tokens > 0


def test_streamed_response(client):
    events = list(client.responses.create(model="scripted-1", input="slow:3 50", stream=True))

    assert [event.type.removeprefix("response.") for event in events] == [
        "created",
        "in_progress",
        "output_item.added",
        "content_part.added",
        *["output_text.delta"] * 3,
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "completed",
    ]
    assert [event.sequence_number for event in events] == list(range(len(events)))


def test_stream_helper_collects_the_response(client):
    with client.responses.stream(model="scripted-1", input="think:Hm.\nsay:piece by piece") as stream:
        pieces = [event.delta for event in stream if event.type == "response.output_text.delta"]
        response = stream.get_final_response()

    assert "".join(pieces) == "piece by piece"
    assert [item.type for item in response.output] == ["reasoning", "message"]
    assert response.output_text == "piece by piece"


@pytest.mark.turn
def test_turn_with_a_call_and_its_result(client):
    script = 'call:get_weather {"town":"Ulm"}\nthen:\nsay:Sunny in Ulm.'
    asked = client.responses.create(model="scripted-1", input=script, tools=[WEATHER])
    [call] = asked.output
    assert (call.type, call.name, json.loads(call.arguments)) == ("function_call", "get_weather", {"town": "Ulm"})

    history = [{"role": "user", "content": script}, *asked.output]
    result = {"type": "function_call_output", "call_id": call.call_id, "output": "sunny"}
    answer = client.responses.create(model="scripted-1", input=[*history, result], tools=[WEATHER])
    assert answer.output_text == "Sunny in Ulm."


@pytest.mark.turn
def test_previous_response_id_continues_a_response(client):
    script = 'call:get_weather {"town":"Ulm"}\nthen:\nsay:Sunny in Ulm.'
    asked = client.responses.create(model="scripted-1", input=script, tools=[WEATHER])
    result = {"type": "function_call_output", "call_id": asked.output[0].call_id, "output": "sunny"}
    answer = client.responses.create(model="scripted-1", previous_response_id=asked.id, input=[result], tools=[WEATHER])
    again = client.responses.create(model="scripted-1", previous_response_id=answer.id, input="dump:")

    assert answer.output_text == "Sunny in Ulm."
    assert answer.previous_response_id == asked.id
    texts = [part.get("text") for message in json.loads(again.output_text)["messages"] for part in message["parts"]]
    assert [text for text in texts if text] == [script, "sunny", "Sunny in Ulm.", "dump:"]


def test_item_reference_finds_its_item(client):
    first = client.responses.create(model="scripted-1", input="say:I am the first.")
    second = client.responses.create(
        model="scripted-1",
        input=[
            {"role": "user", "content": "who?"},
            {"type": "item_reference", "id": first.output[0].id},
            {"role": "user", "content": "dump:"},
        ],
    )

    assert "I am the first." in second.output_text


def test_unknown_previous_response_is_refused(client):
    with pytest.raises(openai.APIStatusError) as refused:
        client.responses.create(model="scripted-1", previous_response_id="resp_never", input="say:x")

    assert refused.value.status_code in (400, 404)
    assert "resp_never" in refused.value.message


def test_response_is_retrieved_and_deleted(client):
    given = client.responses.create(model="scripted-1", input="say:Keep this.")
    assert client.responses.retrieve(given.id).model_dump() == given.model_dump()

    client.responses.delete(given.id)
    with pytest.raises(openai.NotFoundError) as unknown:
        client.responses.retrieve(given.id)
    assert given.id in unknown.value.message


def test_instructions_reach_the_model(client):
    response = client.responses.create(
        model="scripted-1",
        instructions="Be brief.",
        input=[{"role": "developer", "content": "Be kind."}, {"role": "user", "content": [{"type": "input_text", "text": "dump:"}]}],
    )

    seen = "\n".join(part["text"] for message in json.loads(response.output_text)["messages"] for part in message["parts"])
    assert 0 <= seen.find("Be brief.") < seen.find("Be kind.") < seen.find("dump:")


class Person(BaseModel):
    name: str
    age: int


def test_parsed_response_fits_its_schema(client):
    response = client.responses.parse(model="scripted-1", input='call:Person {"name":"Ada","age":36}', text_format=Person)

    assert response.output_parsed == Person(name="Ada", age=36)


def test_max_output_tokens_makes_the_response_incomplete(client):
    response = client.responses.create(model="scripted-1", input="slow:500 1", max_output_tokens=16)

    assert (response.status, response.incomplete_details.reason) == ("incomplete", "max_output_tokens")


def test_failures_have_their_error_classes(client):
    with pytest.raises(openai.NotFoundError):
        client.responses.create(model="no-such-thing", input="say:x")
    with pytest.raises(openai.RateLimitError):
        client.responses.create(model="scripted-1", input="fail:ChatRateLimited slow down")
    with pytest.raises(openai.BadRequestError):
        client.responses.create(model="scripted-1", input=[{"type": "message", "role": "user", "content": 7}])
    with pytest.raises(openai.RateLimitError):
        client.responses.create(model="scripted-1", input="fail:ChatRateLimited no", stream=True)


def test_failure_in_mid_stream_ends_with_response_failed(client):
    *said, last = client.responses.create(model="scripted-1", input="say:half a\nfail:Error the model broke off", stream=True)

    assert "".join(event.delta for event in said if event.type == "response.output_text.delta") == "half a"
    assert last.type == "response.failed"
    assert "the model broke off" in last.response.error.message


def test_web_search_and_its_annotations(client):
    script = 'call:web_search {"query":"ferris"}\nthen:\nsay:It is [a crab](https://example.com/about).'
    options = {
        "model": "scripted-1",
        "input": script,
        "tools": [{"type": "web_search"}],
        "include": ["web_search_call.action.sources"],
    }
    response = client.responses.create(**options)

    search, message = response.output
    assert (search.type, search.status, search.action.query) == ("web_search_call", "completed", "ferris")
    assert search.action.sources[0].url == "https://example.com/about"
    [text] = message.content
    [annotation] = text.annotations
    assert (annotation.type, annotation.url, annotation.title) == ("url_citation", "https://example.com/about", "About ferris")
    assert text.text[annotation.start_index : annotation.end_index] == "[a crab](https://example.com/about)"

    with client.responses.stream(**options) as stream:
        names = [event.type for event in stream]
        final = stream.get_final_response()
    assert "response.web_search_call.searching" in names and "response.output_text.annotation.added" in names
    assert final.output[1].content[0].annotations == text.annotations
