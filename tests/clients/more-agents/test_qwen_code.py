"""Qwen Code (chat): a turn with its shell tool."""

import json

import pytest
from agent import CACHE

SETTINGS = {"security": {"auth": {"selectedType": "openai"}}, "telemetry": {"enabled": False}}
SCRIPT = """\
call:run_shell_command {"command":"echo made by Qwen Code > proof.txt","is_background":false}
then:
say:Qwen Code is done.
"""


@pytest.mark.turn
def test_turn_with_a_tool(demo, place):
    place.write("home/.qwen/settings.json", json.dumps(SETTINGS))

    output = place.run(
        [CACHE / "more-agents/node_modules/.bin/qwen", "--yolo", "-p", SCRIPT],
        OPENAI_BASE_URL=f"{demo.url}/v1",
        OPENAI_API_KEY="unused",
        OPENAI_MODEL="scripted-1",
    )

    assert place.read("proof.txt") == "made by Qwen Code\n"
    assert output.split("\n")[-2:] == ["Qwen Code is done.", ""]
