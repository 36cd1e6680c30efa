"""A proxy between an agent and the demo that keeps every exchange as it was: method, path, headers, body, response."""

import threading
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple
from urllib.parse import urlsplit

# They describe one connection, so the proxy makes its own.
HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "te", "upgrade", "expect"}


class Exchange(NamedTuple):
    method: str
    path: str
    headers: list[tuple[str, str]]
    body: bytes
    status: int
    response_headers: list[tuple[str, str]]
    response: bytes


class RecordingProxy:
    """`with RecordingProxy(url) as proxy: ... proxy.url ... proxy.exchanges`, in the order in which requests arrived."""

    def __init__(self, upstream: str):
        self._exchanges: list[Exchange | None] = []
        address = urlsplit(upstream)
        exchanges, lock = self._exchanges, threading.Lock()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: object) -> None:
                pass

            def forward(self) -> None:
                with lock:
                    index = len(exchanges)
                    exchanges.append(None)
                body = self.request_body()
                connection = HTTPConnection(address.hostname, address.port, timeout=120)
                connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
                for name, value in self.headers.items():
                    if name.lower() not in HOP_BY_HOP:
                        connection.putheader(name, value)
                connection.putheader("content-length", str(len(body)))
                connection.endheaders(body)
                response = connection.getresponse()

                self.send_response_only(response.status)
                for name, value in response.getheaders():
                    if name.lower() not in HOP_BY_HOP:
                        self.send_header(name, value)
                self.send_header("transfer-encoding", "chunked")
                self.end_headers()
                received = bytearray()
                try:
                    while chunk := response.read1(65536):
                        received += chunk
                        self.wfile.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
                    self.wfile.write(b"0\r\n\r\n")
                except OSError:
                    # An agent that has what it wants leaves before the end.
                    self.close_connection = True
                exchanges[index] = Exchange(
                    self.command, self.path, list(self.headers.items()), body,
                    response.status, response.getheaders(), bytes(received),
                )  # fmt: skip
                connection.close()

            def request_body(self) -> bytes:
                if "chunked" not in self.headers.get("transfer-encoding", ""):
                    return self.rfile.read(int(self.headers.get("content-length", 0)))
                body = bytearray()
                while size := int(self.rfile.readline().split(b";")[0], 16):
                    body += self.rfile.read(size)
                    self.rfile.readline()
                self.rfile.readline()
                return bytes(body)

            do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_OPTIONS = forward

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    @property
    def exchanges(self) -> list[Exchange]:
        return [exchange for exchange in self._exchanges if exchange]

    def __enter__(self) -> "RecordingProxy":
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
