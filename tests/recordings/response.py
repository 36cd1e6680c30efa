"""The model's response, assembled from a stream in the form of the dialect's whole responses."""

import json
from collections.abc import Iterator


def output(body: bytes) -> list:
    """Content blocks (messages), output items (responses) or the message of each choice (chat)."""
    text = body.decode()
    events = list(_events(text))
    if not events:
        return _whole(json.loads(text)) if text.strip().startswith("{") else []
    for event in events:
        if event.get("type") in ("response.completed", "response.incomplete", "response.failed"):
            return event["response"]["output"]
    if "choices" in events[0]:
        return [_chat_message(events)]
    return _blocks(events)


def _events(text: str) -> Iterator[dict]:
    for line in text.split("\n"):
        if line.startswith("data:") and line[5:].strip() != "[DONE]":
            yield json.loads(line[5:])


def _whole(response: dict) -> list:
    if "choices" in response:
        return [choice["message"] for choice in response["choices"]]
    return response.get("output") or response.get("content") or [response]


def _chat_message(events: list[dict]) -> dict:
    message: dict = {"role": "assistant"}
    for delta in (choice["delta"] for event in events for choice in event["choices"]):
        for call in delta.pop("tool_calls", []):
            calls = message.setdefault("tool_calls", [])
            if call["index"] >= len(calls):
                calls.append({"id": call["id"], "type": "function", "function": {"name": "", "arguments": ""}})
            for field, piece in call["function"].items():
                calls[call["index"]]["function"][field] += piece
        for field, piece in delta.items():
            if field != "role" and isinstance(piece, str):
                message[field] = message.get(field, "") + piece
    return message


def _blocks(events: list[dict]) -> list[dict]:
    blocks = []
    for event in events:
        if event["type"] == "content_block_start":
            blocks.append(event["content_block"] | {"input": ""} if "input" in event["content_block"] else event["content_block"])
        elif event["type"] == "content_block_delta":
            block, delta = blocks[event["index"]], event["delta"]
            for field, piece in delta.items():
                if field != "type":
                    name = "input" if field == "partial_json" else field
                    block[name] = block.get(name, "") + piece
    return [block | {"input": json.loads(block["input"] or "{}")} if "input" in block else block for block in blocks]


def texts(value: object) -> Iterator[str]:
    """All strings of a value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, (list, dict)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from texts(item)
