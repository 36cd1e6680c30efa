"""A server whose user has a key: the SDKs' errors, and the headers in which they send it."""

import time

import anthropic
import httpx
import openai
import pytest

from demo import Demo
from editor import Editor

KEY = "the key that was set"
MESSAGES = [{"role": "user", "content": "say:hi"}]


@pytest.fixture(scope="module")
def locked():
    with Demo() as demo, Editor(demo.directory, keys={"mine": KEY}):
        deadline = time.monotonic() + 10
        while httpx.get(f"{demo.url}/v1/models").status_code != 401:
            assert time.monotonic() < deadline, "the key was never wanted"
        yield demo


def test_openai_sdk_raises_authentication_error_for_a_wrong_key(locked):
    client = openai.OpenAI(base_url=f"{locked.url}/v1", api_key="another", max_retries=0)

    for ask in (client.models.list, lambda: client.chat.completions.create(model="scripted-1", messages=MESSAGES, stream=True)):
        with pytest.raises(openai.AuthenticationError) as refused:
            ask()
        assert refused.value.code == "invalid_api_key"


def test_anthropic_sdk_raises_authentication_error_for_a_wrong_key(locked):
    client = anthropic.Anthropic(base_url=locked.url, api_key="another", max_retries=0)

    for ask in (client.models.list, lambda: client.messages.create(model="scripted-1", max_tokens=9, messages=MESSAGES)):
        with pytest.raises(anthropic.AuthenticationError) as refused:
            ask()
        assert refused.value.body["error"]["type"] == "authentication_error"


def test_right_key_is_accepted(locked):
    completion = openai.OpenAI(base_url=f"{locked.url}/v1", api_key=KEY).chat.completions.create(
        model="scripted-1", messages=MESSAGES
    )
    message = anthropic.Anthropic(base_url=locked.url, api_key=KEY).messages.create(
        model="scripted-1", max_tokens=9, messages=MESSAGES
    )
    counted = httpx.post(
        f"{locked.url}/v1/messages/count_tokens",
        json={"model": "scripted-1", "messages": MESSAGES},
        headers={"x-api-key": KEY, "anthropic-version": "2023-06-01"},
    )

    assert (completion.choices[0].message.content, message.content[0].text) == ("hi", "hi")
    assert counted.status_code == 200
