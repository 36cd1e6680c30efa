"""The editor's tools in agents: each finds the server that `setup` wrote, over HTTP, and the model calls one of its tools."""

import json

import pytest
from agent import CODEX_CONFIG, NODE_PROGRAMS
from demo import binary

# The names by which the agents offer the tool to the model.
SCRIPT = """\
call:%s {}
then:
say:It is late.
"""
OFFLINE = {
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    "DISABLE_AUTOUPDATER": "1",
    "OPENCODE_DISABLE_MODELS_FETCH": "1",
    "OPENCODE_DISABLE_AUTOUPDATE": "1",
}
TIME = "2026-01-01T12:00:00Z"


# Claude Code keeps the tools of MCP servers back until its model has searched for them.
SEARCH = """\
call:ToolSearch {"query":"select:mcp__vscode__get_time","max_results":1}
then:
"""


def set_up(place, demo, client: str) -> None:
    place.run([binary(), "setup", client, "--yes", "--url", demo.url])


@pytest.mark.parametrize("search", ["true", "false"])
def test_claude_code_calls_a_tool_of_the_editor(demo, place, search):
    set_up(place, demo, "claude-code-mcp")
    command = [NODE_PROGRAMS / "claude", "-p", "--output-format", "stream-json", "--verbose"]
    command += ["--mcp-config", place.project / ".mcp.json", "--allowedTools", "mcp__vscode__get_time"]
    output = place.run(
        command,
        stdin=(SEARCH if search == "true" else "") + SCRIPT % "mcp__vscode__get_time",
        ENABLE_TOOL_SEARCH=search,
        ANTHROPIC_BASE_URL=demo.url,
        ANTHROPIC_API_KEY="unused",
        ANTHROPIC_MODEL="scripted-1",
        **OFFLINE,
    )
    messages = [json.loads(line) for line in output.splitlines()]
    assert TIME in output
    assert messages[-1]["result"] == "It is late."


def test_codex_calls_a_tool_of_the_editor(demo, place):
    place.write("home/.codex/config.toml", CODEX_CONFIG % demo.url)
    set_up(place, demo, "codex-mcp")
    command = [NODE_PROGRAMS / "codex", "exec", "--json", "--dangerously-bypass-approvals-and-sandbox", "-"]
    output = place.run(command, stdin=SCRIPT % "mcp__vscode__get_time", PROXY_KEY="unused")
    assert TIME in output
    assert "It is late." in output


def test_opencode_calls_a_tool_of_the_editor(demo, place):
    set_up(place, demo, "opencode")
    set_up(place, demo, "opencode-mcp")
    command = [NODE_PROGRAMS / "opencode", "run", "--format", "json"]
    output = place.run(command, stdin=SCRIPT % "vscode_get_time", **OFFLINE)
    assert TIME in output
    assert "It is late." in output
    # Both are in one file, and each is undone by itself.
    config = place.home / ".config/opencode/opencode.json"
    place.run([binary(), "setup", "opencode-mcp", "--undo", "--yes"])
    assert "mcp" not in json.loads(config.read_text())
    place.run([binary(), "setup", "opencode", "--undo", "--yes"])
    assert not config.exists()


@pytest.mark.parametrize("client", ["claude-code-mcp", "codex-mcp", "opencode-mcp"])
def test_undo_leaves_nothing(demo, place, client):
    before = sorted(path for path in place.project.rglob("*") if ".git" not in path.parts)
    set_up(place, demo, client)
    place.run([binary(), "setup", client, "--undo", "--yes"])
    assert sorted(path for path in place.project.rglob("*") if ".git" not in path.parts) == before
