"""Codex (responses): a turn with its shell tool."""

import pytest
from agent import NODE_PROGRAMS

CONFIG = """\
model = "scripted-1"
model_provider = "proxy"
check_for_update_on_startup = false

[analytics]
enabled = false

[model_providers.proxy]
name = "Copilot Proxy"
base_url = "%s/v1"
env_key = "PROXY_KEY"
wire_api = "responses"
"""
SCRIPT = """\
say:I shall leave a proof.
call:exec_command {"cmd":"echo made by Codex > proof.txt"}
then:
say:Codex is done.
"""


@pytest.mark.turn
def test_it_takes_a_turn_with_a_tool(demo, place):
    place.write("home/.codex/config.toml", CONFIG % demo.url)

    output = place.run(
        [NODE_PROGRAMS / "codex", "exec", "--sandbox", "danger-full-access", "-"], stdin=SCRIPT, PROXY_KEY="unused"
    )

    assert place.read("proof.txt") == "made by Codex\n"
    assert output.strip().endswith("Codex is done.")
