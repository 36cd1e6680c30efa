"""The kinds of requests: what each sends, and what must come of it. Every kind runs in every dialect that can express it."""

import asyncio
import gzip
import json
import random
from dataclasses import dataclass, field

from connection import Connection, Cut, Wrong
from dialects import DIALECTS, Chat, Messages, Responses

ADD = {
    "name": "test_add",
    "description": "Adds two numbers.",
    "parameters": {"type": "object", "properties": {"a": {"type": "number"}, "b": {"type": "number"}}},
}

WORDS = ["soak", "gateway", "Größe", "日本語", "🦀", "line\\nbreak", "a\\\\b", '"quoted"', "</s>", "x" * 200, "\u2028", "\x85"]


@dataclass
class Request:
    """One request and what became of it."""

    number: int
    kind: str = ""
    dialect: str = ""
    is_stream: bool = False
    #: Words of the usage database that its row may have; none if the request has no row.
    rows: set = field(default_factory=set)
    #: Whether it may have no row, too: its client left before any byte came, perhaps before the server had read it.
    may_lack_row: bool = False
    started: float = 0
    ended: float = 0
    #: `answered`, `refused` as it must be, `cancelled` by us, `failed` for want of an editor, `cut`, `wrong`.
    outcome: str = ""
    detail: str = ""

    @property
    def session(self):
        return f"soak-{self.number}"


class Failed(Exception):
    """A proper error in the dialect's form that the request did not ask for."""


def said():
    """A text as a script has it, and as the model says it."""
    words = [random.choice(WORDS) for _ in range(random.randint(1, 30))]
    written = " ".join(words)
    return written, written.replace("\\\\", "\0").replace("\\n", "\n").replace("\0", "\\")


def parts(count, size):
    return "".join(str(number).ljust(size, ".")[:size] for number in range(count))


class Client:
    """Sends one request, on a connection that is kept now and then."""

    def __init__(self, port, request):
        self.port, self.request = port, request
        self.connection = None

    async def open(self, receive_buffer=None):
        if self.connection is None:
            self.connection = await Connection.open(self.port, receive_buffer)
        return self.connection

    async def post(self, dialect, body, receive_buffer=None, path=None, **headers):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"content-type": "application/json", "x-session-id": self.request.session, **headers}
        connection = await self.open(receive_buffer)
        await connection.send("POST", path or dialect.path, headers, data)
        return connection

    async def ask(self, dialect, script, history=None, headers=(), pack=False, **more):
        """The answer to a script, which must be no error."""
        messages = [*(history or []), {"role": "user", "content": script}]
        body = json.dumps(dialect.body(messages, self.request.is_stream, **more)).encode()
        headers = dict(headers) | ({"content-encoding": "gzip"} if pack else {})
        connection = await self.post(dialect, gzip.compress(body, 1) if pack else body, **headers)
        return await self.answer(connection, dialect)

    async def answer(self, connection, dialect):
        answer = await dialect.answer(await connection.response(), self.request.is_stream)
        if answer.error is not None:
            raise Failed(f"{answer.status} {answer.error}")
        return answer

    def expects(self, dialect, answer, text, finish="stop", calls=()):
        if answer.text != text:
            raise Wrong(f"text {answer.text[-200:]!r} of {len(answer.text)}, expected {text[-200:]!r} of {len(text)}")
        if answer.calls != list(calls):
            raise Wrong(f"calls {answer.calls}, expected {calls}")
        if dialect.finishes.get(answer.finish) != finish:
            # A stop sequence is `stop` in OpenAI's and Ollama's APIs, calls are `completed` in Responses.
            if (answer.finish, finish) not in {("stop", "stop_sequence"), ("completed", "tool_calls")}:
                raise Wrong(f"finish {answer.finish}, expected {finish}")
        self.request.rows = {finish}
        self.request.outcome = "answered"

    async def refused(self, dialect, connection, status, row=None):
        """Reads an error that must have this status. `row`: its word in the usage database, if it has a row."""
        answer = await dialect.answer(await connection.response(), False)
        if answer.error is None:
            raise Wrong("it was answered")
        if answer.status != status and answer.status >= 500:
            raise Failed(f"{answer.status} {answer.error}")
        if answer.status != status:
            raise Wrong(f"status {answer.status}, expected {status}: {answer.error}")
        self.request.rows = {row} if row else set()
        self.request.outcome = "refused"

    def cancelled(self):
        self.connection.close()
        self.connection = None
        self.request.outcome = "cancelled"


# Every kind: `async def kind(client, dialect)`. It sets the outcome, or raises `Cut`, `Failed` or `Wrong`.


async def say(client, dialect):
    written, text = said()
    client.expects(dialect, await client.ask(dialect, f"say:{written}", pack=random.random() < 0.1), text)


async def burst(client, dialect):
    count, size = random.choice([(2_000, 5), (500, 100), (100, 3_000)])
    client.expects(dialect, await client.ask(dialect, f"parts:{count} {size}"), parts(count, size))


async def paced(client, dialect):
    count = random.randint(5, 40)
    text = "".join(f"p{number} " for number in range(count))
    client.expects(dialect, await client.ask(dialect, f"slow:{count} {random.randint(1, 60)}"), text)


async def stop_sequence(client, dialect):
    if isinstance(dialect, Responses):
        return await say(client, dialect)  # that API has none
    answer = await client.ask(dialect, "parts:300 4\nsay: STOP and more", stop="P and")
    client.expects(dialect, answer, parts(300, 4) + " STO", "stop_sequence")


async def limit(client, dialect):
    answer = await client.ask(dialect, "slow:400 1", limit=20)
    text = "".join(f"p{number} " for number in range(400))
    if not answer.text or not text.startswith(answer.text) or len(answer.text) > 100:
        raise Wrong(f"text {answer.text!r}")
    client.expects(dialect, answer, answer.text, "length")


async def call(client, dialect):
    if not dialect.takes_tools:
        return await say(client, dialect)
    given = {"a": random.randint(0, 99), "b": random.randint(0, 99)}
    script = f"say:Let me add.\ncall:test_add {json.dumps(given)}"
    answer = await client.ask(dialect, script, tools=[ADD])
    client.expects(dialect, answer, "Let me add.", "tool_calls", [("test_add", given)])


async def auto(client, dialect):
    if not dialect.takes_tools:
        return await say(client, dialect)
    a, b = random.randint(0, 99), random.randint(0, 99)
    script = f'call:test_add {{"a": {a}, "b": {b}}}\nthen:\ncall:test_add {{"a": 1, "b": 2}}'
    answer = await client.ask(dialect, script, use_vscode_tools=True, tool_execution="auto")
    if answer.text.startswith("tool said: [The tool failed.]"):
        raise Failed(answer.text)
    client.expects(dialect, answer, "tool said: 3")


async def big_body(client, dialect):
    size = random.choice([200_000, 1_000_000, 1_000_000, 9_000_000])
    filler = "All work and no play makes a long history. " * (size // 43)
    history = [{"role": "user", "content": filler}, {"role": "assistant", "content": "I see."}]
    client.expects(dialect, await client.ask(dialect, "say:Short answer.", history), "Short answer.")


async def slow_reader(client, dialect):
    """Takes megabytes in small bites: its model must pause, and nothing may be lost."""
    client.request.is_stream = True
    body = dialect.body([{"role": "user", "content": "parts:4000 256"}], True)
    connection = await client.post(dialect, body, receive_buffer=16 * 1024)
    response = await connection.response()
    chunks, seen = response.chunks, 0

    async def slowly():
        nonlocal seen
        async for chunk in chunks():
            if seen // 300_000 != (seen + len(chunk)) // 300_000:
                await asyncio.sleep(0.2)
            seen += len(chunk)
            yield chunk

    response.chunks = slowly
    answer = await dialect.answer(response, True)
    if answer.error is not None:
        raise Failed(f"{answer.status} {answer.error}")
    client.expects(dialect, answer, parts(4000, 256))


async def deaf(client, dialect):
    """Reads nothing of ten megabytes, then closes."""
    client.request.is_stream = True
    body = dialect.body([{"role": "user", "content": "parts:10000 1000"}], True)
    await client.post(dialect, body, receive_buffer=16 * 1024)
    await asyncio.sleep(random.uniform(0.5, 3))
    client.cancelled()


async def hang_up(client, dialect):
    """Leaves after the first piece of a stream, or while a whole response is being made."""
    script = random.choice(["say:first\nhang:", "slow:500 10", "hang:"])
    body = dialect.body([{"role": "user", "content": script}], client.request.is_stream)
    connection = await client.post(dialect, body)
    if client.request.is_stream and script != "hang:":
        response = await connection.response()
        if response.status != 200:
            return await raise_error(dialect, response)
        async for _ in response.chunks():
            break
    else:
        client.request.may_lack_row = True
        await asyncio.sleep(random.uniform(0.05, 0.5))
    client.cancelled()


async def raise_error(dialect, response):
    answer = await dialect.answer(response, False)
    raise Failed(f"{answer.status} {answer.error}")


async def hang_up_at_once(client, dialect):
    """Leaves as soon as the request is sent."""
    client.request.may_lack_row = True
    body = dialect.body([{"role": "user", "content": "hang:"}], client.request.is_stream)
    await client.post(dialect, body)
    client.cancelled()


async def hang_up_in_tool(client, dialect):
    if not dialect.takes_tools:
        return await hang_up(client, dialect)
    body = dialect.body(
        [{"role": "user", "content": "call:test_hang {}"}], client.request.is_stream, use_vscode_tools=True, tool_execution="auto"
    )
    client.request.may_lack_row = True
    await client.post(dialect, body)
    await asyncio.sleep(random.uniform(0.1, 0.5))
    client.cancelled()


async def provider_fails(client, dialect):
    """An error of the provider, before the first part or after it."""
    begun = random.random() < 0.5
    script = ("say:so far\nwait:20\n" if begun else "") + "fail:SomeError it broke on request"
    body = dialect.body([{"role": "user", "content": script}], client.request.is_stream)
    connection = await client.post(dialect, body)
    answer = await dialect.answer(await connection.response(), client.request.is_stream)
    if answer.error is None:
        raise Wrong(f"it was answered: {answer.text!r}")
    if "it broke on request" not in answer.error:
        raise Failed(f"{answer.status} {answer.error}")
    if client.request.is_stream and begun != (answer.status == 200):
        raise Wrong(f"status {answer.status} of a stream that had {'begun' if begun else 'not begun'}")
    client.request.rows = {"provider"}
    client.request.outcome = "refused"


async def bad_request(client, dialect):
    good = dialect.body([{"role": "user", "content": "say:no"}], False)
    kind = random.randrange(6)
    if kind == 0:
        connection = await client.post(dialect, b'{"model": "scripted-1", "mess')
        await client.refused(dialect, connection, 400, "invalid_request")
    elif kind == 1:
        connection = await client.post(dialect, good | {"stream": "perhaps"})
        await client.refused(dialect, connection, 400, "invalid_request")
    elif kind == 2:
        connection = await client.post(dialect, b'{"a":' * 5_000)
        await client.refused(dialect, connection, 400, "invalid_request")
    elif kind == 3:
        connection = await client.post(dialect, b"[" + b"0," * 6_000_000 + b"0]")
        await client.refused(dialect, connection, 413, "body_too_large")
    elif kind == 4:
        connection = await client.open()
        await connection.send("GET", dialect.path, {})
        await client.refused(dialect, connection, 405)
    else:
        connection = await client.post(dialect, good, path=dialect.path + "/no/where")
        await client.refused(dialect, connection, 404)


async def unknown_model(client, dialect):
    if isinstance(dialect, Messages):
        return await say(client, dialect)  # there the nearest model answers
    body = dialect.body([{"role": "user", "content": "say:no"}], False) | {"model": "text-embedding-3"}
    await client.refused(dialect, await client.post(dialect, body), 404, "unknown_model")


async def too_long(client, dialect):
    body = dialect.body([{"role": "user", "content": "word " * 3_000}], False) | {"model": "scripted-mini"}
    await client.refused(dialect, await client.post(dialect, body), 400, "too_long")


async def choices(client, dialect):
    if not isinstance(dialect, Chat):
        return await say(client, dialect)
    client.request.is_stream = False
    body = dialect.body([{"role": "user", "content": "say:one of three"}], False, n=3)
    response = await (await client.post(dialect, body)).response()
    if response.status != 200:
        return await raise_error(dialect, response)
    found = [choice.get("text") or choice["message"]["content"] for choice in (await response.json())["choices"]]
    if found != ["one of three"] * 3:
        raise Wrong(f"choices {found}")
    client.request.rows = {"stop"}
    client.request.outcome = "answered"


async def look(client, _dialect):
    """The endpoints that run no model."""
    connection = await client.open()
    path = random.choice(["/health", "/metrics", "/v1/models", "/v1/tools", "/api/tags", "/v1/usage", "/"])
    await connection.send("GET", path, {})
    response = await connection.response()
    body = await response.body()
    if response.status != 200:
        raise Failed(f"{response.status} {body[:200]!r}")
    client.request.outcome = "answered"


#: How often each kind comes.
KINDS = {
    say: 20,
    burst: 8,
    paced: 12,
    stop_sequence: 5,
    limit: 5,
    call: 8,
    auto: 6,
    big_body: 2,
    slow_reader: 2,
    deaf: 1,
    hang_up: 8,
    hang_up_at_once: 3,
    hang_up_in_tool: 2,
    provider_fails: 4,
    bad_request: 6,
    unknown_model: 2,
    too_long: 2,
    choices: 2,
    look: 4,
}


async def run(port, request, kept=None):
    """Runs one request of a random kind; `kept` is a connection to send it on. Returns the connection if it can be kept."""
    kind = random.choices(list(KINDS), KINDS.values())[0]
    dialect = random.choice(DIALECTS)
    request.kind, request.dialect = kind.__name__, dialect.name if kind is not look else ""
    request.is_stream = random.random() < 0.6
    client = Client(port, request)
    if kind not in (slow_reader, deaf):
        client.connection = kept
    elif kept:
        kept.close()
    try:
        await asyncio.wait_for(kind(client, dialect), 120)
    except Cut as error:
        request.outcome, request.detail = "cut", f"the connection ended: {error}"
    except Failed as error:
        request.outcome, request.detail = "failed", str(error)
    except TimeoutError:
        request.outcome, request.detail = "wrong", "it hangs"
    except (Wrong, KeyError, IndexError, TypeError, AttributeError, ValueError) as error:
        request.outcome, request.detail = "wrong", f"{type(error).__name__}: {error}"
    if client.connection and (request.outcome not in ("answered", "refused") or kind in (slow_reader, bad_request)):
        client.connection.close()
        return None
    return client.connection
