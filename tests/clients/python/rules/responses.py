"""OpenAI responses: numbered events; each item is added, filled, repeated as a whole, and done."""

import json

import specs
from sse import Event

OPERATION = "post /responses"
ENDS = {"response.completed": "completed", "response.incomplete": "incomplete"}


def check(events: list[Event]) -> dict:
    said = [event.data for event in events]
    for event in events:
        assert event.name == event.data["type"], f"event {event.name} carries {event.data['type']}"
        specs.openai().check_event(OPERATION, event.data)
    numbers = [event["sequence_number"] for event in said]
    assert numbers == list(range(len(said))), f"events are numbered {numbers}"
    kinds = [event["type"] for event in said]
    assert kinds[:2] == ["response.created", "response.in_progress"], f"begins with {kinds[:2]}"
    assert kinds[-1] in ENDS, f"ends with {kinds[-1]}"
    ids = {event["response"]["id"] for event in said if "response" in event}
    assert len(ids) == 1, f"more than one response id: {ids}"
    items = _items(said[2:-1])
    end = said[-1]["response"]
    assert end["status"] == ENDS[kinds[-1]], f"{kinds[-1]} with status {end['status']}"
    assert end["output"] == items, f"the end says {end['output']}, the items were {items}"
    return whole(end)


def _items(events: list[dict]) -> list[dict]:
    """The items of the `done` events, each compared with its deltas."""
    done: list[dict] = []
    item: _Item | None = None
    for event in events:
        assert event["output_index"] == len(done), f"an event of another item: {event}"
        if event["type"] == "response.output_item.added":
            assert item is None, f"an item begins inside another: {event}"
            item = _Item(event["item"])
        elif event["type"] == "response.output_item.done":
            assert item is not None, f"an item ends that has not begun: {event}"
            item.compare(event["item"])
            done.append(event["item"])
            item = None
        else:
            assert item is not None, f"an event outside of any item: {event}"
            item.add(event)
    assert item is None, "the last item does not end"
    return done


class _Item:
    """An incomplete item: its open part, and the text of its deltas."""

    def __init__(self, added: dict) -> None:
        self._added = added
        self._parts: list[str] = []
        self._open = False
        self._delta = ""
        self._whole: str | None = None

    def add(self, event: dict) -> None:
        assert event["item_id"] == self._added["id"], f"an event of another item: {event}"
        match event["type"].removeprefix("response."):
            case "content_part.added" | "reasoning_summary_part.added":
                assert not self._open, f"a part begins inside another: {event}"
                self._open, self._delta, self._whole = True, "", None
            case "content_part.done" | "reasoning_summary_part.done":
                assert self._open and event["part"]["text"] == self._delta == self._whole, f"a part differs: {event}"
                self._parts.append(self._delta)
                self._open = False
            case "output_text.delta" | "reasoning_text.delta" | "reasoning_summary_text.delta":
                assert self._open and self._whole is None, f"a delta outside of any part: {event}"
                self._delta += event["delta"]
            case "output_text.done" | "reasoning_text.done" | "reasoning_summary_text.done":
                self._whole = event["text"]
                assert self._whole == self._delta, f"deltas made {self._delta!r}, done says {self._whole!r}"
            case "function_call_arguments.delta":
                self._delta += event["delta"]
            case "function_call_arguments.done":
                self._whole = event["arguments"]
                assert self._whole == self._delta, f"deltas made {self._delta!r}, done says {self._whole!r}"
                assert event["name"] == self._added["name"], f"another name: {event}"
            case other:
                raise AssertionError(f"an unknown event {other}")

    def compare(self, done: dict) -> None:
        assert not self._open, f"an item ends with an open part: {done}"
        assert (done["id"], done["type"]) == (self._added["id"], self._added["type"]), f"another item: {done}"
        if done["type"] == "function_call":
            assert done["arguments"] == self._whole, f"the call differs: {done}"
        else:
            texts = [part["text"] for part in done.get("content") or done.get("summary") or []]
            assert texts == self._parts, f"the parts were {self._parts}, the item says {texts}"


def whole(body: dict) -> dict:
    """A whole response, or the response in a stream's last event, without its ids."""
    specs.openai().check_answer(OPERATION, body)
    return {"output": [_plain(item) for item in body["output"]], "status": body["status"], "usage": body["usage"]}


def _plain(item: dict) -> dict:
    match item["type"]:
        case "message":
            return {"type": "message", "text": "".join(part["text"] for part in item["content"])}
        case "reasoning":
            parts = [*(item.get("summary") or []), *(item.get("content") or [])]
            return {"type": "reasoning", "text": "".join(part["text"] for part in parts)}
        case "function_call":
            return {"type": "function_call", "name": item["name"], "arguments": json.loads(item["arguments"])}
        case other:
            raise AssertionError(f"an item of type {other}")
