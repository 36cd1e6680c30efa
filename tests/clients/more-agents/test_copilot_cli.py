"""GitHub's Copilot CLI with a provider of its own, by three APIs, offline and without an account: a turn with its shell."""

import pytest
from agent import CACHE

SCRIPT = """\
call:bash {"command":"echo made by Copilot CLI > proof.txt","description":"proof"}
then:
say:Copilot CLI is done.
"""
APIS = {
    "chat": {"COPILOT_PROVIDER_TYPE": "openai"},
    "responses": {"COPILOT_PROVIDER_TYPE": "openai", "COPILOT_PROVIDER_WIRE_API": "responses"},
    "messages": {"COPILOT_PROVIDER_TYPE": "anthropic"},
}


@pytest.mark.turn
@pytest.mark.parametrize("api", APIS)
def test_turn_with_a_tool(demo, place, api):
    base = demo.url if api == "messages" else f"{demo.url}/v1"
    output = place.run(
        [CACHE / "more-agents/node_modules/.bin/copilot", "-p", SCRIPT, "--allow-all-tools", "--no-color"],
        COPILOT_PROVIDER_BASE_URL=base,
        COPILOT_PROVIDER_API_KEY="unused",
        COPILOT_MODEL="scripted-1",
        COPILOT_OFFLINE="true",
        **APIS[api],
    )

    assert place.read("proof.txt") == "made by Copilot CLI\n"
    assert "Copilot CLI is done." in output
