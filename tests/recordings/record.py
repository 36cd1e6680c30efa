"""Runs the agents against `copilot-proxy demo` through a recording proxy and writes one file for each recording.

The format is described in README.md. Usage: record.py [RECORDING]... (`record.sh` installs the agents first).
"""

import json
import os
import shutil
import sys
import tempfile
from collections import Counter
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "clients" / folder) for folder in ("python", "agents")]

from agent import CACHE, Place  # noqa: E402
from agents import AGENT_SETS, RECORDINGS, Recording  # noqa: E402
from demo import Demo  # noqa: E402
from proxy import Exchange, RecordingProxy  # noqa: E402
from response import output, texts  # noqa: E402
from scrub import Scrub, Stable  # noqa: E402

# Always the same, so that the sizes of prompts and the numbers that agents take from them are, too.
FOLDER = Path(tempfile.gettempdir()) / "copilot-proxy-recording"
# A value this long that occurs more than once is written once.
SHARED_FROM = 200
GIT_DATES = dict.fromkeys(["GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE"], "2026-01-15T12:00:00Z")


def main(names: list[str]) -> None:
    unknown = set(names) - set(RECORDINGS)
    if unknown:
        sys.exit(f"no such recording: {', '.join(sorted(unknown))}; there are {', '.join(RECORDINGS)}")
    os.environ |= GIT_DATES
    for name in names or RECORDINGS:
        recorded = record(RECORDINGS[name])
        file = HERE / f"{name}.json"
        file.write_text(json.dumps(recorded, ensure_ascii=False, indent="\t") + "\n")
        print(f"{file.name}: {len(recorded['exchanges'])} exchanges, {file.stat().st_size // 1024} KB", flush=True)


def record(recording: Recording) -> dict:
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    try:
        place = FixedPlace(FOLDER)
        script = recording.script.replace("PROJECT", str(place.project))
        with Demo() as demo, RecordingProxy(demo.url) as proxy:
            recording.run(place, proxy.url, script)
            exchanges = proxy.exchanges
        return published(recording, script, place, exchanges)
    finally:
        shutil.rmtree(FOLDER, ignore_errors=True)


class FixedPlace(Place):
    """A home and a project whose commits are the same in every run."""

    def run(self, command: list, stdin: str = "", **environment: str) -> str:
        return super().run(command, stdin, **GIT_DATES, **environment)


def published(recording: Recording, script: str, place: Place, exchanges: list[Exchange]) -> dict:
    """The content of the file."""
    responses = [output(exchange.response) for exchange in exchanges]
    stable = Stable(place)
    scrub = Scrub(stable, [script, *texts(responses)])
    bodies = [json.loads(exchange.body) if exchange.body else None for exchange in exchanges]
    conversations = names_of_conversations(exchanges, bodies)
    turns: Counter[str] = Counter()
    written = []
    for exchange, body, response, conversation in zip(exchanges, bodies, responses, conversations):
        turns[conversation] += 1
        written.append(
            {
                "conversation": conversation,
                "turn": turns[conversation],
                "method": exchange.method,
                "path": exchange.path,
                "headers": scrub.headers(exchange.headers),
                "body": scrub.body(body),
                "response": {"status": exchange.status, "output": scrub.stable(response)},
            }
        )
    shared = Shared([exchange["body"] for exchange in written])
    for exchange in written:
        exchange["body"] = shared.shortened(exchange["body"])
    return {
        "agent": recording.package,
        "version": version(recording.package),
        "script": stable(script).splitlines(),
        "exchanges": written,
        "shared": shared.values,
    }


def names_of_conversations(exchanges: list[Exchange], bodies: list) -> list[str]:
    """The conversation of each request: `main`, `sub-agent`, or `side` (titles, commit messages)."""

    def key(body: dict) -> str:
        tools = [tool.get("name") or tool.get("function", {}).get("name") for tool in body.get("tools") or []]
        messages = body.get("messages") or body.get("input") or []
        instructions = body.get("system") or next((m for m in messages if m.get("role") in ("system", "developer")), None)
        return json.dumps([tools, next(texts(instructions), "") if "system" not in body else ""])

    keys = [key(body or {}) for body in bodies]
    sizes: Counter[str] = Counter()
    for name, exchange in zip(keys, exchanges):
        sizes[name] += len(exchange.body)
    largest = sizes.most_common(1)[0][0]
    sub_agent = ["x-claude-code-agent-id" in {name.lower() for name, _ in exchange.headers} for exchange in exchanges]
    return ["sub-agent" if sub else "main" if name == largest else "side" for sub, name in zip(sub_agent, keys)]


class Shared:
    """The long values that occur more than once, each written once; in its places stands `$shared:NUMBER`."""

    def __init__(self, bodies: list):
        self.values: list = []
        self._numbers: dict[str, int] = {}
        self._counts: Counter[str] = Counter()
        for body in bodies:
            self._count(body)

    def _count(self, value: object) -> None:
        if isinstance(value, (str, list, dict)):
            self._counts[json.dumps(value)] += 1
        if isinstance(value, (list, dict)):
            for item in value.values() if isinstance(value, dict) else value:
                self._count(item)

    def shortened(self, value: object, inside: bool = False) -> object:
        if isinstance(value, (str, list, dict)) and not inside:
            text = json.dumps(value)
            if len(text) >= SHARED_FROM and self._counts[text] > 1:
                if text not in self._numbers:
                    self._numbers[text] = len(self.values)
                    self.values.append(None)
                    self.values[self._numbers[text]] = self.shortened(value, inside=True)
                return f"$shared:{self._numbers[text]}"
        if isinstance(value, list):
            return [self.shortened(item) for item in value]
        if isinstance(value, dict):
            return {key: self.shortened(item) for key, item in value.items()}
        return value


def version(package: str) -> str:
    """The version that is installed."""
    for folder in AGENT_SETS:
        manifest = CACHE / folder / "node_modules" / package / "package.json"
        if manifest.is_file():
            return json.loads(manifest.read_text())["version"]
    found = next((CACHE / "aider" / "lib").glob(f"python*/site-packages/{package.replace('-', '_')}-*.dist-info"))
    return found.name.removesuffix(".dist-info").rsplit("-", 1)[1]


if __name__ == "__main__":
    main(sys.argv[1:])
