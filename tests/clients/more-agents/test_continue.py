"""Continue's `cn` by two of its providers (chat, messages): a turn with its shell tool."""

import json

import pytest
from agent import CACHE

SCRIPT = """\
call:Bash {"command":"echo made by Continue > proof.txt"}
then:
say:Continue is done.
"""


@pytest.mark.turn
@pytest.mark.parametrize("provider", ["openai", "anthropic"])
def test_turn_with_a_tool(demo, place, provider):
    model = {
        "name": "mine",
        "provider": provider,
        "model": "scripted-1",
        "apiBase": f"{demo.url}/v1/",
        "apiKey": "unused",
        "roles": ["chat"],
        "capabilities": ["tool_use"],
    }
    # JSON is YAML.
    config = {"name": "Local", "version": "1.0.0", "schema": "v1", "models": [model]}
    place.write("home/.continue/config.yaml", json.dumps(config))

    output = place.run(
        [CACHE / "more-agents/node_modules/.bin/cn", "--config", place.home / ".continue/config.yaml", "--auto", "-p", SCRIPT],
        CONTINUE_TELEMETRY_ENABLED="0",
    )

    assert place.read("proof.txt") == "made by Continue\n"
    assert output.split("\n")[-2:] == ["Continue is done.", ""]
