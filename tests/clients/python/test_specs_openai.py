"""Chat completions compared with the vendor's document: bodies, the order of events, and that a stream
adds up to the whole response."""

import httpx
import pytest

import client
import specs
from rules import chat

PATH = "/v1/chat/completions"
TOOL = {"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {"at": {"type": "string"}}}}}

SCRIPTS = {
    "text": {"script": "say:Hello there."},
    "nothing": {"script": "then:\nsay:never"},
    "call": {"script": 'call:look {"at":"sky"}', "tools": [TOOL]},
    "text and calls": {"script": 'say:Look!\ncall:look {"at":"sky"}\ncall:look', "tools": [TOOL]},
    "thinking": {"script": "think:Hm, well.\nsay:Yes."},
    "usage": {"script": "say:counted\nusage:11 7 3", "model": "scripted-usage"},
    "cut": {"script": "say:cut\ncut:", "model": "scripted-usage"},
    "limit": {"script": "say:one two three four five six seven", "max_tokens": 3},
    "stop": {"script": "say:one two three", "stop": ["two"]},
    "choices": {"script": "say:again", "n": 2},
    "separators": {"script": "say:a\u2028b\u2029c\u0085d \\n\\n data: x"},
    "many parts": {"script": "parts:2000 40"},
}


def question(script: str, model: str = "scripted-1", **more) -> dict:
    return {"model": model, "messages": [{"role": "user", "content": script}], **more}


@pytest.mark.parametrize("case", SCRIPTS.values(), ids=SCRIPTS.keys())
def test_stream_adds_up_to_the_whole_response(demo, case):
    whole = client.ask(demo.url, PATH, question(**case))
    streamed = client.ask_streamed(demo.url, PATH, question(**case, stream_options={"include_usage": True}))

    for answer in (whole, streamed):
        for choice in answer["choices"]:
            for call in choice["calls"]:
                del call["id"]  # Each call's own.
    assert streamed == whole


def test_usage_stays_out_of_a_stream_that_did_not_ask(demo):
    events = client.stream(demo.url, PATH, question("say:hi"))

    assert chat.check(events)["usage"] is None
    assert all(event.data["choices"] for event in events[:-1])


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (question("say:x", model="no-such-thing"), 404),
        (question("say:x") | {"messages": []}, 400),
        (question("say:x") | {"messages": "hi"}, 400),
        (question("say:x") | {"messages": [{"role": "user", "content": 7}]}, 400),
        (question("fail:ChatRateLimited no"), 429),
        (question("fail:ChatQuotaExceeded no"), 429),
        (question("fail:Blocked no"), 429),
        (question("fail:NoPermissions no"), 403),
        ([], 400),
    ],
)
def test_error_has_the_documented_form(demo, body, status):
    answered, error = client.refused(demo.url, PATH, body)

    assert answered == status, error
    specs.openai().check("ErrorResponse", error)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/v1/chat/completions", 405), ("GET", "/v1/nowhere", 404), ("POST", "/v1/embeddings", None), ("POST", "/v1/images/generations", None)],
)
def test_unknown_path_or_method_has_the_documented_error(demo, method, path, status):
    response = httpx.request(method, demo.url + path, json={"model": "x", "input": "x"} if method == "POST" else None)

    assert response.status_code == (status or response.status_code) >= 400
    specs.openai().check("ErrorResponse", response.json())
    if status == 405:
        assert "POST" in response.headers["allow"]


def test_failure_in_mid_stream_is_an_error_event(demo):
    events = client.stream(demo.url, PATH, question("say:half a\nfail:Error broke off"))
    chunks = [event.data for event in events if event.data != "[DONE]"]

    *said, error = chunks
    specs.openai().check("ErrorResponse", error)
    assert "broke off" in error["error"]["message"]
    for chunk in said:
        specs.openai().check_event(chat.OPERATION, chunk)
        assert [choice["finish_reason"] for choice in chunk["choices"]] == [None]


@pytest.mark.parametrize("prefix", ["/v1", ""])
def test_models_have_the_documented_form(demo, prefix):
    listing = httpx.get(f"{demo.url}{prefix}/models").json()
    specs.openai().check_answer("get /models", listing)
    one = httpx.get(f"{demo.url}{prefix}/models/scripted-1").json()
    specs.openai().check("Model", one)

    assert one in listing["data"]
    assert httpx.head(f"{demo.url}{prefix}/models").status_code == 200
