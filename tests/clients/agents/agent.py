"""Runs a coding agent's program in a temporary home and project, without network access."""

import os
import subprocess
from pathlib import Path

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "copilot-proxy" / "clients"
NODE_PROGRAMS = CACHE / "agents" / "node_modules" / ".bin"
# An agent sends several requests and starts a shell, which takes long on a busy machine.
SECONDS = 240
# Requests to other services (prices, updates, telemetry) go to a closed port.
NOWHERE = "http://127.0.0.1:9"

# `config.toml` of a Codex that uses the server; `%s` is its URL.
CODEX_CONFIG = """\
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


def environment_of(home: Path, more: dict) -> dict:
    """The environment of a program with this home and without network access."""
    return {
        "PATH": f"{CACHE / 'bin'}:{os.environ['PATH']}",
        "HOME": str(home),
        "HTTP_PROXY": NOWHERE,
        "HTTPS_PROXY": NOWHERE,
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
        **more,
    }


class Place:
    """An empty home, and a project under git with one file."""

    def __init__(self, folder: Path):
        self.home = folder / "home"
        self.project = folder / "project"
        self.home.mkdir()
        self.project.mkdir()
        self.write("project/hello.txt", "old\n")
        for command in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "--message=start"]):
            self.run(["git", "-c", "user.name=A", "-c", "user.email=a@example.org", *command])

    def write(self, path: str, text: str) -> None:
        file = self.home.parent / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def read(self, name: str) -> str:
        return (self.project / name).read_text()

    def run(self, command: list, stdin: str = "", **environment: str) -> str:
        """Returns its output; an error includes everything that it printed."""
        done = subprocess.run(
            [str(part) for part in command],
            cwd=self.project,
            env=environment_of(self.home, environment),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=SECONDS,
        )
        assert done.returncode == 0, f"{command} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
        return done.stdout
