"""opencode by three of its providers (chat, responses, messages): a turn with a tool call."""

import json

import pytest
from agent import NODE_PROGRAMS

PROVIDERS = {
    "chat": ("@ai-sdk/openai-compatible", "/v1"),
    "responses": ("@ai-sdk/openai", "/v1"),
    "messages": ("@ai-sdk/anthropic", "/v1"),
}
SCRIPT = """\
call:bash {"command":"echo made by opencode > proof.txt","description":"leaves a proof"}
then:
say:opencode is done.
"""
OFFLINE = dict.fromkeys(
    ["OPENCODE_DISABLE_MODELS_FETCH", "OPENCODE_DISABLE_AUTOUPDATE", "OPENCODE_DISABLE_LSP_DOWNLOAD", "OPENCODE_DISABLE_DEFAULT_PLUGINS"],
    "1",
)


# It starts slowly, so only one of its dialects runs against a real VS Code.
@pytest.mark.parametrize("dialect", [pytest.param("chat", marks=pytest.mark.turn), "responses", "messages"])
def test_turn_with_a_tool(demo, place, dialect):
    package, path = PROVIDERS[dialect]
    limit = {"context": 200_000, "output": 32_000}
    config = {
        "share": "disabled",
        "autoupdate": False,
        "permission": {"bash": "allow"},
        "model": "proxy/scripted-1",
        "small_model": "proxy/scripted-usage",
        "provider": {
            "proxy": {
                "npm": package,
                "name": "Copilot Proxy",
                "options": {"baseURL": demo.url + path, "apiKey": "unused"},
                "models": {model: {"name": model, "tool_call": True, "limit": limit} for model in ("scripted-1", "scripted-usage")},
            }
        },
    }
    place.write("project/opencode.json", json.dumps(config))

    output = place.run([NODE_PROGRAMS / "opencode", "run"], stdin=SCRIPT, **OFFLINE)

    assert place.read("proof.txt") == "made by opencode\n"
    assert "opencode is done." in output
