"""A strict parser of server-sent events, as strict as the strictest of the real clients.

Some clients split lines at U+0085, U+2028 and U+2029, too, so these must be escaped.
"""

import json
from dataclasses import dataclass
from typing import Any

CUTTING = ["\x85", "\u2028", "\u2029"]


@dataclass(frozen=True)
class Event:
    """One event: its name, if any, and its decoded data ("[DONE]" stays a text)."""

    name: str | None
    data: Any


def read(stream: bytes) -> list[Event]:
    text = stream.decode("utf-8")
    for character in CUTTING:
        assert character not in text, f"unescaped U+{ord(character):04X} in {text!r}"
    assert text.endswith("\n\n"), f"the last event has no end: {text[-80:]!r}"
    blocks = (block for block in text.split("\n\n") if block)
    return [event for block in blocks if (event := _event(block))]


def _event(block: str) -> Event | None:
    name, data = None, []
    for line in block.split("\n"):
        field, separator, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "event":
            name = value
        elif field == "data":
            data.append(value)
        else:
            # A comment is a ping.
            assert field == "" and separator, f"no field of an event: {line!r}"
    if not data:
        assert name is None, f"an event without data: {block!r}"
        return None
    assert len(data) == 1, f"more than one line of data: {block!r}"
    return Event(name, data[0] if data[0] == "[DONE]" else json.loads(data[0]))
