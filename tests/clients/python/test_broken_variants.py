"""Tests of the checks: each accepts a stream of the demo and rejects broken variants of it.

Without these tests, a check that accepts everything would look like a correct dialect.
"""

import pytest

import client
import sse
from rules import chat, messages, responses
from sse import Event

SCRIPT = 'say:Look!\ncall:look {"at":"sky"}\ncall:look {"at":"sea"}'
PARAMETERS = {"type": "object", "properties": {"at": {"type": "string"}}}
DIALECTS = {
    "chat": (chat, "/v1/chat/completions", {
        "messages": [{"role": "user", "content": SCRIPT}],
        "tools": [{"type": "function", "function": {"name": "look", "parameters": PARAMETERS}}],
    }),
    "messages": (messages, "/v1/messages", {
        "max_tokens": 100,
        "messages": [{"role": "user", "content": SCRIPT}],
        "tools": [{"name": "look", "input_schema": PARAMETERS}],
    }),
    "responses": (responses, "/v1/responses", {
        "input": SCRIPT,
        "tools": [{"type": "function", "name": "look", "parameters": PARAMETERS, "strict": False}],
    }),
}


@pytest.fixture(scope="module", params=DIALECTS, ids=DIALECTS)
def judged(demo, request):
    """A correct stream, and a function that tells whether a variant of it is noticed."""
    rules, path, question = DIALECTS[request.param]
    events = client.stream(demo.url, path, {"model": "scripted-1", **question})
    truth = rules.check(events)

    def is_noticed(variant: list[Event]) -> bool:
        try:
            return rules.check(variant) != truth
        except (AssertionError, KeyError, ValueError):
            return True

    return events, is_noticed


def test_dropped_event_is_noticed(judged):
    events, is_noticed = judged

    assert [event for at, event in enumerate(events) if not is_noticed(events[:at] + events[at + 1 :])] == []


def test_repeated_event_is_noticed(judged):
    events, is_noticed = judged

    assert [event for at, event in enumerate(events) if not is_noticed(events[: at + 1] + events[at:])] == []


def test_swapped_events_are_noticed(judged, request):
    if "chat" in request.node.name:
        pytest.skip("chat keeps text and calls apart; which came first is not told")
    events, is_noticed = judged
    swapped = [[*events[:at], events[at + 1], events[at], *events[at + 2 :]] for at in range(len(events) - 1)]

    assert [variant for variant in swapped if not is_noticed(variant)] == []


@pytest.mark.parametrize("field", ["index", "delta", "type", "id", "model", "sequence_number", "output_index", "stop_reason", "finish_reason"])
def test_missing_field_is_noticed(judged, field):
    events, is_noticed = judged
    variant = [Event(event.name, _without(event.data, field)) for event in events]
    if variant == events:
        pytest.skip("this dialect has no such field")

    assert is_noticed(variant)


@pytest.mark.parametrize("separator", sse.CUTTING)
def test_unescaped_line_separator_is_noticed(separator):
    with pytest.raises(AssertionError, match="unescaped"):
        sse.read(f'data: {{"text":"a{separator}b"}}\n\n'.encode())


def test_truncated_stream_is_noticed():
    with pytest.raises(AssertionError, match="no end"):
        sse.read(b'data: {"a":1}\n\ndata: {"a":')


def _without(node, field: str):
    if isinstance(node, list):
        return [_without(item, field) for item in node]
    if isinstance(node, dict):
        return {key: _without(value, field) for key, value in node.items() if key != field}
    return node
