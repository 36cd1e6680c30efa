"""OpenAI chat completions: chunks with equal id and model, one start and one finish per choice, `[DONE]`."""

import json

import specs
from sse import Event

OPERATION = "post /chat/completions"


def check(events: list[Event]) -> dict:
    assert events, "an empty stream"
    assert events[-1].data == "[DONE]", f"the last event is {events[-1].data}, not [DONE]"
    chunks = [event.data for event in events[:-1]]
    assert all(event.name is None for event in events), "chat chunks have no event names"
    for chunk in chunks:
        specs.openai().check_event(OPERATION, chunk)
    heads = {(chunk["id"], chunk["created"], chunk["model"]) for chunk in chunks}
    assert len(heads) == 1, f"id, created and model change on the way: {heads}"
    choices: dict[int, _Choice] = {}
    usage = None
    for chunk in chunks:
        assert usage is None, f"a chunk after the usage: {chunk}"
        if not chunk["choices"]:
            usage = chunk["usage"]
        for part in chunk["choices"]:
            choices.setdefault(part["index"], _Choice()).add(part)
    assert sorted(choices) == list(range(len(choices))), f"choices {sorted(choices)}"
    return {"choices": [choices[index].finished() for index in sorted(choices)], "usage": usage}


class _Choice:
    def __init__(self) -> None:
        self.text = ""
        self.reasoning = ""
        self.calls: list[dict] = []
        self.finish: str | None = None
        self._begun = False

    def add(self, part: dict) -> None:
        assert self.finish is None, f"a delta after finish_reason: {part}"
        delta = part["delta"]
        assert delta.get("role") == (None if self._begun else "assistant"), f"only the first delta names the role: {part}"
        self._begun = True
        self.text += delta.get("content") or ""
        self.reasoning += delta.get("reasoning_content") or ""
        for call in delta.get("tool_calls") or []:
            self._add_call(call)
        self.finish = part["finish_reason"]

    def _add_call(self, part: dict) -> None:
        if part["index"] == len(self.calls):
            assert part.get("id") and part.get("type") == "function" and part["function"].get("name"), (
                f"a call begins without id, type or name: {part}"
            )
            self.calls.append({"id": part["id"], "name": part["function"]["name"], "arguments": ""})
        assert part["index"] == len(self.calls) - 1, f"a call out of turn: {part}"
        self.calls[-1]["arguments"] += part["function"].get("arguments") or ""

    def finished(self) -> dict:
        assert self.finish, "a choice without finish_reason"
        for call in self.calls:
            json.loads(call["arguments"])
        return {"text": self.text, "reasoning": self.reasoning, "calls": self.calls, "finish": self.finish}


def whole(body: dict) -> dict:
    """A whole response in the form that `check` returns."""
    specs.openai().check_answer(OPERATION, body)
    return {"choices": [_whole_choice(choice) for choice in body["choices"]], "usage": body.get("usage")}


def _whole_choice(choice: dict) -> dict:
    message = choice["message"]
    calls = [{"id": call["id"], **call["function"]} for call in message.get("tool_calls") or []]
    return {
        "text": message["content"] or "",
        "reasoning": message.get("reasoning_content") or "",
        "calls": calls,
        "finish": choice["finish_reason"],
    }
