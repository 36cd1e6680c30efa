"""A plain HTTP client, without an SDK, for tests that compare bodies and streams with the vendor's
document."""

from typing import Any

import httpx

import sse
from rules import chat, messages, responses

DOORS = {"/v1/chat/completions": chat, "/v1/messages": messages, "/v1/responses": responses}


def post(url: str, path: str, body: dict, **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.post(url + path, json=body, headers=named, timeout=60)


def ask(url: str, path: str, body: dict) -> dict:
    """Sends a request and returns the whole response in plain form, checked against the vendor's document."""
    response = post(url, path, body)
    assert response.status_code == 200, response.text
    return DOORS[path].whole(response.json())


def stream(url: str, path: str, body: dict) -> list[sse.Event]:
    response = post(url, path, {**body, "stream": True})
    assert response.status_code == 200, response.text
    assert response.headers["content-type"].startswith("text/event-stream"), response.headers
    return sse.read(response.content)


def ask_streamed(url: str, path: str, body: dict) -> dict:
    """Sends a streamed request and returns the same form, with the order of its events checked, too."""
    return DOORS[path].check(stream(url, path, body))


def refused(url: str, path: str, body: Any, **headers: str) -> tuple[int, dict]:
    response = post(url, path, body, **headers)
    assert response.status_code >= 400, response.text
    return response.status_code, response.json()
