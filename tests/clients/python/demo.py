"""Starts the program under test: `copilot-proxy demo` on a free port, and ends it again.

The binary is COPILOT_PROXY_BIN, else the release build of this tree, else the debug build.
"""

import os
import subprocess
import tempfile
import threading
from pathlib import Path
from typing import NamedTuple

REPOSITORY = Path(__file__).resolve().parents[3]
READY = "listening on "
# A debug build on a busy machine takes a few seconds; after this time it has failed.
SECONDS_TO_START = 60


def binary() -> Path:
    named = os.environ.get("COPILOT_PROXY_BIN")
    built = [REPOSITORY / "target" / profile / "copilot-proxy" for profile in ("release", "debug")]
    candidates = [Path(named)] if named else built
    for candidate in candidates:
        if candidate.is_file():
            return candidate
    raise FileNotFoundError(f"no copilot-proxy at {' or '.join(map(str, candidates))}; build it first")


class Elsewhere(NamedTuple):
    """A running server, which these tests neither start nor stop."""

    url: str


class Demo:
    """A running demo: `with Demo() as demo: ... demo.url`."""

    def __init__(self, *arguments: str, port: int = 0, **environment: str):
        self._log = tempfile.TemporaryFile(mode="w+")
        self._process = subprocess.Popen(
            [binary(), "demo", "--port", str(port), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            env={**os.environ, **environment},
        )
        self.url = self._address()

    def _address(self) -> str:
        # A program that hangs is killed, which ends the reading below.
        watchdog = threading.Timer(SECONDS_TO_START, self._process.kill)
        watchdog.start()
        try:
            for line in self._process.stdout:
                if line.startswith(READY):
                    return line.removeprefix(READY).strip()
        finally:
            watchdog.cancel()
        self._process.wait()
        raise RuntimeError(f"the demo did not start (exit {self._process.returncode}):\n{self.log()}")

    @property
    def directory(self) -> Path:
        """The directory of its socket and server.json."""
        return Path(tempfile.gettempdir()) / f"copilot-proxy-demo-{self._process.pid}"

    def log(self) -> str:
        self._log.seek(0)
        return self._log.read()

    def stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
        self._log.close()

    def __enter__(self) -> "Demo":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
