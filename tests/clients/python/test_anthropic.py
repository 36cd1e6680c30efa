"""The official anthropic SDK: messages, streams, tools, thinking, counting, models, and error classes."""

import base64
import json

import anthropic
import pytest
from anthropic import Anthropic, AsyncAnthropic
from pydantic import BaseModel

from weather import weather_tool

WEATHER = {
    "name": "get_weather",
    "description": "The weather in a town",
    "input_schema": {"type": "object", "properties": {"town": {"type": "string"}}, "required": ["town"]},
}
CLOCK = {"name": "clock", "description": "The time", "input_schema": {"type": "object", "properties": {}}}


@pytest.fixture(scope="module")
def client(demo):
    with Anthropic(base_url=demo.url, api_key="unused", max_retries=0) as client:
        yield client


def question(script: str, **more) -> dict:
    return {"model": "scripted-1", "max_tokens": 1000, "messages": [{"role": "user", "content": script}], **more}


def test_whole_message(client):
    message = client.messages.create(**question("say:Hello from the demo."))

    [block] = message.content
    assert (message.role, block.type, block.text, message.stop_reason) == ("assistant", "text", "Hello from the demo.", "end_turn")
    assert message.model == "scripted-1"
    assert message.usage.input_tokens > 0 < message.usage.output_tokens
    assert message._request_id


def test_streamed_message(client):
    events = list(client.messages.create(**question("slow:3 50"), stream=True))

    assert [event.type for event in events if event.type != "ping"] == [
        "message_start",
        "content_block_start",
        *["content_block_delta"] * 3,
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]


def test_stream_helper_collects_the_message(client):
    with client.messages.stream(**question("think:Hm.\nsay:piece by piece")) as stream:
        pieces = list(stream.text_stream)
        message = stream.get_final_message()

    assert "".join(pieces) == "piece by piece"
    assert [block.type for block in message.content] == ["thinking", "text"]
    assert message.content[0].thinking == "Hm."


async def test_async_streamed_message(demo):
    async with AsyncAnthropic(base_url=demo.url, api_key="unused", max_retries=0) as client:
        async with client.messages.stream(**question("parts:300 8")) as stream:
            text = "".join([piece async for piece in stream.text_stream])

    assert text == "".join(str(part).ljust(8, ".") for part in range(300))


@pytest.mark.turn
def test_turn_with_a_call_and_its_result(client):
    asked = client.messages.create(
        **question('say:Let me look.\ncall:get_weather {"town":"Ulm"}\ncall:clock\nthen:\nsay:Sunny.', tools=[WEATHER, CLOCK])
    )
    text, weather, clock = asked.content
    assert (text.text, asked.stop_reason) == ("Let me look.", "tool_use")
    assert [(call.name, call.input) for call in (weather, clock)] == [("get_weather", {"town": "Ulm"}), ("clock", {})]

    messages = [
        *question('say:Let me look.\ncall:get_weather {"town":"Ulm"}\ncall:clock\nthen:\nsay:Sunny.')["messages"],
        {"role": "assistant", "content": asked.content},
        {"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": clock.id, "content": "12:00"},
            {"type": "tool_result", "tool_use_id": weather.id, "content": [{"type": "text", "text": "sun"}], "is_error": False},
        ]},
    ]
    answer = client.messages.create(**question("", tools=[WEATHER, CLOCK]) | {"messages": messages})
    assert (answer.content[0].text, answer.stop_reason) == ("Sunny.", "end_turn")


def test_calls_are_streamed_with_their_input(client):
    script = 'say:Look.\ncall:get_weather {"town":"Ulm"}\ncall:get_weather {"town":"Bonn"}'
    with client.messages.stream(**question(script, tools=[WEATHER])) as stream:
        message = stream.get_final_message()

    calls = [block.input for block in message.content if block.type == "tool_use"]
    assert (calls, message.stop_reason) == ([{"town": "Ulm"}, {"town": "Bonn"}], "tool_use")


@pytest.mark.turn
def test_tool_runner_takes_a_whole_turn(client):
    towns = []
    script = 'call:get_weather {"town":"Ulm"}\nthen:\ncall:get_weather {"town":"Bonn"}\nthen:\nsay:Sunny in both.'
    runner = client.beta.messages.tool_runner(**question(script, tools=[weather_tool(towns)]))
    message = runner.until_done()

    assert (towns, message.content[0].text) == (["Ulm", "Bonn"], "Sunny in both.")


def test_unsupported_thread_is_refused_as_the_sdk_expects(client):
    with pytest.raises(anthropic.BadRequestError) as refused:
        client.messages.create(**question("say:x"), extra_body={"thread": {"type": "create"}})

    assert refused.value.body["error"]["details"] == {"error_code": "thread_unsupported_request", "unsupported": []}


def test_tool_choice_limits_the_calls(client):
    def dump(**more) -> dict:
        return json.loads(client.messages.create(**question("dump:", **more)).content[0].text)

    assert [tool["name"] for tool in dump(tools=[WEATHER], tool_choice={"type": "none"})["tools"]] == ["get_weather"]
    assert [tool["name"] for tool in dump(tools=[WEATHER, CLOCK], tool_choice={"type": "auto"})["tools"]] == ["get_weather", "clock"]
    named = client.messages.create(**question("call:clock", tools=[WEATHER, CLOCK], tool_choice={"type": "tool", "name": "clock"}))
    any_ = client.messages.create(**question("call:clock", tools=[WEATHER, CLOCK], tool_choice={"type": "any"}))
    assert [message.content[0].name for message in (named, any_)] == ["clock", "clock"]


def test_request_reaches_the_model(client):
    picture = base64.b64encode(b"\x89PNG not really").decode()
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": picture}}
    message = client.messages.create(
        model="scripted-1",
        max_tokens=1000,
        system=[{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}],
        messages=[
            {"role": "user", "content": "Read a.png"},
            {"role": "assistant", "content": [{"type": "tool_use", "id": "toolu_1", "name": "read", "input": {"path": "a.png"}}]},
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "toolu_1", "content": [{"type": "text", "text": "a picture"}, image]},
                {"type": "text", "text": "dump:", "cache_control": {"type": "ephemeral"}},
            ]},
        ],
        tools=[{"name": "read", "input_schema": {"type": "object"}}],
    )
    seen = json.loads(message.content[0].text)

    parts = [part for message in seen["messages"] for part in message["parts"]]
    assert parts[0] == {"type": "text", "text": "Be brief."}
    assert {"type": "tool_call", "id": "toolu_1", "name": "read", "input": {"path": "a.png"}} in parts
    [result] = [part for part in parts if part["type"] == "tool_result"]
    assert (result["id"], result["text"]) == ("toolu_1", "a picture")


class Person(BaseModel):
    name: str
    age: int


def test_stop_sequences_and_limits_end_the_message(client):
    stopped = client.messages.create(**question("say:one two three four", stop_sequences=["never", "o thr"]))
    limited = client.messages.create(**question("slow:500 1") | {"max_tokens": 5})

    assert (stopped.content[0].text, stopped.stop_reason, stopped.stop_sequence) == ("one tw", "stop_sequence", "o thr")
    assert (limited.stop_reason, limited.stop_sequence) == ("max_tokens", None)
    assert limited.usage.output_tokens <= 5


def test_tokens_are_counted(client):
    short = client.messages.count_tokens(model="scripted-1", messages=[{"role": "user", "content": "hi"}])
    long = client.messages.count_tokens(
        model="scripted-1", system="Be brief.", messages=[{"role": "user", "content": "hello there " * 1000}], tools=[WEATHER]
    )

    assert 0 < short.input_tokens < 50
    assert 2000 <= long.input_tokens < 5000


def test_reported_usage_is_passed_on(client):
    reported = question("say:counted\nusage:11 7 3") | {"model": "scripted-usage"}
    message = client.messages.create(**reported)
    with client.messages.stream(**reported) as stream:
        streamed = stream.get_final_message()

    # OpenAI's input tokens include the cached ones; Anthropic's don't.
    for usage in (message.usage, streamed.usage):
        assert (usage.input_tokens, usage.cache_read_input_tokens, usage.output_tokens) == (8, 3, 7)


def test_models_are_listed_in_anthropics_form(client):
    models = {model.id: model for model in client.models.list()}

    assert {"scripted-1", "scripted-mini", "scripted-usage"} <= models.keys()
    assert {(model.type, model.lifecycle) for model in models.values()} == {("model", "active")}
    assert client.models.retrieve("scripted-1") == models["scripted-1"]


def test_unknown_model_uses_the_default_and_names_it(client):
    answer = client.messages.with_raw_response.create(**question("say:hi") | {"model": "claude-next-11"})

    assert answer.parse().content[0].text == "hi"
    assert answer.headers["x-copilot-proxy-model"] == answer.parse().model
    assert client.models.retrieve("claude-next-11").id == answer.parse().model


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "user", "content": [{"type": "txt", "text": "hi"}]}]}, "messages[0].content[0]"),
        ({"extra_body": {"max_tokens": "many"}}, "max_tokens"),
        ({"extra_body": {"max_tokens": None}}, "max_tokens"),
    ],
)
def test_invalid_request_names_the_field(client, change, place):
    with pytest.raises(anthropic.BadRequestError) as bad:
        client.messages.create(**question("say:x") | change)

    assert bad.value.body["error"]["type"] == "invalid_request_error"
    assert place in bad.value.body["error"]["message"]


@pytest.mark.parametrize(
    ("failure", "error", "kind"),
    [
        ("ChatRateLimited slow down", anthropic.RateLimitError, "rate_limit_error"),
        ("ChatQuotaExceeded all used up", anthropic.RateLimitError, "rate_limit_error"),
        ("NoPermissions not allowed", anthropic.PermissionDeniedError, "permission_error"),
        ("Error Message exceeds token limit.", anthropic.BadRequestError, "invalid_request_error"),
        ("Error Server error: 500", anthropic.InternalServerError, "api_error"),
        ("Error boom", anthropic.InternalServerError, "api_error"),
    ],
)
def test_model_failure_has_its_error_class(client, failure, error, kind):
    with pytest.raises(error) as failed:
        client.messages.create(**question(f"fail:{failure}"))

    assert failed.value.body["error"]["type"] == kind
    assert failed.value.request_id


def test_prompt_that_is_too_long_has_the_message_agents_match(client):
    with pytest.raises(anthropic.BadRequestError, match=r"prompt is too long: \d+ tokens > \d+ maximum"):
        client.messages.create(**question("word " * 40_000) | {"model": "scripted-mini"})


def test_failure_in_mid_stream_is_raised_after_the_parts(client):
    heard = []
    with pytest.raises(anthropic.APIError) as failed:
        with client.messages.stream(**question("say:half a\nfail:Error the model broke off")) as stream:
            heard.extend(stream.text_stream)

    assert "".join(heard) == "half a"
    assert "the model broke off" in str(failed.value)


def test_parsed_message_fits_its_schema(client):
    message = client.messages.parse(**question('call:answer {"name":"Ada","age":36}'), output_format=Person)

    assert message.parsed_output == Person(name="Ada", age=36)


SEARCH = 'call:web_search {"query":"ferris"}\nthen:\nsay:It is [a crab](https://example.com/about).'


def test_web_search_and_its_citations(client):
    tools = [{"type": "web_search_20250305", "name": "web_search", "max_uses": 3}]
    message = client.messages.create(**question(SEARCH, tools=tools))

    call, result, text = message.content
    assert (call.type, call.name, call.input) == ("server_tool_use", "web_search", {"query": "ferris"})
    assert (result.type, result.tool_use_id) == ("web_search_tool_result", call.id)
    assert [(page.title, page.url) for page in result.content][0] == ("About ferris", "https://example.com/about")
    [citation] = text.citations
    assert (citation.type, citation.url, citation.cited_text) == (
        "web_search_result_location",
        "https://example.com/about",
        "A page about ferris.",
    )
    assert message.usage.server_tool_use.web_search_requests == 1
    with client.messages.stream(**question(SEARCH, tools=tools)) as stream:
        streamed = stream.get_final_message()
    assert [block.type for block in streamed.content] == [block.type for block in message.content]
    assert streamed.content[2].citations == text.citations

    # The next turn brings the result back, and the model reads it again.
    history = [
        {"role": "user", "content": SEARCH},
        {"role": "assistant", "content": message.content},
        {"role": "user", "content": "dump:"},
    ]
    again = client.messages.create(**{**question(""), "messages": history}, tools=tools)
    parts = [part for entry in json.loads(again.content[0].text)["messages"] for part in entry["parts"]]
    [kept] = [part["text"] for part in parts if part["type"] == "tool_result"]
    assert "A page about ferris." in kept


def test_web_fetch(client):
    script = 'call:web_fetch {"url":"https://example.com/about"}\nthen:\nsay:Read.'
    tools = [{"type": "web_fetch_20250910", "name": "web_fetch"}]
    call, result, text = client.messages.create(**question(script, tools=tools)).content
    assert (call.name, result.type, text.text) == ("web_fetch", "web_fetch_tool_result", "Read.")
    assert result.content.content.title == "Example Page"
    assert result.content.content.source.data.endswith("This is the text of https://example.com/about.")
