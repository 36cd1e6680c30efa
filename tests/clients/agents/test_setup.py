"""`copilot-proxy setup` and `run`: the agents work without another step, and undo restores the files byte for byte."""

import pytest
from agent import NODE_PROGRAMS
from demo import binary

ASK = {
    "claude-code": [NODE_PROGRAMS / "claude", "-p"],
    "codex": [NODE_PROGRAMS / "codex", "exec", "--skip-git-repo-check", "-"],
    "opencode": [NODE_PROGRAMS / "opencode", "run"],
}
FILES = {
    "claude-code": (".claude/settings.json", '{\n\t"theme": "dark", "env": {}\n}'),
    "codex": (".codex/config.toml", "# Mine.\ncheck_for_update_on_startup = false\n"),
    "opencode": (".config/opencode/opencode.json", '{\n  // Mine.\n  "share": "disabled"\n}\n'),
}
OFFLINE = {
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    "DISABLE_AUTOUPDATER": "1",
    "OPENCODE_DISABLE_MODELS_FETCH": "1",
    "OPENCODE_DISABLE_AUTOUPDATE": "1",
}


@pytest.mark.parametrize("client", ASK)
def test_setup_configures_a_client_and_undo_restores_its_files(demo, place, client):
    name, before = FILES[client]
    place.write(f"home/{name}", before)

    place.run([binary(), "setup", client, "--yes", "--url", demo.url])
    answer = place.run(ASK[client], stdin="say:Set up, and nothing else.", **OFFLINE)
    place.run([binary(), "setup", client, "--undo", "--yes"])

    assert "Set up, and nothing else." in answer
    assert (place.home / name).read_bytes() == before.encode()


@pytest.mark.parametrize("client", ASK)
def test_run_starts_a_client_without_changing_its_files(demo, place, client):
    name, _ = FILES[client]
    answer = place.run([binary(), "run", "--url", demo.url, "--", *ASK[client]], stdin="say:Just this once.", **OFFLINE)

    assert "Just this once." in answer
    assert not (place.home / name).exists()


def test_run_ends_with_the_exit_code_of_the_client(demo, place):
    with pytest.raises(AssertionError, match="ended with 7"):
        place.run([binary(), "run", "--url", demo.url, "--", "sh", "-c", "exit 7"])
