"""Kilo's command line (chat): a turn with its shell tool."""

import pytest
from agent import CACHE
from demo import binary

SCRIPT = """\
call:bash {"command":"echo made by Kilo > proof.txt","description":"proof"}
then:
say:Kilo is done.
"""


@pytest.mark.turn
def test_turn_with_a_tool(demo, place):
    output = place.run(
        [binary(), "run", "--url", demo.url, "--model", "scripted-1", "--", CACHE / "more-agents/node_modules/.bin/kilo", "run", "--auto"],
        stdin=SCRIPT,
        KILO_DISABLE_MODELS_FETCH="1",
        KILO_DISABLE_AUTOUPDATE="1",
    )

    assert place.read("proof.txt") == "made by Kilo\n"
    assert "Kilo is done." in output
