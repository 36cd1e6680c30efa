"""`copilot-proxy setup`: further agents answer without another step, and undo restores their files byte for byte."""

import subprocess

import pytest
from agent import CACHE, environment_of
from demo import binary

PROGRAMS = CACHE / "more-agents" / "node_modules" / ".bin"
PROMPT = "say:Set up, and nothing else."

# The command, whether it reads the prompt from standard input, its files with what the user has in them, and variables that
# keep it off the network.
AGENTS = {
    "kilo": (
        ["kilo", "run"],
        True,
        {".config/kilo/kilo.json": '{\n  // Mine.\n  "share": "disabled"\n}\n'},
        {"KILO_DISABLE_MODELS_FETCH": "1", "KILO_DISABLE_AUTOUPDATE": "1"},
    ),
    "gemini-cli": (
        ["gemini", "-p", PROMPT],
        False,
        {".gemini/settings.json": '{\n\t"ui": { "hideBanner": true } // mine\n}', ".gemini/.env": "# Mine\r\nA=b"},
        {"GEMINI_CLI_TRUST_WORKSPACE": "true"},
    ),
    "qwen-code": (
        ["qwen", "-p", PROMPT],
        False,
        {".qwen/settings.json": '{\n  "$version": 4,\n  "telemetry": { "enabled": false }\n}'},
        {},
    ),
    "cline": (["cline", "--json", PROMPT], False, {".cline/data/settings/providers.json": None}, {}),
    "continue": (
        ["cn", "-p", PROMPT],
        False,
        {
            ".continue/config.yaml": "name: Mine\nversion: 1.0.0\nschema: v1\nmodels:\n"
            "  - name: Other # mine\n    provider: openai\n    model: other\n    apiBase: http://127.0.0.1:9/v1\n"
        },
        {"CONTINUE_TELEMETRY_ENABLED": "0"},
    ),
}


@pytest.mark.parametrize("user_has_files", [True, False])
@pytest.mark.parametrize("client", AGENTS)
def test_setup_configures_a_client_and_undo_restores_its_files(demo, place, client, user_has_files):
    command, reads_prompt, files, variables = AGENTS[client]
    before = {name: text if user_has_files else None for name, text in files.items()}
    for name, text in before.items():
        if text is not None:
            (place.home / name).parent.mkdir(parents=True, exist_ok=True)
            (place.home / name).write_bytes(text.encode())

    place.run([binary(), "setup", client, "--yes", "--url", demo.url])
    stdin = PROMPT if reads_prompt else ""
    answer = place.run([PROGRAMS / command[0], *command[1:]], stdin=stdin, **variables)
    place.run([binary(), "setup", client, "--undo", "--yes"])

    assert "Set up, and nothing else." in answer
    for name, text in before.items():
        path = place.home / name
        assert (path.read_bytes() if path.exists() else None) == (text.encode() if text is not None else None)


@pytest.mark.parametrize("client", ["kilo", "copilot"])
def test_run_starts_a_client_without_changing_its_files(demo, place, client):
    arguments = {
        "kilo": ["run"],
        "copilot": ["-p", PROMPT, "--allow-all-tools"],
    }[client]
    stdin = PROMPT if client == "kilo" else ""
    variables = {"KILO_DISABLE_MODELS_FETCH": "1", "COPILOT_AUTO_UPDATE": "false"}
    command = [binary(), "run", "--url", demo.url, "--", PROGRAMS / client, *arguments]
    assert "Set up, and nothing else." in place.run(command, stdin=stdin, **variables)


def test_text_for_copilot_cli_runs_in_a_shell(demo, place):
    text = place.run([binary(), "setup", "copilot-cli", "--shell", "posix", "--url", demo.url])
    *variables, command = text.splitlines()
    assert command == "copilot"
    script = "\n".join([*variables, f"{PROGRAMS}/copilot -p '{PROMPT}' --allow-all-tools"])
    done = subprocess.run(
        ["sh", "-c", script],
        cwd=place.project,
        env=environment_of(place.home, {"COPILOT_AUTO_UPDATE": "false"}),
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert "Set up, and nothing else." in done.stdout, done.stderr
