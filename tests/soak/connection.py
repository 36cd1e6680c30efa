"""A raw HTTP/1.1 client: one connection, everything that comes checked for its framing, nothing retried."""

import asyncio
import json
import socket


class Cut(Exception):
    """The connection ended before the response did."""


class Wrong(Exception):
    """The response is not what the protocol or the API promises."""


class Response:
    """The head of a response; its body is read by `body` or `chunks`."""

    def __init__(self, connection, status, headers):
        self.connection, self.status, self.headers = connection, status, headers

    async def chunks(self):
        """The pieces of the body as they come; their end is the body's proper end."""
        reader = self.connection.reader
        if self.headers.get("transfer-encoding") == "chunked":
            while size := int((await line(reader)).split(b";")[0], 16):
                yield await exactly(reader, size)
                if await exactly(reader, 2) != b"\r\n":
                    raise Wrong("a chunk without its line break")
            if await line(reader):
                raise Wrong("trailers after the last chunk")
        else:
            yield await exactly(reader, int(self.headers.get("content-length", "0")))

    async def body(self):
        return b"".join([chunk async for chunk in self.chunks()])

    async def json(self):
        return parsed(await self.body())

    async def lines(self):
        """The lines of the body; a body that ends within one is wrong."""
        unread = b""
        async for chunk in self.chunks():
            *lines, unread = (unread + chunk).split(b"\n")
            for each in lines:
                yield each
        if unread:
            raise Wrong(f"the body ends within a line: {unread[:200]!r}")

    async def events(self):
        """The data of server-sent events, with the event's name; comments are skipped."""
        name = data = None
        async for each in self.lines():
            if each.startswith(b"event: "):
                name = each[7:].decode()
            elif each.startswith(b"data: "):
                data = each[6:]
            elif each == b"" and data is not None:
                yield name, data if data == b"[DONE]" else parsed(data)
                name = data = None
            elif each and not each.startswith(b":"):
                raise Wrong(f"not a line of an event: {each[:200]!r}")
        if data is not None:
            raise Wrong("the stream ends within an event")


class Connection:
    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer

    @staticmethod
    async def open(port, receive_buffer=None):
        """`receive_buffer`: bytes that the system takes for us, so that a slow reader is one."""
        sock = socket.socket()
        sock.setblocking(False)
        if receive_buffer:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        try:
            await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", port))
            limit = receive_buffer or 1 << 20
            return Connection(*await asyncio.open_connection(sock=sock, limit=limit))
        except OSError as error:
            sock.close()
            raise Cut(str(error)) from error

    async def send(self, method, path, headers, body=b""):
        head = [f"{method} {path} HTTP/1.1", "host: 127.0.0.1", *(f"{name}: {value}" for name, value in headers.items())]
        if method == "POST":
            head.append(f"content-length: {len(body)}")
        try:
            self.writer.write("\r\n".join([*head, "", ""]).encode() + body)
            await self.writer.drain()
        except OSError as error:
            raise Cut(str(error)) from error

    async def response(self):
        status = (await line(self.reader)).split(b" ")
        if status[0] != b"HTTP/1.1":
            raise Wrong(f"not a status line: {status}")
        headers = {}
        while each := await line(self.reader):
            name, value = each.decode().split(": ", 1)
            headers[name.lower()] = value
        return Response(self, int(status[1]), headers)

    def close(self):
        self.writer.transport.abort()


async def line(reader):
    try:
        return (await reader.readuntil(b"\r\n"))[:-2]
    except (asyncio.IncompleteReadError, OSError) as error:
        raise Cut(str(error)) from error


async def exactly(reader, count):
    try:
        return await reader.readexactly(count)
    except (asyncio.IncompleteReadError, OSError) as error:
        raise Cut(str(error)) from error


def parsed(data):
    try:
        return json.loads(data)
    except ValueError as error:
        raise Wrong(f"not JSON: {data[:200]!r}") from error
