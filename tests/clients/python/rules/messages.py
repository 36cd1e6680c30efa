"""Anthropic messages: message_start, blocks strictly one after another, one message_delta, message_stop."""

import json

import specs
from sse import Event

# The types of delta of each type of block.
DELTAS = {
    "text": {"text_delta"},
    "thinking": {"thinking_delta", "signature_delta"},
    "tool_use": {"input_json_delta"},
}


def check(events: list[Event]) -> dict:
    for event in events:
        assert event.name == event.data["type"], f"event {event.name} carries {event.data['type']}"
    said = [event.data for event in events if event.data["type"] != "ping"]
    for event in said:
        specs.anthropic().check("MessageStreamEvent", event)
    kinds = [event["type"] for event in said]
    assert kinds[:1] == ["message_start"], f"begins with {kinds[:1]}"
    assert kinds[-2:] == ["message_delta", "message_stop"], f"ends with {kinds[-2:]}"
    start, end = said[0]["message"], said[-2]
    assert start["content"] == [] and start["stop_reason"] is None, f"message_start says too much: {start}"
    assert events[0].data["type"] != "ping", "a ping before message_start"
    return {
        "blocks": _blocks(said[1:-2]),
        "stop_reason": end["delta"]["stop_reason"],
        "stop_sequence": end["delta"]["stop_sequence"],
        "input_tokens": start["usage"]["input_tokens"],
        "usage": end["usage"],
    }


def _blocks(events: list[dict]) -> list[dict]:
    blocks: list[dict] = []
    is_open = False
    for event in events:
        match event["type"]:
            case "content_block_start":
                assert not is_open and event["index"] == len(blocks), f"a block begins out of turn: {event}"
                blocks.append({**event["content_block"], "json": ""})
                is_open = True
            case "content_block_delta":
                assert is_open and event["index"] == len(blocks) - 1, f"a delta of no open block: {event}"
                _add(blocks[-1], event["delta"])
            case "content_block_stop":
                assert is_open and event["index"] == len(blocks) - 1, f"a block ends out of turn: {event}"
                is_open = False
            case other:
                raise AssertionError(f"{other} among the blocks")
    assert not is_open, "the last block does not end"
    return [_plain(block) for block in blocks]


def _add(block: dict, delta: dict) -> None:
    assert delta["type"] in DELTAS[block["type"]], f"{delta['type']} in a block of {block['type']}"
    match delta["type"]:
        case "text_delta":
            block["text"] += delta["text"]
        case "thinking_delta":
            block["thinking"] += delta["thinking"]
        case "input_json_delta":
            assert block["input"] == {}, f"a call that begins with its input: {block}"
            block["json"] += delta["partial_json"]


def _plain(block: dict) -> dict:
    match block["type"]:
        case "text":
            return {"type": "text", "text": block["text"]}
        case "thinking":
            return {"type": "thinking", "thinking": block["thinking"]}
        case "tool_use":
            input_ = json.loads(block["json"]) if block["json"] else block["input"]
            return {"type": "tool_use", "id": block["id"], "name": block["name"], "input": input_}
        case other:
            raise AssertionError(f"a block of type {other}")


def whole(body: dict) -> dict:
    """A whole response in the form that `check` returns."""
    specs.anthropic().check("Message", body)
    return {
        "blocks": [_plain({**block, "json": ""}) for block in body["content"]],
        "stop_reason": body["stop_reason"],
        "stop_sequence": body["stop_sequence"],
        "input_tokens": body["usage"]["input_tokens"],
        "usage": body["usage"],
    }
