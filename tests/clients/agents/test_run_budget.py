"""`copilot-proxy run --max-credits`: an agent whose key is used up shows the reason and ends."""

import subprocess
import time

import pytest
from agent import CACHE, NODE_PROGRAMS, environment_of
from demo import Demo, binary

OFFLINE = {
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    "DISABLE_AUTOUPDATER": "1",
    "OPENCODE_DISABLE_MODELS_FETCH": "1",
    "OPENCODE_DISABLE_AUTOUPDATE": "1",
    "OPENCODE_DISABLE_LSP_DOWNLOAD": "1",
}
# The first response costs more than the limit; the request with the tool's result is refused.
CALL = 'cost:60000000000\ncall:%s {%s"echo made > proof.txt"%s}\nthen:\nsay:Went on regardless.\n'
BASH = CALL % ("Bash", '"command":', ',"description":"leaves a proof"')
AIDER = [
    *["--model", "openai/scripted-usage", "--weak-model", "openai/scripted-usage", "--edit-format", "whole"],
    *["--yes-always", "--no-check-update", "--analytics-disable", "--no-show-model-warnings", "--no-pretty"],
]
# The command and its standard input.
AGENTS = {
    "Claude Code": ([NODE_PROGRAMS / "claude", "-p", "--allowedTools", "Bash"], BASH),
    "Codex": (
        [NODE_PROGRAMS / "codex", "exec", "--skip-git-repo-check", "--sandbox", "danger-full-access", "-"],
        CALL % ("exec_command", '"cmd":', ""),
    ),
    "opencode": ([NODE_PROGRAMS / "opencode", "run"], BASH.replace("Bash", "bash")),
    # It has no tools: its first message spends, and its commit message is refused.
    "aider": (
        [CACHE / "aider" / "bin" / "aider", *AIDER, "--message-file", "/dev/stdin", "hello.txt"],
        "cost:60000000000\nsay:Here it is.\\n\\nhello.txt\\n```\\nhello from aider\\n```\\n",
    ),
}
# Seconds until the agent has ended: aider repeats for a minute with each of its two models, and shows the reason each time.
SECONDS = {"aider": 240}


@pytest.mark.parametrize("agent", AGENTS)
def test_agent_shows_that_the_limit_of_its_key_is_used_up_and_ends(place, agent):
    command, text = AGENTS[agent]
    place.write("home/.aider/caches/model_prices_and_context_window.json", '{"none": {}}')
    with Demo() as demo:
        run = [binary(), "run", "--dir", demo.directory, "--model", "scripted-usage", "--max-credits", "50", "--"]
        began = time.monotonic()
        done = subprocess.run(
            [str(part) for part in run + command],
            cwd=place.project,
            env=environment_of(place.home, OFFLINE),
            input=text,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
        )
        seconds = time.monotonic() - began

    print(f"| {agent} | key used up | ended after {seconds:.0f} s with {done.returncode} |")
    # Agents wrap lines.
    output = " ".join(done.stdout.split())
    assert "the budget of 50 credits for the key run-" in output, done.stdout
    assert "60 credits used" in output
    assert "Went on regardless." not in output.replace(" ".join(text.split()), "")
    assert seconds < SECONDS.get(agent, 60), done.stdout
