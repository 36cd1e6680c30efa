#!/usr/bin/env python3
"""Asks a model of your VS Code as a program should: streamed, with errors by kind, retries, and a fallback.

What may pass by itself (no connection, busy, server trouble) is tried again after 2, 4 and 8 seconds.
If it does not pass, or the quota is used up, the question goes to Anthropic's own API, provided there is a key for it.
Needs nothing but Python.

Usage: vscode_llm_example_full.py [QUESTION]

VSCODE_LLM_ENDPOINT   where to ask (http://127.0.0.1:8080/v1/chat/completions)
VSCODE_LLM_MODEL      which model (gpt-4o)
VSCODE_LLM_FALLBACK   false: never ask Anthropic (true)
ANTHROPIC_API_KEY     the key for the fallback; nothing else needs it
"""

import http.client
import json
import os
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator

ENDPOINT = os.environ.get("VSCODE_LLM_ENDPOINT", "http://127.0.0.1:8080/v1/chat/completions")
MODEL = os.environ.get("VSCODE_LLM_MODEL", "gpt-4o")
FALLBACK = os.environ.get("VSCODE_LLM_FALLBACK", "true").lower() not in ("false", "0", "no")
ANTHROPIC = os.environ.get("ANTHROPIC_BASE_URL", "https://api.anthropic.com")
ANTHROPIC_MODEL = "claude-sonnet-4-5"
SECONDS_BETWEEN_TRIES = [2, 4, 8]
# The longest silence to bear, not the longest answer: the server gives a sign of life every 10 seconds.
SECONDS_OF_SILENCE = 60


class LlmError(Exception):
    """No answer: the question itself, or the permission to ask it, has to change first."""


class TemporaryError(LlmError):
    """No answer now: the same question may well succeed a little later."""


class NotRunning(TemporaryError):
    """No server at the endpoint, or a broken connection: VS Code is closed, or the proxy was stopped."""


class Busy(TemporaryError):
    """Rate limited (429 that does not say that trying again is useless)."""


class ServerTrouble(TemporaryError):
    """Something failed on the way (5xx): no models yet, the editor went away, the service is down."""


class QuotaExceeded(LlmError):
    """The quota is used up; trying again only costs time."""


class UnknownModel(LlmError):
    """No model of that name; the message lists those there are."""


def stream(url: str, body: dict, headers: dict[str, str]) -> Iterator[dict]:
    """Posts the body and yields the events of the streamed answer."""
    headers = {"Content-Type": "application/json", **headers}
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)
    try:
        with urllib.request.urlopen(request, timeout=SECONDS_OF_SILENCE) as response:
            for line in response:
                data = line.removeprefix(b"data:").strip()
                if line.startswith(b"data:") and data != b"[DONE]":
                    yield checked(json.loads(data))
    except urllib.error.HTTPError as refusal:
        raise error_of(refusal) from None
    except (OSError, http.client.HTTPException) as problem:
        raise NotRunning(f"{url}: {problem}") from None


def checked(event: dict) -> dict:
    """A failure after the first words comes as an event of the stream."""
    if event.get("error"):
        raise ServerTrouble(event["error"]["message"])
    return event


def error_of(refusal: urllib.error.HTTPError) -> LlmError:
    try:
        message = json.load(refusal)["error"]["message"]
    except (ValueError, KeyError, TypeError):
        message = f"HTTP {refusal.code}"
    match refusal.code:
        case 404:
            return UnknownModel(message)
        case 429 if refusal.headers.get("x-should-retry") == "false":
            return QuotaExceeded(message)
        case 429:
            return Busy(message)
        case status if status >= 500:
            return ServerTrouble(message)
        case _:
            return LlmError(message)


def ask_vscode(question: str) -> Iterator[str]:
    body = {"model": MODEL, "stream": True, "messages": [{"role": "user", "content": question}]}
    for event in stream(ENDPOINT, body, {}):
        for choice in event["choices"]:
            yield choice["delta"].get("content") or ""


def ask_anthropic(question: str) -> Iterator[str]:
    body = {
        "model": ANTHROPIC_MODEL,
        "max_tokens": 4096,
        "stream": True,
        "messages": [{"role": "user", "content": question}],
    }
    headers = {"x-api-key": os.environ["ANTHROPIC_API_KEY"], "anthropic-version": "2023-06-01"}
    for event in stream(f"{ANTHROPIC}/v1/messages", body, headers):
        if event["type"] == "content_block_delta":
            yield event["delta"].get("text", "")


def with_retries(ask: Callable[[str], Iterator[str]], question: str) -> Iterator[str]:
    """Tries again only as long as nothing of the answer has been given away."""
    for wait in [*SECONDS_BETWEEN_TRIES, None]:
        begun = False
        try:
            for piece in ask(question):
                begun = begun or bool(piece)
                yield piece
            return
        except TemporaryError as error:
            if begun or wait is None:
                raise
            print(f"{type(error).__name__}: {error}; trying again in {wait} s", file=sys.stderr)
            time.sleep(wait)


def answer(question: str) -> Iterator[str]:
    begun = False
    try:
        for piece in with_retries(ask_vscode, question):
            begun = begun or bool(piece)
            yield piece
    except (TemporaryError, QuotaExceeded) as error:
        if begun or not FALLBACK or "ANTHROPIC_API_KEY" not in os.environ:
            raise
        print(f"{type(error).__name__}: {error}; asking Anthropic instead", file=sys.stderr)
        yield from with_retries(ask_anthropic, question)


def main() -> int:
    question = " ".join(sys.argv[1:]) or "Say hello in one sentence."
    try:
        for piece in answer(question):
            print(piece, end="", flush=True)
        print()
        return 0
    except LlmError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
