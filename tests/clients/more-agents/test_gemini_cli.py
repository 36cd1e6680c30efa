"""Gemini CLI: a turn with its shell tool."""

import json

import pytest
from agent import CACHE

SETTINGS = {
    "security": {"auth": {"selectedType": "gemini-api-key"}},
    "telemetry": {"enabled": False},
    "privacy": {"usageStatisticsEnabled": False},
    "general": {"disableAutoUpdate": True},
}
SCRIPT = """\
call:run_shell_command {"command":"echo made by Gemini CLI > proof.txt","description":"proof"}
then:
say:Gemini CLI is done.
"""


@pytest.mark.turn
def test_turn_with_a_tool(demo, place):
    place.write("home/.gemini/settings.json", json.dumps(SETTINGS))

    output = place.run(
        [CACHE / "more-agents/node_modules/.bin/gemini", "--model", "scripted-1", "--yolo", "-p", SCRIPT],
        GOOGLE_GEMINI_BASE_URL=demo.url,
        GEMINI_API_KEY="unused",
        GEMINI_CLI_TRUST_WORKSPACE="true",
    )

    assert place.read("proof.txt") == "made by Gemini CLI\n"
    assert output.split("\n")[-2:] == ["Gemini CLI is done.", ""]
