"""An editor that only sends its user settings and keys: a second window of the demo, without models.

The server gets them only from an editor.
"""

import json
import os
import socket
import struct
from pathlib import Path

JSON, CONNECTION = 0, 0


class Editor:
    """An attached editor: `with Editor(demo.directory, keys={"mine": "secret"}): ...`."""

    def __init__(self, directory: Path, keys: dict[str, str] | None = None, **user_settings: object):
        server = json.loads((directory / "server.json").read_text())
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(server["endpoint"])
        window = {"focused": False, "folders": []}
        self._say("hello", token=server["token"], protocol=server["protocol"]["max"], version="0", pid=os.getpid(), window=window)
        # The demo has port 0, too, so that its port doesn't change.
        self._say("user_settings", **{"port": 0, **user_settings})
        self._say("keys", keys=[{"name": name, "key": key} for name, key in (keys or {}).items()])

    def _say(self, kind: str, **content: object) -> None:
        payload = json.dumps({"type": kind, **content}).encode()
        self._socket.sendall(struct.pack("<IBI", 5 + len(payload), JSON, CONNECTION) + payload)

    def __enter__(self) -> "Editor":
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()
