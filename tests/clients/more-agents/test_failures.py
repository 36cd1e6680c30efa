"""Errors that a retry can't solve: agents show the reason soon. `-s` prints the times of the README's table."""

import contextlib
import json
import os
import subprocess
import threading
import time

import pytest
from agent import CACHE, CODEX_CONFIG, NODE_PROGRAMS, environment_of
from demo import Demo

MORE_PROGRAMS = CACHE / "more-agents" / "node_modules" / ".bin"
# The directive of each error, and texts of which one must be shown: the server's, the provider's or the agent's own.
FAILURES = {
    "blocked": (
        "fail:Blocked The extension has been temporarily blocked due to making too many requests.",
        ["is blocked by the model provider for another"],
    ),
    "quota": ("fail:ChatQuotaExceeded The allowance of this month is used up.", ["allowance of this month is used up"]),
    "rate limit": ("fail:ChatRateLimited Slow down a little.", ["Slow down a little"]),
    "consent": ("fail:NoPermissions not yet", ["Allow Copilot Proxy in VS Code"]),
    "too long": ("fail:Error Message exceeds token limit.", ["prompt is too long", "context window"]),
    # Gemini CLI passes over the feedback on a prompt, in which its API tells this.
    "content filter": (
        "fail:Error Filtered by Responsible AI Service",
        ["Filtered by Responsible AI Service", "stream ended without a finish reason"],
    ),
}
# After this time a user takes the agent for dead.
LIMIT = 60
# Agents that ignore `x-should-retry` retry these with their own back-off or after `retry-after`.
RETRIED = {"quota", "rate limit"}
# The time limit of a run.
TIME_LIMIT = 150


def claude_code(demo, place, headers=None):
    return [NODE_PROGRAMS / "claude", "-p"], {
        "ANTHROPIC_CUSTOM_HEADERS": "\n".join(f"{name}: {value}" for name, value in (headers or {}).items()),
        "ANTHROPIC_BASE_URL": demo.url,
        "ANTHROPIC_API_KEY": "unused",
        "ANTHROPIC_MODEL": "scripted-1",
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "DISABLE_AUTOUPDATER": "1",
    }


def codex(demo, place, headers=None):
    pairs = ", ".join(f'"{name}" = "{value}"' for name, value in (headers or {}).items())
    place.write("home/.codex/config.toml", CODEX_CONFIG % demo.url + f"http_headers = {{ {pairs} }}\n")
    return [NODE_PROGRAMS / "codex", "exec", "--sandbox", "danger-full-access", "-"], {"PROXY_KEY": "unused"}


def opencode(demo, place, headers=None):
    limit = {"context": 200_000, "output": 32_000}
    provider = {
        "npm": "@ai-sdk/openai-compatible",
        "name": "Copilot Proxy",
        "options": {"baseURL": f"{demo.url}/v1", "apiKey": "unused", "headers": headers or {}},
        "models": {"scripted-1": {"name": "scripted-1", "tool_call": True, "limit": limit}},
    }
    config = {"share": "disabled", "autoupdate": False, "model": "proxy/scripted-1", "small_model": "proxy/scripted-1"}
    place.write("project/opencode.json", json.dumps(config | {"provider": {"proxy": provider}}))
    offline = ["OPENCODE_DISABLE_MODELS_FETCH", "OPENCODE_DISABLE_AUTOUPDATE", "OPENCODE_DISABLE_LSP_DOWNLOAD"]
    return [NODE_PROGRAMS / "opencode", "run"], dict.fromkeys(offline, "1")


def aider(demo, place, headers=None):
    settings = [{"name": "openai/scripted-1", "extra_params": {"extra_headers": headers or {}}}]
    place.write("home/.aider.model.settings.yml", json.dumps(settings))
    place.write("home/.aider/caches/model_prices_and_context_window.json", '{"none": {}}')
    quiet = ["--yes-always", "--no-check-update", "--analytics-disable", "--no-show-model-warnings", "--no-pretty"]
    model = ["--model", "openai/scripted-1", "--weak-model", "openai/scripted-1", "--edit-format", "whole"]
    command = [CACHE / "aider" / "bin" / "aider", *model, *quiet, "--message-file", "/dev/stdin"]
    return command, {"OPENAI_API_BASE": f"{demo.url}/v1", "OPENAI_API_KEY": "unused"}


def qwen_code(demo, place):
    settings = {"security": {"auth": {"selectedType": "openai"}}, "telemetry": {"enabled": False}}
    place.write("home/.qwen/settings.json", json.dumps(settings))
    return [MORE_PROGRAMS / "qwen", "--yolo"], {
        "OPENAI_BASE_URL": f"{demo.url}/v1",
        "OPENAI_API_KEY": "unused",
        "OPENAI_MODEL": "scripted-1",
    }


def gemini_cli(demo, place):
    settings = {"security": {"auth": {"selectedType": "gemini-api-key"}}, "privacy": {"usageStatisticsEnabled": False}}
    place.write("home/.gemini/settings.json", json.dumps(settings))
    return [MORE_PROGRAMS / "gemini", "--model", "scripted-1", "--yolo"], {
        "GOOGLE_GEMINI_BASE_URL": demo.url,
        "GEMINI_API_KEY": "unused",
        "GEMINI_CLI_TRUST_WORKSPACE": "true",
    }


def cline(demo, place):
    program = MORE_PROGRAMS / "cline"
    place.run([program, "auth", "-p", "openai", "-k", "unused", "-m", "scripted-1", "-b", f"{demo.url}/v1"])
    return [program, TEXT], {}


# Placeholder of the prompt in a command; the other agents read it from standard input.
TEXT = object()
AGENTS = {
    "Claude Code": claude_code,
    "Codex": codex,
    "opencode": opencode,
    "Qwen Code": qwen_code,
    "aider": aider,
    "Cline": cline,
    "Gemini CLI": gemini_cli,
}


def trial(place, command, environment, directive, words):
    """Seconds until one of `words` was shown and until the agent ended, each None past the time limit, and the output."""
    text = f"Please:\n{directive}\n"
    began = time.monotonic()
    process = subprocess.Popen(
        [text if part is TEXT else str(part) for part in command],
        cwd=place.project,
        env=environment_of(place.home, environment),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    watchdog = threading.Timer(TIME_LIMIT, lambda: os.killpg(process.pid, 9))
    watchdog.start()
    process.stdin.write(text)
    process.stdin.close()
    shown, output = None, ""
    for line in process.stdout:
        output += line
        # Agents wrap lines, and some repeat the prompt.
        so_far = " ".join(output.split()).replace(directive, "").lower()
        if shown is None and any(text.lower() in so_far for text in words):
            shown = time.monotonic() - began
    process.wait()
    ended = time.monotonic() - began if watchdog.is_alive() else None
    watchdog.cancel()
    # Cline leaves a background process running.
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, 9)
    return shown, ended, output


@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize("agent", AGENTS)
def test_agent_shows_the_reason_within_a_minute(place, agent, failure):
    directive, words = FAILURES[failure]
    # A separate demo, since a block applies to all later requests.
    with Demo() as demo:
        command, environment = AGENTS[agent](demo, place)
        shown, ended, output = trial(place, command, environment, directive, words)

    seconds = ["-" if time is None else f"{time:.0f} s" for time in (shown, ended)]
    print(f"| {agent} | {failure} | {' | '.join(seconds)} |")
    if failure not in RETRIED:
        assert shown is not None and shown <= LIMIT, output


@pytest.mark.parametrize("agent", ["Claude Code", "Codex", "opencode", "aider"])
def test_agent_shows_a_budget_that_is_used_up(demo, place, agent):
    command, environment = AGENTS[agent](demo, place, {"x-copilot-proxy-max-credits": "0"})
    shown, ended, output = trial(place, command, environment, "say:done", ["the budget of 0 credits"])

    print(f"| {agent} | budget | {shown and round(shown)} s | {ended and round(ended)} s |")
    assert shown is not None and shown <= LIMIT, output
