"""The dialects as a client without opinions speaks them: a request for a script; the text, calls and finish of a response."""

import json
from dataclasses import dataclass, field

from connection import Wrong

MODEL = "scripted-1"


@dataclass
class Answer:
    """A response that has ended properly: with its finish, or with an error in its dialect."""

    text: str = ""
    calls: list = field(default_factory=list)
    finish: str | None = None
    error: str | None = None
    status: int = 200


class Dialect:
    """Common parts of the APIs; `name` is the one in the log, the metrics and the usage database."""

    name = path = ""
    takes_tools = True
    #: Finishes by the word that the usage database has for them.
    finishes = {"stop": "stop", "length": "length", "tool_calls": "tool_calls"}

    def body(self, messages, stream, tools=(), limit=None, stop=None, **more):
        raise NotImplementedError

    def whole(self, data, answer):
        raise NotImplementedError

    async def stream(self, response, answer):
        raise NotImplementedError

    def error(self, data):
        """The message of an error body, which must have this API's form."""
        error = data.get("error")
        if not isinstance(error, dict) or not isinstance(error.get("message"), str) or "type" not in error:
            raise Wrong(f"not an error of {self.name}: {data}")
        return error["message"]

    async def answer(self, response, stream, progress=lambda: None):
        """Reads a response to its end. `progress` is called for each event of a stream."""
        answer = Answer(status=response.status)
        if response.status != 200:
            if response.headers.get("content-type") != "application/json":
                raise Wrong(f"an error of type {response.headers.get('content-type')}")
            answer.error = self.error(await response.json())
        elif stream:
            await self.stream(response, answer, progress)
        else:
            self.whole(await response.json(), answer)
        return answer


def function(tool):
    return {"type": "function", "function": tool}


class Chat(Dialect):
    name, path = "openai-chat", "/v1/chat/completions"

    def body(self, messages, stream, tools=(), limit=None, stop=None, **more):
        more |= {"tools": [function(tool) for tool in tools]} if tools else {}
        more |= {"max_tokens": limit} if limit else {}
        more |= {"stop": stop} if stop else {}
        return {"model": MODEL, "messages": messages, "stream": stream, **more}

    def whole(self, data, answer):
        choice = data["choices"][0]
        answer.text = choice["message"]["content"] or ""
        calls = choice["message"].get("tool_calls", [])
        answer.calls = [(call["function"]["name"], json.loads(call["function"]["arguments"])) for call in calls]
        answer.finish = choice["finish_reason"]

    async def stream(self, response, answer, progress):
        calls = {}
        async for choice in self.choices(response, answer, progress):
            answer.text += choice["delta"].get("content") or ""
            for call in choice["delta"].get("tool_calls", []):
                name, arguments = calls.setdefault(call["index"], ["", ""])
                given = call["function"]
                calls[call["index"]] = [name + given.get("name", ""), arguments + given.get("arguments", "")]
        answer.calls = [(name, json.loads(arguments)) for name, arguments in calls.values()]

    async def choices(self, response, answer, progress):
        """The choices of all chunks; checks that the stream has one end, and records how it ends."""
        is_done = False
        async for _, data in response.events():
            progress()
            if is_done or answer.error:
                raise Wrong(f"an event after the end: {data}")
            if data == b"[DONE]":
                is_done = True
            elif "error" in data:
                answer.error = self.error(data)
            else:
                for choice in data["choices"]:
                    yield choice
                    answer.finish = choice["finish_reason"] or answer.finish
        if answer.error is None and not (is_done and answer.finish):
            raise Wrong("the stream ends without [DONE]")


class Completions(Chat):
    name, path, takes_tools = "completions", "/v1/completions", False

    def body(self, messages, stream, tools=(), limit=None, stop=None, **more):
        body = super().body(messages, stream, tools, limit, stop, **more)
        body["prompt"] = "\n".join(message["content"] for message in body.pop("messages"))
        return body

    def whole(self, data, answer):
        answer.text, answer.finish = data["choices"][0]["text"], data["choices"][0]["finish_reason"]

    async def stream(self, response, answer, progress):
        async for choice in self.choices(response, answer, progress):
            answer.text += choice["text"]


class Messages(Dialect):
    name, path = "anthropic", "/v1/messages"
    finishes = {
        "end_turn": "stop",
        "max_tokens": "length",
        "tool_use": "tool_calls",
        "stop_sequence": "stop_sequence",
    }

    def body(self, messages, stream, tools=(), limit=None, stop=None, **more):
        if tools:
            more["tools"] = [
                {"name": tool["name"], "description": tool["description"], "input_schema": tool["parameters"]}
                for tool in tools
            ]
        more |= {"stop_sequences": [stop]} if stop else {}
        return {"model": MODEL, "messages": messages, "stream": stream, "max_tokens": limit or 1_000_000, **more}

    def error(self, data):
        if data.get("type") != "error":
            raise Wrong(f"not an error of {self.name}: {data}")
        return super().error(data)

    def whole(self, data, answer):
        for block in data["content"]:
            answer.text += block.get("text", "")
            if block["type"] == "tool_use":
                answer.calls.append((block["name"], block["input"]))
        answer.finish = data["stop_reason"]

    async def stream(self, response, answer, progress):
        is_done, inputs = False, {}
        async for name, data in response.events():
            progress()
            if name != data["type"]:
                raise Wrong(f"the event {name} of type {data['type']}")
            if is_done or answer.error:
                raise Wrong(f"an event after the end: {data}")
            if name == "error":
                answer.error = self.error(data)
            elif name == "content_block_start" and data["content_block"]["type"] == "tool_use":
                inputs[data["index"]] = [data["content_block"]["name"], ""]
            elif name == "content_block_delta":
                answer.text += data["delta"].get("text", "")
                if "partial_json" in data["delta"]:
                    inputs[data["index"]][1] += data["delta"]["partial_json"]
            elif name == "message_delta":
                answer.finish = data["delta"]["stop_reason"]
            elif name == "message_stop":
                is_done = True
        answer.calls = [(name, json.loads(given or "{}")) for name, given in inputs.values()]
        if answer.error is None and not (is_done and answer.finish):
            raise Wrong("the stream ends without message_stop")


class Responses(Dialect):
    name, path = "openai-responses", "/v1/responses"
    finishes = {"completed": "stop", "incomplete": "length"}

    def body(self, messages, stream, tools=(), limit=None, stop=None, **more):
        more |= {"tools": [{"type": "function", **tool} for tool in tools]} if tools else {}
        more |= {"max_output_tokens": limit} if limit else {}
        # Stored ones would be memory that grows up to its bound, and look like a leak.
        return {"model": MODEL, "input": messages, "stream": stream, "store": False, **more}

    def whole(self, data, answer):
        for item in data["output"]:
            answer.text += "".join(part.get("text", "") for part in item.get("content", []))
            if item["type"] == "function_call":
                answer.calls.append((item["name"], json.loads(item["arguments"])))
        answer.finish = data["status"]

    async def stream(self, response, answer, progress):
        deltas, last = "", None
        async for name, data in response.events():
            progress()
            if name != data["type"]:
                raise Wrong(f"the event {name} of type {data['type']}")
            if last:
                raise Wrong(f"an event after the end: {data}")
            if name == "response.output_text.delta":
                deltas += data["delta"]
            elif name in ("response.completed", "response.incomplete"):
                last = name
                self.whole(data["response"], answer)
            elif name == "response.failed":
                last = name
                answer.error = data["response"]["error"]["message"]
        if last is None:
            raise Wrong("the stream ends without its last event")
        if answer.error is None and answer.text != deltas:
            raise Wrong("the last event has another text than the stream")


class Ollama(Dialect):
    def error(self, data):
        if not isinstance(data.get("error"), str):
            raise Wrong(f"not an error of {self.name}: {data}")
        return data["error"]

    def options(self, limit, stop):
        options = ({"num_predict": limit} if limit else {}) | ({"stop": [stop]} if stop else {})
        return {"options": options} if options else {}

    def whole(self, data, answer):
        message = data.get("message", {})
        answer.text += data.get("response", message.get("content", ""))
        answer.calls += [
            (call["function"]["name"], call["function"]["arguments"]) for call in message.get("tool_calls", [])
        ]
        if data["done"]:
            # The API has no word of its own for calls.
            answer.finish = "tool_calls" if answer.calls else data["done_reason"]

    async def stream(self, response, answer, progress):
        async for line in response.lines():
            progress()
            if answer.finish or answer.error:
                raise Wrong(f"a line after the end: {line[:200]!r}")
            data = json.loads(line)
            if "error" in data:
                answer.error = self.error(data)
            else:
                self.whole(data, answer)
        if answer.error is None and answer.finish is None:
            raise Wrong("the stream ends without its last line")


class OllamaChat(Ollama):
    name, path = "ollama", "/api/chat"

    def body(self, messages, stream, tools=(), limit=None, stop=None, **more):
        more |= {"tools": [function(tool) for tool in tools]} if tools else {}
        return {"model": MODEL, "messages": messages, "stream": stream, **self.options(limit, stop), **more}


class OllamaGenerate(Ollama):
    name, path, takes_tools = "ollama", "/api/generate", False

    def body(self, messages, stream, tools=(), limit=None, stop=None, **more):
        prompt = "\n".join(message["content"] for message in messages)
        return {"model": MODEL, "prompt": prompt, "stream": stream, **self.options(limit, stop), **more}


DIALECTS = [Chat(), Completions(), Messages(), Responses(), OllamaChat(), OllamaGenerate()]
