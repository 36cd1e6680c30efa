"""OpenAI responses compared with the vendor's document: bodies, the order of events, and that a stream
adds up to the whole response."""

import pytest

import client
import specs

PATH = "/v1/responses"
TOOL = {"type": "function", "name": "look", "parameters": {"type": "object", "properties": {"at": {"type": "string"}}}, "strict": False}

SCRIPTS = {
    "text": {"script": "say:Hello there."},
    "nothing": {"script": "then:\nsay:never"},
    "call": {"script": 'call:look {"at":"sky"}', "tools": [TOOL]},
    "text and calls": {"script": 'say:Look!\ncall:look {"at":"sky"}\ncall:look', "tools": [TOOL]},
    "thinking": {"script": "think:Hm, well.\nsay:Yes."},
    "usage": {"script": "say:counted\nusage:11 7 3", "model": "scripted-usage"},
    "cut": {"script": "say:cut\ncut:", "model": "scripted-usage"},
    "limit": {"script": "slow:100 1", "max_output_tokens": 16},
    "separators": {"script": "say:a\u2028b\u2029c\u0085d \\n\\n data: x"},
    "many parts": {"script": "parts:2000 40"},
}


def question(script: str, **more) -> dict:
    return {"model": "scripted-1", "input": script, **more}


@pytest.mark.parametrize("case", SCRIPTS.values(), ids=SCRIPTS.keys())
def test_stream_adds_up_to_the_whole_response(demo, case):
    whole = client.ask(demo.url, PATH, question(**case))
    streamed = client.ask_streamed(demo.url, PATH, question(**case))

    assert streamed == whole


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (question("say:x", model="no-such-thing"), 404),
        (question("say:x", input=[{"type": "message", "role": "user", "content": 7}]), 400),
        (question("fail:ChatRateLimited no"), 429),
        (question("fail:ChatQuotaExceeded no"), 429),
    ],
)
def test_error_has_the_documented_form(demo, body, status):
    answered, error = client.refused(demo.url, PATH, body)

    assert answered == status, error
    specs.openai().check("ErrorResponse", error)


def test_failure_in_mid_stream_ends_with_response_failed(demo):
    events = client.stream(demo.url, PATH, question("say:half a\nfail:Error broke off"))

    for event in events:
        specs.openai().check_event("post /responses", event.data)
    assert [event.data["sequence_number"] for event in events] == list(range(len(events)))
    assert (events[-1].name, events[-1].data["response"]["status"]) == ("response.failed", "failed")
    assert "broke off" in events[-1].data["response"]["error"]["message"]
