"""Configuration and command of each agent, and the script that makes it take several tool turns."""

import json
from collections.abc import Callable
from typing import NamedTuple

from agent import CACHE, CODEX_CONFIG, NODE_PROGRAMS, Place

# The folders of `setup.sh` that hold agents from npm.
AGENT_SETS = ("agents", "more-agents")
MORE_PROGRAMS = CACHE / "more-agents" / "node_modules" / ".bin"
# The model that the agents are told of where the family of a model changes what they send, and one without a family.
CLAUDE, GPT, PLAIN = "claude-opus-4-6", "gpt-5-mini", "scripted-1"


class Recording(NamedTuple):
    package: str
    script: str
    run: Callable[[Place, str, str], object]


def script(*phases: str) -> str:
    return "\nthen:\n".join(phases) + "\n"


def calls(tool: str, field: str, **more: object) -> str:
    """Four turns: two commands alone, two in parallel, one that fails, and the closing words."""

    def call(command: str) -> str:
        return f"call:{tool} {json.dumps({field: command, **more}, separators=(',', ':'))}"

    return script(
        "say:First the directory.\n" + call("ls"),
        "think:The file should be read.\n" + call("cat hello.txt"),
        "say:Now two at once.\n" + call("echo one > one.txt && echo made one") + "\n" + call("wc -c hello.txt"),
        call("cat missing.txt"),
        "say:All four turns are done.",
    )


# Claude Code


CLAUDE_CODE = script(
    'say:First the directory.\ncall:Bash {"command":"ls","description":"List the files"}',
    'think:The file should be read.\ncall:Read {"file_path":"PROJECT/hello.txt"}',
    'say:Now two at once.\ncall:Bash {"command":"echo one > one.txt && echo made one","description":"Make a file"}\n'
    'call:Bash {"command":"wc -c hello.txt","description":"Count the bytes"}',
    'call:Read {"file_path":"PROJECT/missing.txt"}',
    'call:Write {"file_path":"PROJECT/two.txt","content":"two\\n"}',
    "say:All five turns are done.",
)
SUB_AGENT = r"call:Bash {\"command\":\"cat hello.txt\",\"description\":\"Show the file\"}"
CLAUDE_CODE_SUB_AGENT = script(
    'say:A sub-agent shall look.\ncall:Agent {"description":"Look at the file","subagent_type":"general-purpose","run_in_background":false,'
    r'"prompt":"call:Bash {\"command\":\"ls\",\"description\":\"List the files\"}\nthen:\n'
    + SUB_AGENT
    + r'\nthen:\nsay:The sub-agent has looked.\n"}',
    'call:Bash {"command":"cat hello.txt","description":"Show the file"}',
    "say:Both are done.",
)


def claude_code(model: str) -> Callable[[Place, str, str], object]:
    def run(place: Place, url: str, text: str) -> str:
        return place.run(
            [NODE_PROGRAMS / "claude", "-p", "--allowedTools", "Bash,Read,Write,Agent,Task"],
            stdin=text,
            ANTHROPIC_BASE_URL=url,
            ANTHROPIC_API_KEY="unused",
            ANTHROPIC_MODEL=model,
            CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC="1",
            DISABLE_AUTOUPDATER="1",
            DISABLE_TELEMETRY="1",
            DISABLE_ERROR_REPORTING="1",
        )

    return run


# Codex


def codex(place: Place, url: str, text: str) -> str:
    place.write("home/.codex/config.toml", CODEX_CONFIG.replace("scripted-1", GPT) % url)
    return place.run([NODE_PROGRAMS / "codex", "exec", "--sandbox", "danger-full-access", "-"], stdin=text, PROXY_KEY="unused")


# opencode

OPENCODE_PROVIDERS = {
    "chat": "@ai-sdk/openai-compatible",
    "responses": "@ai-sdk/openai",
    "messages": "@ai-sdk/anthropic",
}
OPENCODE_OFFLINE = dict.fromkeys(
    ["OPENCODE_DISABLE_MODELS_FETCH", "OPENCODE_DISABLE_AUTOUPDATE", "OPENCODE_DISABLE_LSP_DOWNLOAD", "OPENCODE_DISABLE_DEFAULT_PLUGINS"],
    "1",
)


def opencode(dialect: str, model: str) -> Callable[[Place, str, str], object]:
    def run(place: Place, url: str, text: str) -> str:
        info = {"name": model, "tool_call": True, "limit": {"context": 200_000, "output": 32_000}}
        config = {
            "share": "disabled",
            "autoupdate": False,
            "permission": {"bash": "allow"},
            "model": f"proxy/{model}",
            "provider": {
                "proxy": {
                    "npm": OPENCODE_PROVIDERS[dialect],
                    "name": "Copilot Proxy",
                    "options": {"baseURL": f"{url}/v1", "apiKey": "unused"},
                    "models": {model: info | {"reasoning": dialect != "chat"}},
                }
            },
        }
        place.write("project/opencode.json", json.dumps(config))
        return place.run([NODE_PROGRAMS / "opencode", "run"], stdin=text, **OPENCODE_OFFLINE)

    return run


# Qwen Code


def qwen_code(place: Place, url: str, text: str) -> str:
    settings = {"security": {"auth": {"selectedType": "openai"}}, "telemetry": {"enabled": False}}
    place.write("home/.qwen/settings.json", json.dumps(settings))
    return place.run(
        [MORE_PROGRAMS / "qwen", "--yolo", "-p", text],
        OPENAI_BASE_URL=f"{url}/v1",
        OPENAI_API_KEY="unused",
        OPENAI_MODEL=PLAIN,
    )


# pi

PI_PATHS = {"openai-completions": "/v1", "openai-responses": "/v1", "anthropic-messages": ""}


def pi(api: str, model: str) -> Callable[[Place, str, str], object]:
    def run(place: Place, url: str, text: str) -> str:
        info = {
            "id": model,
            "name": model,
            "contextWindow": 200_000,
            "maxTokens": 8000,
            "input": ["text"],
            "reasoning": api != "openai-completions",
        }
        provider = {"baseUrl": url + PI_PATHS[api], "apiKey": "unused", "api": api, "models": [info]}
        place.write("home/.pi/agent/models.json", json.dumps({"providers": {"proxy": provider}}))
        return place.run([MORE_PROGRAMS / "pi", "--provider", "proxy", "--model", model, "-p", text])

    return run


# aider

AIDER = [
    ["--yes-always", "--no-check-update", "--analytics-disable", "--no-show-model-warnings"],
    ["--no-show-release-notes", "--no-pretty", "--model", f"openai/{PLAIN}", "--weak-model", f"openai/{PLAIN}"],
    ["--edit-format", "whole"],
]
# It has no tools. Its turns are edits: each message of the file is one command of its chat.
AIDER_TURNS = "".join(
    f"say:Here it is.\\n\\nhello.txt\\n```\\nhello {number}\\n```\\n\n" for number in ("one", "two", "three", "four")
)


def aider(place: Place, url: str, text: str) -> str:
    # The prices of models, which it would fetch.
    place.write("home/.aider/caches/model_prices_and_context_window.json", '{"none": {}}')
    return place.run(
        [CACHE / "aider" / "bin" / "aider", *sum(AIDER, []), "hello.txt"],
        stdin=text,
        OPENAI_API_BASE=f"{url}/v1",
        OPENAI_API_KEY="unused",
        GIT_AUTHOR_NAME="A",
        GIT_COMMITTER_NAME="A",
        GIT_AUTHOR_EMAIL="a@example.org",
        GIT_COMMITTER_EMAIL="a@example.org",
    )


CLAUDE_PACKAGE = "@anthropic-ai/claude-code"
RECORDINGS: dict[str, Recording] = {
    "claude-code": Recording(CLAUDE_PACKAGE, CLAUDE_CODE, claude_code(CLAUDE)),
    "claude-code-sub-agent": Recording(CLAUDE_PACKAGE, CLAUDE_CODE_SUB_AGENT, claude_code(CLAUDE)),
    "codex": Recording("@openai/codex", calls("exec_command", "cmd"), codex),
    "opencode-chat": Recording("opencode-ai", calls("bash", "command", description="Run it"), opencode("chat", PLAIN)),
    "opencode-responses": Recording("opencode-ai", calls("bash", "command", description="Run it"), opencode("responses", GPT)),
    "opencode-messages": Recording("opencode-ai", calls("bash", "command", description="Run it"), opencode("messages", CLAUDE)),
    "qwen-code": Recording("@qwen-code/qwen-code", calls("run_shell_command", "command", is_background=False), qwen_code),
    "pi-chat": Recording("@mariozechner/pi-coding-agent", calls("bash", "command"), pi("openai-completions", PLAIN)),
    "pi-responses": Recording("@mariozechner/pi-coding-agent", calls("bash", "command"), pi("openai-responses", GPT)),
    "pi-messages": Recording("@mariozechner/pi-coding-agent", calls("bash", "command"), pi("anthropic-messages", CLAUDE)),
    "aider": Recording("aider-chat", AIDER_TURNS, aider),
}
