"""Every file of `examples/`, run against the demo as a reader would run it."""

import json
import os
import runpy
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from demo import REPOSITORY

EXAMPLES = REPOSITORY / "examples"
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "copilot-proxy" / "clients"
PROGRAMS = {".py": [sys.executable], ".mjs": [str(CACHE / "bin" / "node")], ".sh": ["sh"]}
# Node looks for packages beside a file that it runs; readers install theirs.
NEEDS_PACKAGES = {"openai_sdk.mjs", "anthropic_sdk.mjs"}

ANSWERING = [
    "vscode_llm_example_simple.py",
    "vscode_llm_example_full.py",
    "vscode_llm_tools_simple.py",
    "vscode_llm_tools_auto.py",
    "node_fetch.mjs",
    "openai_sdk.py",
    "openai_sdk.mjs",
    "anthropic_sdk.py",
    "anthropic_sdk.mjs",
    "ollama_sdk.py",
    "langchain_agent.py",
]
OTHERS = ["vscode_llm_list_tools.py", "curl.sh"]


@pytest.fixture
def run(demo, tmp_path):
    (tmp_path / "node_modules").symlink_to(CACHE / "node" / "node_modules")

    def run(example: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess:
        file = EXAMPLES / example
        if example in NEEDS_PACKAGES:
            file = tmp_path / example
            file.write_text((EXAMPLES / example).read_text())
        return subprocess.run(
            [*PROGRAMS[file.suffix], file, *arguments],
            env={**os.environ, "VSCODE_LLM_ENDPOINT": f"{demo.url}/v1/chat/completions", **environment},
            capture_output=True,
            text=True,
            timeout=60,
        )

    return run


def test_every_example_is_tested():
    files = {file.name for file in EXAMPLES.iterdir() if file.suffix in PROGRAMS}

    assert files == {*ANSWERING, *OTHERS}


@pytest.mark.parametrize("example", ANSWERING)
def test_example_answers_its_default_question_and_a_given_one(run, example):
    unasked, asked = run(example), run(example, "say:Grüße, 漢字!")

    assert (unasked.returncode, unasked.stderr, asked.returncode, asked.stderr) == (0, "", 0, "")
    assert "demo" in unasked.stdout
    assert asked.stdout == "Grüße, 漢字!\n"


def test_curl_example_gets_a_whole_and_a_streamed_response(run):
    done = run("curl.sh", "scripted-1")
    whole, _, stream = done.stdout.partition("\n")

    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(whole)["choices"][0]["message"]["content"].startswith("Lorem ipsum")
    assert stream.rstrip().endswith("data: [DONE]")


def test_client_tool_of_the_example_runs(run):
    done = run("vscode_llm_tools_simple.py", 'call:disk_space {"path":"."}\ncall:disk_space {"path":"/no/such"}')

    assert done.returncode == 0
    assert "GB are free" in done.stdout and "FileNotFoundError" in done.stdout


def test_tool_of_the_langchain_agent_runs(run):
    assert run("langchain_agent.py", 'call:count_letters {"word":"Ulm"}').stdout == "tool said: 3\n"


def test_editor_tools_are_run_by_the_server(run):
    done = run("vscode_llm_tools_auto.py", "call:get_open_editors\nthen:\nsay:These are open.")

    assert (done.returncode, done.stdout) == (0, "These are open.\n")


def test_editor_tools_are_listed(run):
    every = json.loads(run("vscode_llm_list_tools.py", "--json").stdout)
    tagged = json.loads(run("vscode_llm_list_tools.py", "--tags", "vscode,editor", "--json").stdout)
    named = json.loads(run("vscode_llm_list_tools.py", "--name", "LIST_*", "--json").stdout)
    shown = run("vscode_llm_list_tools.py", "--schema").stdout

    assert {"get_open_editors", "list_directory", "get_time"} <= {tool["name"] for tool in every}
    assert all({"vscode", "editor"} <= set(tool["tags"]) for tool in tagged) and tagged
    assert [tool["name"] for tool in named] == ["list_directory"]
    assert f"{len(every)} tools" in shown and '"type": "object"' in shown


class TestTheFullExample:
    def test_retries_after_2_4_and_8_seconds(self, monkeypatch, capsys):
        waits = []
        monkeypatch.setattr("time.sleep", waits.append)
        outcome = self.outcome(monkeypatch, capsys, "say:x", VSCODE_LLM_ENDPOINT=f"http://127.0.0.1:{unused_port()}/v1/chat/completions")

        assert (outcome[0], waits) == (1, [2, 4, 8])
        assert outcome[2].count("trying again") == 3
        assert "NotRunning" in outcome[2].splitlines()[-1]

    @pytest.mark.parametrize(
        ("failure", "error", "tries"),
        [
            ("ChatRateLimited slow down", "Busy", 4),
            ("Error Server error: 500", "ServerTrouble", 4),
            ("ChatQuotaExceeded used up", "QuotaExceeded", 1),
            ("NoPermissions no", "LlmError", 1),
        ],
    )
    def test_temporary_errors_are_retried(self, demo, monkeypatch, capsys, failure, error, tries):
        waits = []
        monkeypatch.setattr("time.sleep", waits.append)
        status, _, errors = self.outcome(monkeypatch, capsys, f"fail:{failure}", VSCODE_LLM_ENDPOINT=f"{demo.url}/v1/chat/completions")

        assert (status, len(waits) + 1) == (1, tries)
        assert errors.splitlines()[-1].startswith(f"{error}: ")

    def test_no_retry_after_the_first_output(self, demo, monkeypatch, capsys):
        script = "say:half a\nfail:Error broke off"
        status, output, errors = self.outcome(monkeypatch, capsys, script, VSCODE_LLM_ENDPOINT=f"{demo.url}/v1/chat/completions")

        assert (status, output) == (1, "half a")
        assert "trying again" not in errors

    def test_unknown_model_lists_the_available_ones(self, demo, monkeypatch, capsys):
        endpoint = f"{demo.url}/v1/chat/completions"
        status, _, errors = self.outcome(monkeypatch, capsys, "say:x", VSCODE_LLM_ENDPOINT=endpoint, VSCODE_LLM_MODEL="no-such-thing")

        assert status == 1
        assert errors.startswith("UnknownModel: ") and "scripted-1" in errors

    @pytest.mark.parametrize(("fallback", "status", "output"), [("true", 0, "from Anthropic\n"), ("false", 1, "")])
    def test_fallback_to_anthropic_needs_permission(self, demo, monkeypatch, capsys, fallback, status, output):
        monkeypatch.setattr("time.sleep", lambda _: None)
        outcome = self.outcome(
            monkeypatch,
            capsys,
            "say:from Anthropic",
            VSCODE_LLM_ENDPOINT=f"http://127.0.0.1:{unused_port()}/v1/chat/completions",
            VSCODE_LLM_FALLBACK=fallback,
            # The demo replaces Anthropic's service.
            ANTHROPIC_BASE_URL=demo.url,
            ANTHROPIC_API_KEY="a-key",
        )

        assert outcome[:2] == (status, output)

    @staticmethod
    def outcome(monkeypatch, capsys, question: str, **environment: str) -> tuple[int, str, str]:
        """Runs the example in this process, with a fake clock; returns exit status, output and errors."""
        monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(sys, "argv", ["vscode_llm_example_full.py", question])
        with pytest.raises(SystemExit) as end:
            runpy.run_path(str(EXAMPLES / "vscode_llm_example_full.py"), run_name="__main__")
        return end.value.code, *capsys.readouterr()


def unused_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]
