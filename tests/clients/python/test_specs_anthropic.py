"""Anthropic messages compared with the vendor's document: bodies, the order of events, and that a stream
adds up to the whole message."""

import httpx
import pytest

import client
import specs

PATH = "/v1/messages"
TOOL = {"name": "look", "input_schema": {"type": "object", "properties": {"at": {"type": "string"}}}}
VERSION = {"anthropic-version": "2023-06-01"}

SCRIPTS = {
    "text": {"script": "say:Hello there."},
    "nothing": {"script": "then:\nsay:never"},
    "call": {"script": 'call:look {"at":"sky"}', "tools": [TOOL]},
    "call without input": {"script": "call:look", "tools": [TOOL]},
    "text and calls": {"script": 'say:Look!\ncall:look {"at":"sky"}\ncall:look', "tools": [TOOL]},
    "text after a call": {"script": 'call:look {"at":"sky"}\nsay:after', "tools": [TOOL]},
    "thinking": {"script": "think:Hm, well.\nsay:Yes.\nthink:Or not.\nsay: No."},
    "usage": {"script": "say:counted\nusage:11 7 3", "model": "scripted-usage"},
    "cut": {"script": "say:cut\ncut:", "model": "scripted-usage"},
    "limit": {"script": "say:one two three four five six seven", "max_tokens": 3},
    "stop": {"script": "say:one two three", "stop_sequences": ["two"]},
    "separators": {"script": "say:a\u2028b\u2029c\u0085d \\n\\n data: x"},
    "many parts": {"script": "parts:2000 40", "max_tokens": 100_000},
}


def question(script: str, **more) -> dict:
    return {"model": "scripted-1", "max_tokens": 1000, "messages": [{"role": "user", "content": script}], **more}


@pytest.mark.parametrize("case", SCRIPTS.values(), ids=SCRIPTS.keys())
def test_stream_adds_up_to_the_whole_message(demo, case):
    whole = client.ask(demo.url, PATH, question(**case))
    streamed = client.ask_streamed(demo.url, PATH, question(**case))

    for answer in (whole, streamed):
        for block in answer["blocks"]:
            block.pop("id", None)  # Each call's own.
    assert streamed["blocks"] == whole["blocks"]
    assert (streamed["stop_reason"], streamed["stop_sequence"]) == (whole["stop_reason"], whole["stop_sequence"])
    for count in ("input_tokens", "output_tokens", "cache_read_input_tokens"):
        assert streamed["usage"][count] == whole["usage"][count]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (question("say:x") | {"messages": []}, 400),
        (question("say:x") | {"messages": [{"role": "user", "content": 7}]}, 400),
        ({key: value for key, value in question("say:x").items() if key != "max_tokens"}, 400),
        (question("fail:ChatRateLimited no"), 429),
        (question("fail:ChatQuotaExceeded no"), 429),
        (question("fail:Blocked no"), 429),
        (question("fail:NoPermissions no"), 403),
    ],
)
def test_error_has_the_documented_form(demo, body, status):
    response = client.post(demo.url, PATH, body)

    assert response.status_code == status, response.text
    specs.anthropic().check("ErrorResponse", response.json())
    assert response.headers["request-id"] == response.json()["request_id"] == response.headers["x-request-id"]


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/v1/messages", 405), ("POST", "/v1/messages/nowhere", 404)])
def test_unknown_path_or_method_has_the_documented_error(demo, method, path, status):
    response = httpx.request(method, demo.url + path, headers=VERSION)

    assert response.status_code == status
    specs.anthropic().check("ErrorResponse", response.json())


def test_failure_in_mid_stream_is_an_error_event(demo):
    *said, error = client.stream(demo.url, PATH, question("say:half a\nfail:Error broke off"))

    assert error.name == "error"
    specs.anthropic().check("ErrorResponse", error.data)
    assert "broke off" in error.data["error"]["message"]
    assert not {"message_delta", "message_stop"} & {event.name for event in said}


def test_models_have_the_documented_form(demo):
    listing = httpx.get(f"{demo.url}/v1/models?limit=1000", headers=VERSION).json()
    specs.anthropic().check_answer("get /v1/models", listing)
    one = httpx.get(f"{demo.url}/v1/models/scripted-1", headers=VERSION).json()
    specs.anthropic().check_answer("get /v1/models/{model_id}", one)

    assert one in listing["data"]
    assert (listing["first_id"], listing["last_id"]) == (listing["data"][0]["id"], listing["data"][-1]["id"])


def test_token_count_has_the_documented_form(demo):
    body = {key: value for key, value in question("hello").items() if key != "max_tokens"}
    answer = client.post(demo.url, "/v1/messages/count_tokens?beta=true", body)

    specs.anthropic().check_answer("post /v1/messages/count_tokens", answer.json())
