"""Replaces private and volatile content of a recording: vendors' prose, machine paths, and ids of a run.

Prose becomes filler of the same length with the same digits, punctuation, lines and tags. Each word depends on all that
stands before it in its line, so equal lines stay equal, and two texts that differ still differ from the same byte on.
"""

import hashlib
import os
import re
from collections.abc import Callable, Iterable
from datetime import date
from pathlib import Path

from agent import CACHE, Place

CONSONANTS, VOWELS = "bdfglmnrstv", "aeiou"
# A line of a tool's output that is longer than this was written by the vendor, not by a command of the script.
LONGEST_OUTPUT_LINE = 100
# Text that filler doesn't replace: tags, and the paths of the scripted project.
KEPT = re.compile(r"</?[A-Za-z][\w-]*>|/(?:home/dev|opt/clients)(?:/[\w.-]+)*")
# These letters alternate, so no word of filler is a directive of the scripted model.
WORD = re.compile(r"[A-Za-z]+")


def filler(text: str) -> str:
    return "\n".join(map(_filler_line, text.split("\n")))


def _filler_line(line: str) -> str:
    digest = hashlib.sha256()
    out = []

    def word(match: re.Match) -> str:
        digest.update(match.group().encode() + str(match.start()).encode())
        random = digest.digest()
        while len(random) < len(match.group()):
            random += hashlib.sha256(random).digest()
        letters = ((VOWELS, CONSONANTS)[at % 2 == 0] for at in range(len(match.group())))
        made = (letter[byte % len(letter)] for letter, byte in zip(letters, random))
        return "".join(new.upper() if old.isupper() else new for old, new in zip(match.group(), made))

    end = 0
    for kept in KEPT.finditer(line):
        digest.update(line[end : kept.start()].encode())
        out += [WORD.sub(word, line[end : kept.start()]), kept.group()]
        digest.update(kept.group().encode())
        end = kept.end()
    out.append(WORD.sub(word, line[end:]))
    return "".join(out)


class Stable:
    """Replaces what depends on the machine and the moment; the same id gets the same replacement everywhere."""

    UUID = re.compile(r"(?<![0-9A-Za-z])[0-9a-f]{8}-[0-9a-f]{4}-([0-9a-f])[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}(?![0-9A-Za-z])")
    HEX = re.compile(r"(?<![0-9A-Za-z])[0-9a-f]{16,64}(?![0-9A-Za-z])")
    PREFIXED = re.compile(r"(?<![0-9A-Za-z])(ses|msg|prt|fco?|rs|resp)_([0-9a-zA-Z]{20,})(?![0-9A-Za-z])")
    CHUNK = re.compile(r"(?<=Chunk ID: )[0-9a-f]{6}")
    DAY = date(2026, 1, 15)

    def __init__(self, place: Place):
        self._numbers: dict[str, int] = {}
        project, home = str(place.project), str(place.home)
        today, day = date.today(), self.DAY
        forms = ["%Y-%m-%d", "%A, %B %d, %Y", "%a %b %d %Y", "%m/%d/%Y", "%B %Y"]
        dates = [(today.strftime(form), day.strftime(form)) for form in forms]
        dates += [(text.replace(" 0", " "), fixed) for text, fixed in dates if " 0" in text]
        system = os.uname()
        self._plain = [
            (project, "/home/dev/project"),
            (re.sub(r"\W", "-", project), "-home-dev-project"),
            (home, "/home/dev"),
            (str(place.home.parent), "/home/dev"),
            (str(CACHE), "/opt/clients"),
            (str(Path.home()), "/home/dev"),
            (f"/tmp/claude-{os.getuid()}/", "/tmp/claude-1000/"),
            (system.release, "6.1.0"),
            *([(system.nodename, "machine")] if len(system.nodename) > 3 else []),
            *dates,
        ]
        self._patterns: list[tuple[re.Pattern, Callable[[re.Match], str] | str]] = [
            (self.UUID, lambda m: f"{self._number(m[0]):08x}-0000-{m[1]}000-8000-{self._number(m[0]):012x}"),
            (self.PREFIXED, lambda m: f"{m[1]}_{self._number(m[0]):0{len(m[2])}d}"),
            (self.HEX, lambda m: f"{self._number(m[0]):0{len(m[0])}x}"),
            (self.CHUNK, lambda m: f"{self._number(m[0]):06x}"),
            (re.compile(r"(?<=call_)\d+(?=_\d)"), "1000"),
            (re.compile(r"(?<=127\.0\.0\.1:)\d{4,5}"), "8080"),
            (re.compile(r"(?<=Wall time: )[\d.]+"), "0.0000"),
            (re.compile(r"(?<=<duration_ms>)\d+|(?<=duration_ms: )\d+"), "500"),
            (re.compile(r"\b1[789]\d{8}\b"), "1768435200"),
            (re.compile(r"\b1[789]\d{11}\b"), "1768435200000"),
        ]

    def __call__(self, text: str) -> str:
        for old, new in self._plain:
            text = text.replace(old, new)
        for pattern, new in self._patterns:
            text = pattern.sub(new, text)
        return text

    def _number(self, text: str) -> int:
        # An id that is a replacement already stays.
        return self._numbers.setdefault(text, len(self._numbers) + 1)


class Scrub:
    """Scrubs the requests of one recording. `own` are the texts of the test: its script and what the model answered."""

    def __init__(self, stable: Stable, own: Iterable[str]):
        self._stable = stable
        lines = {stable(line).strip() for text in own for line in text.split("\n")}
        self._own = lines - {""}
        self._own_long = [line for line in self._own if len(line) > 12]

    def headers(self, headers: list[tuple[str, str]]) -> list[list[str]]:
        # The length is that of the body as it was.
        return [[name, self._stable(value)] for name, value in headers if name.lower() != "content-length"]

    def stable(self, value: object) -> object:
        return _each_text(value, self._stable)

    def body(self, body: object) -> object:
        body = self.stable(body)
        if not isinstance(body, dict):
            return body
        scrubbed = dict(body)
        for field in ("system", "instructions"):
            if field in body:
                scrubbed[field] = self._content(body[field])
        for field in ("messages", "input"):
            if field in body:
                scrubbed[field] = self._content(body[field])
        if "tools" in body:
            scrubbed["tools"] = _descriptions(body["tools"])
        return scrubbed

    def _content(self, value: object, prose: Callable[[str], str] | None = None) -> object:
        """Prose stands in the texts of messages and, in long lines, in the outputs of tools."""
        prose = prose or self._prose
        if isinstance(value, str):
            return prose(value)
        if isinstance(value, list):
            return [self._content(item, prose) for item in value]
        if not isinstance(value, dict):
            return value
        if value.get("role") == "tool" or value.get("type") in ("tool_result", "function_call_output"):
            prose = self._output
        texts = ("content", "text", "output")
        return {key: self._content(item, prose) if key in texts else item for key, item in value.items()}

    def _prose(self, text: str) -> str:
        return "\n".join(line if self._is_own(line) else filler(line) for line in text.split("\n"))

    def _output(self, text: str) -> str:
        return "\n".join(line if len(line) <= LONGEST_OUTPUT_LINE or self._is_own(line) else filler(line) for line in text.split("\n"))

    def _is_own(self, line: str) -> bool:
        return line.strip() in self._own or any(own in line for own in self._own_long)


def _each_text(value: object, change: Callable[[str], str]) -> object:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [_each_text(item, change) for item in value]
    if isinstance(value, dict):
        return {change(key): _each_text(item, change) for key, item in value.items()}
    return value


def _descriptions(value: object) -> object:
    if isinstance(value, list):
        return [_descriptions(item) for item in value]
    if not isinstance(value, dict):
        return value
    prose = ("description", "title", "$comment")
    return {key: filler(item) if key in prose and isinstance(item, str) else _descriptions(item) for key, item in value.items()}
