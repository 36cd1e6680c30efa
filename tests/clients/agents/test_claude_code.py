"""Claude Code (messages): turns with its own tools, by its plain and by its betas' requests."""

import json

import pytest
from agent import NODE_PROGRAMS

SCRIPT = """\
say:I shall leave a proof.
call:Bash {"command":"echo made by Claude Code > proof.txt","description":"leaves a proof"}
call:Read {"file_path":"%s/hello.txt"}
then:
say:Claude Code is done.
"""
OFFLINE = {
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    "DISABLE_AUTOUPDATER": "1",
    "DISABLE_TELEMETRY": "1",
    "DISABLE_ERROR_REPORTING": "1",
}


def claude(demo, place, script: str, model: str = "scripted-1", **environment: str) -> dict:
    """Its report of a turn."""
    command = [NODE_PROGRAMS / "claude", "-p", "--output-format", "json", "--allowedTools", "Bash,Read"]
    output = place.run(
        command,
        stdin=script,
        ANTHROPIC_BASE_URL=demo.url,
        ANTHROPIC_API_KEY="unused",
        ANTHROPIC_MODEL=model,
        **OFFLINE,
        **environment,
    )
    return json.loads(output)


@pytest.mark.turn
@pytest.mark.parametrize("model", ["scripted-1", "claude-opus-4-6"])
@pytest.mark.parametrize("betas", ["0", "1"], ids=["betas", "no betas"])
def test_turn_with_tools(demo, place, model, betas):
    report = claude(demo, place, SCRIPT % place.project, model, CLAUDE_CODE_DISABLE_EXPERIMENTAL_BETAS=betas)

    assert place.read("proof.txt") == "made by Claude Code\n"
    assert (report["is_error"], report["result"]) == (False, "Claude Code is done.")
    assert report["usage"]["output_tokens"] > 0 < report["usage"]["input_tokens"]


def test_error_is_shown_to_the_user(demo, place):
    with pytest.raises(AssertionError, match="Allow Copilot Proxy in VS Code"):
        claude(demo, place, "fail:NoPermissions no")


def test_web_search_shows_what_it_found(demo, place):
    """Its WebSearch tool sends a request of its own, which forces `web_search`, and counts the searches in the response."""
    search = 'ferris\ncall:web_search {"query":"ferris"}\nthen:\nsay:It is [a crab](https://example.com/about).'
    output = place.run(
        [NODE_PROGRAMS / "claude", "-p", "--output-format", "stream-json", "--verbose", "--allowedTools", "WebSearch"],
        stdin=f"call:WebSearch {json.dumps({'query': search})}\nthen:\ndump:",
        ANTHROPIC_BASE_URL=demo.url,
        ANTHROPIC_API_KEY="unused",
        ANTHROPIC_MODEL="claude-opus-4-6",
        # Otherwise the tool is deferred: a model has to find it first.
        CLAUDE_CODE_DISABLE_EXPERIMENTAL_BETAS="1",
        **OFFLINE,
    )

    lines = [json.loads(line) for line in output.splitlines()]
    [result] = [line["tool_use_result"] for line in lines if line.get("tool_use_result")]
    # The terminal shows "Did 1 search" for it.
    assert result["searchCount"] == 1
    [pages] = [found["content"] for found in result["results"] if isinstance(found, dict)]
    assert pages[0] == {"title": "About ferris", "url": "https://example.com/about"}
    assert any("It is [a crab]" in found for found in result["results"] if isinstance(found, str))
