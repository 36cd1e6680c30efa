"""A plain HTTP client for tests that look at bytes: what was sent, what came, whether the vendor's
document agrees. Nothing here knows an SDK."""

from typing import Any

import httpx

import sse
from rules import chat, messages, responses

DOORS = {"/v1/chat/completions": chat, "/v1/messages": messages, "/v1/responses": responses}


def post(url: str, path: str, body: dict, **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.post(url + path, json=body, headers=named, timeout=60)


def ask(url: str, path: str, body: dict) -> dict:
    """A good answer, unstreamed, judged by the vendor's document and made plain."""
    response = post(url, path, body)
    assert response.status_code == 200, response.text
    return DOORS[path].whole(response.json())


def stream(url: str, path: str, body: dict) -> list[sse.Event]:
    response = post(url, path, {**body, "stream": True})
    assert response.status_code == 200, response.text
    assert response.headers["content-type"].startswith("text/event-stream"), response.headers
    return sse.read(response.content)


def ask_streamed(url: str, path: str, body: dict) -> dict:
    """The same by a stream, with the order of its events judged too."""
    return DOORS[path].check(stream(url, path, body))


def refused(url: str, path: str, body: Any, **headers: str) -> tuple[int, dict]:
    response = post(url, path, body, **headers)
    assert response.status_code >= 400, response.text
    return response.status_code, response.json()
