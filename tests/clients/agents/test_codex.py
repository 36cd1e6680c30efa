"""Codex (responses): a turn with its shell tool, and threads that are compacted by the server."""

import json
import os
import re
import subprocess

import pytest
from agent import CACHE, CODEX_CONFIG, NODE_PROGRAMS
from demo import Demo

SCRIPT = """\
say:I shall leave a proof.
call:exec_command {"cmd":"echo made by Codex > proof.txt"}
then:
say:Codex is done.
"""


@pytest.mark.turn
def test_turn_with_a_tool(demo, place):
    place.write("home/.codex/config.toml", CODEX_CONFIG % demo.url)

    output = place.run(
        [NODE_PROGRAMS / "codex", "exec", "--sandbox", "danger-full-access", "-"], stdin=SCRIPT, PROXY_KEY="unused"
    )

    assert place.read("proof.txt") == "made by Codex\n"
    assert output.strip().endswith("Codex is done.")

# A provider of this name compacts remotely.
COMPACTS = CODEX_CONFIG.replace('name = "Copilot Proxy"', 'name = "OpenAI"')
# Compacts before every turn but the first.
COMPACTS_ALWAYS = f"model_auto_compact_token_limit = 100\n{COMPACTS}"


def run(place, *arguments: str, stdin: str) -> str:
    return place.run([NODE_PROGRAMS / "codex", "exec", *arguments, "-"], stdin=stdin, PROXY_KEY="unused")


def test_compacts_automatically_and_continues_after_a_restart(place):
    with Demo() as first:
        place.write("home/.codex/config.toml", COMPACTS_ALWAYS % first.url)
        assert run(place, stdin="say:blue it is").strip().endswith("blue it is")
        assert run(place, "resume", "--last", stdin="say:and round").strip().endswith("and round")
    with Demo() as second:
        place.write("home/.codex/config.toml", COMPACTS % second.url)
        heard = run(place, "resume", "--last", stdin="dump:")
    assert "Their summary:]" in heard
    assert "are missing" not in heard


def test_thread_compacted_by_another_service_continues(place):
    with Demo() as demo:
        place.write("home/.codex/config.toml", COMPACTS_ALWAYS % demo.url)
        run(place, stdin="say:blue it is")
        run(place, "resume", "--last", stdin="say:and round")
        place.write("home/.codex/config.toml", COMPACTS % demo.url)
        (thread,) = place.home.glob(".codex/sessions/**/rollout-*.jsonl")
        sealed = re.compile(r'"encrypted_content":"[^"]+"')
        text, count = sealed.subn('"encrypted_content":"gAAAAABo"', thread.read_text())
        assert count > 0
        thread.write_text(text)
        heard = run(place, "resume", "--last", stdin="dump:")
    assert "are missing" in heard
    assert "Their summary:]" not in heard


class AppServer:
    """Codex's app server, whose protocol has `/compact` as a request."""

    def __init__(self, place):
        environment = {
            "PATH": f"{CACHE / 'bin'}:{os.environ['PATH']}",
            "HOME": str(place.home),
            "PROXY_KEY": "unused",
            "NO_PROXY": "127.0.0.1",
        }
        self.process = subprocess.Popen(
            [NODE_PROGRAMS / "codex", "app-server"],
            cwd=place.project,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.sent = 0
        self.call("initialize", clientInfo={"name": "test", "title": "Test", "version": "1"})

    def call(self, method: str, **params):
        self.sent += 1
        number = self.sent
        self.process.stdin.write(json.dumps({"id": number, "method": method, "params": params}) + "\n")
        self.process.stdin.flush()
        message = self.until(lambda message: message.get("id") == number)
        assert "error" not in message, message
        return message["result"]

    def until(self, wanted) -> dict:
        for line in self.process.stdout:
            message = json.loads(line)
            if wanted(message):
                return message
        raise AssertionError("Codex ended")

    def event(self, method: str) -> dict:
        return self.until(lambda message: message.get("method") == method)["params"]

    def turn(self, thread: str, text: str) -> str:
        self.call("turn/start", threadId=thread, input=[{"type": "text", "text": text}])
        is_reply = lambda message: (
            message.get("method") == "item/completed" and message["params"]["item"]["type"] == "agentMessage"
        )
        reply = self.until(is_reply)["params"]["item"]["text"]
        self.event("turn/completed")
        return reply


def test_compacts_on_request(place):
    with Demo() as demo:
        place.write("home/.codex/config.toml", COMPACTS % demo.url)
        codex = AppServer(place)
        try:
            started = codex.call(
                "thread/start", cwd=str(place.project), sandbox="danger-full-access", approvalPolicy="never"
            )
            thread = started["thread"]["id"]
            assert codex.turn(thread, "say:blue it is") == "blue it is"
            codex.call("thread/compact/start", threadId=thread)
            codex.event("turn/completed")
            assert "Their summary:]" in codex.turn(thread, "dump:")
        finally:
            codex.process.kill()
            codex.process.wait()
