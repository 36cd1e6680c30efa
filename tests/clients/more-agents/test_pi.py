"""pi by its three APIs (chat, responses, messages): a turn with its shell tool."""

import json

import pytest
from agent import CACHE

PATHS = {"openai-completions": "/v1", "openai-responses": "/v1", "anthropic-messages": ""}
MODEL = {
    "id": "scripted-1",
    "name": "mine",
    "contextWindow": 200_000,
    "maxTokens": 8000,
    "input": ["text"],
    "reasoning": False,
}
SCRIPT = """\
call:bash {"command":"echo made by pi > proof.txt"}
then:
say:pi is done.
"""


@pytest.mark.turn
@pytest.mark.parametrize("api", PATHS)
def test_turn_with_a_tool(demo, place, api):
    provider = {"baseUrl": demo.url + PATHS[api], "apiKey": "unused", "api": api, "models": [MODEL]}
    place.write("home/.pi/agent/models.json", json.dumps({"providers": {"proxy": provider}}))

    command = [CACHE / "more-agents/node_modules/.bin/pi", "--provider", "proxy", "--model", "scripted-1", "-p", SCRIPT]
    output = place.run(command)

    assert place.read("proof.txt") == "made by pi\n"
    assert output == "pi is done.\n"
