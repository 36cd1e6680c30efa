"""The windows of the soak test and their server, as the system sees them."""

import asyncio
import json
import os
import signal
import socket
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
EXTENSION = ROOT / "vscode-host"

#: Only ever spent in vain: many times what anything here takes. In seconds.
TIMEOUT = 30


class Vain(Exception):
    """A fact that had to come did not."""


async def until(probe, what, seconds=TIMEOUT):
    deadline = time.monotonic() + seconds
    while not (value := await probe()):
        if time.monotonic() > deadline:
            raise Vain(f"waited {seconds} s in vain for {what}")
        await asyncio.sleep(0.02)
    return value


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def is_alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1][0] not in "ZX"
    except OSError:
        return False


def memory(pid):
    """Resident memory in KiB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0])


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


class Home:
    """A directory of the test's own, in which windows and server meet."""

    def __init__(self, server):
        self.path = Path(tempfile.mkdtemp(prefix="cp-soak-"))
        self.server_program, self.port = server, free_port()
        self.directory = self.path / "copilot-proxy"
        self.state = self.path / "state"

    @property
    def database(self):
        return self.state / "copilot-proxy" / "usage.db"

    @property
    def server(self):
        """The pid of the server; none while there is none."""
        try:
            return json.loads((self.directory / "server.json").read_text())["pid"]
        except (OSError, ValueError):
            return None


class Window:
    """One node process with the extension."""

    def __init__(self, home):
        self.home, self.process = home, None
        self.orders = asyncio.Lock()

    @property
    def pid(self):
        return self.process.pid

    async def open(self):
        script, bundle = EXTENSION / "out/soak/editor.js", EXTENSION / "out/extension.js"
        arguments = [script, bundle, EXTENSION / "package.json", self.home.server_program, self.home.port]
        self.process = await asyncio.create_subprocess_exec(
            "node",
            "--expose-gc",
            *map(str, arguments),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env=os.environ | {"XDG_RUNTIME_DIR": str(self.home.path), "XDG_STATE_HOME": str(self.home.state)},
        )
        await self.line()

    async def line(self):
        line = await self.process.stdout.readline()
        if not line:
            raise Vain(f"a window has ended: {await self.process.wait()}")
        return json.loads(line)

    async def order(self, order):
        """An order of benches/editor/control.ts or of editor.ts."""
        async with self.orders:
            self.process.stdin.write(f"{order}\n".encode())
            return await self.line()

    async def close(self):
        """Ends as the extension host of a closed window does."""
        await self.order("close")
        await asyncio.wait_for(self.process.wait(), TIMEOUT)

    async def kill(self):
        self.process.send_signal(signal.SIGKILL)
        await self.process.wait()
