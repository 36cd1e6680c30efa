"""An editor that only sends its user settings: a second window of the demo, without models.

The server gets the user's settings, such as the key, only from an editor.
"""

import json
import os
import socket
import struct
from pathlib import Path

JSON, CONNECTION = 0, 0


class Editor:
    """An attached editor: `with Editor(demo.directory, api_key="secret"): ...`."""

    def __init__(self, directory: Path, **user_settings: object):
        server = json.loads((directory / "server.json").read_text())
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(server["endpoint"])
        window = {"focused": False, "folders": []}
        self._say("hello", token=server["token"], protocol=server["protocol"]["max"], version="0", pid=os.getpid(), window=window)
        # The demo has port 0, too, so that its port doesn't change.
        self._say("user_settings", **{"port": 0, **user_settings})

    def _say(self, kind: str, **content: object) -> None:
        payload = json.dumps({"type": kind, **content}).encode()
        self._socket.sendall(struct.pack("<IBI", 5 + len(payload), JSON, CONNECTION) + payload)

    def __enter__(self) -> "Editor":
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()
