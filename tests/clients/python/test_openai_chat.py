"""The official openai SDK on chat completions: whole and streamed responses, models, and error classes."""

import asyncio
import json
import time

import openai
import pytest
from openai import AsyncOpenAI, OpenAI


@pytest.fixture(scope="module")
def client(demo):
    with OpenAI(base_url=f"{demo.url}/v1", api_key="unused", max_retries=0) as client:
        yield client


@pytest.fixture
async def async_client(demo):
    async with AsyncOpenAI(base_url=f"{demo.url}/v1", api_key="unused", max_retries=0) as client:
        yield client


def user(script: str) -> list[dict]:
    return [{"role": "user", "content": script}]


def test_whole_response(client):
    completion = client.chat.completions.create(model="scripted-1", messages=user("say:Hello from the demo."))

    [choice] = completion.choices
    assert (choice.message.role, choice.message.content, choice.finish_reason) == ("assistant", "Hello from the demo.", "stop")
    assert completion.model == "scripted-1"
    assert completion.object == "chat.completion"
    assert completion.usage.total_tokens == completion.usage.prompt_tokens + completion.usage.completion_tokens > 0


def test_streamed_response(client):
    chunks = list(client.chat.completions.create(model="scripted-1", messages=user("slow:3 50"), stream=True))

    assert [chunk.choices[0].delta.content for chunk in chunks if chunk.choices[0].delta.content] == ["p0 ", "p1 ", "p2 "]
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices[0].finish_reason] == ["stop"]
    assert len({(chunk.id, chunk.model) for chunk in chunks}) == 1


async def test_async_streamed_response(async_client):
    stream = await async_client.chat.completions.create(model="scripted-1", messages=user("parts:300 8"), stream=True)
    text = "".join([chunk.choices[0].delta.content or "" async for chunk in stream])

    assert text == "".join(str(part).ljust(8, ".") for part in range(300))


def test_stream_helper_collects_the_response(client):
    with client.chat.completions.stream(model="scripted-1", messages=user("say:piece by piece")) as stream:
        deltas = [event.delta for event in stream if event.type == "content.delta"]
        completion = stream.get_final_completion()

    assert "".join(deltas) == "piece by piece"
    assert completion.choices[0].message.content == "piece by piece"


def test_stream_has_usage_on_request(client):
    question = {"model": "scripted-usage", "messages": user("say:counted\nusage:11 7 3")}
    *_, last = client.chat.completions.create(**question, stream=True, stream_options={"include_usage": True})
    whole = client.chat.completions.create(**question)

    assert last.choices == []
    for usage in (last.usage, whole.usage):
        assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (11, 7, 18)
        assert usage.prompt_tokens_details.cached_tokens == 3


def test_text_of_every_script_arrives_unchanged(client):
    text = "Grüße 漢字 👩‍👩‍👧 \\\\ \"quoted\"\u2028separated\u0085next"
    completion = client.chat.completions.create(model="scripted-1", messages=user(f"say:{text}"))
    stream = client.chat.completions.create(model="scripted-1", messages=user(f"units:{text}"), stream=True)

    expected = text.replace("\\\\", "\\")
    assert completion.choices[0].message.content == expected
    assert "".join(chunk.choices[0].delta.content or "" for chunk in stream) == expected


def test_models_are_listed(client):
    models = {model.id: model for model in client.models.list()}

    assert {"scripted-1", "scripted-mini", "scripted-usage"} <= models.keys()
    assert {model.owned_by for model in models.values()} == {"demo"}


def test_model_is_retrieved_by_its_id(client):
    model = client.models.retrieve("scripted-mini")

    assert (model.id, model.object, model.owned_by) == ("scripted-mini", "model", "demo")


def test_model_is_found_by_an_informal_name(client):
    completion = client.chat.completions.create(model="claude-sonnet-4-20250514", messages=user("say:hi"))

    assert completion.model == "claude-sonnet-4"


def test_unknown_model_is_not_found(client):
    with pytest.raises(openai.NotFoundError) as unknown:
        client.chat.completions.create(model="no-such-thing", messages=user("say:hi"))

    assert unknown.value.code == "model_not_found"
    assert "scripted-1" in unknown.value.message
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("no-such-thing")


@pytest.mark.parametrize(
    ("messages", "place"),
    [
        ([], "messages"),
        ([{"role": "user", "content": [{"type": "txt", "text": "hi"}]}], "messages[0].content[0]"),
        ([{"role": "user", "content": "hi"}, {"role": "wizard", "content": "hi"}], "messages[1].role"),
        ([{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "http://127.0.0.1:9/a.png"}}]}], "messages[0]"),
    ],
)
def test_invalid_request_names_the_field(client, messages, place):
    with pytest.raises(openai.BadRequestError) as bad:
        client.chat.completions.create(model="scripted-1", messages=messages)

    assert bad.value.type == "invalid_request_error"
    assert place in bad.value.message


@pytest.mark.parametrize(
    ("failure", "error", "code"),
    [
        ("ChatRateLimited slow down", openai.RateLimitError, "rate_limit_exceeded"),
        ("ChatQuotaExceeded all used up", openai.RateLimitError, "insufficient_quota"),
        ("NoPermissions not allowed", openai.PermissionDeniedError, None),
        ("Error Message exceeds token limit.", openai.BadRequestError, "context_length_exceeded"),
        ("Error Server error: 500", openai.InternalServerError, None),
        ("Error boom", openai.InternalServerError, None),
    ],
)
def test_model_failure_has_its_error_class(client, failure, error, code):
    with pytest.raises(error) as failed:
        client.chat.completions.create(model="scripted-1", messages=user(f"fail:{failure}"))

    assert code in (None, failed.value.code)


def test_rate_limit_has_retry_after_and_exceeded_quota_has_not(client):
    with pytest.raises(openai.RateLimitError) as limited:
        client.chat.completions.create(model="scripted-1", messages=user("fail:ChatRateLimited slow down"))
    with pytest.raises(openai.RateLimitError) as spent:
        client.chat.completions.create(model="scripted-1", messages=user("fail:ChatQuotaExceeded all used up"))

    assert int(limited.value.response.headers["retry-after"]) >= 1
    assert spent.value.response.headers["x-should-retry"] == "false"


def test_failure_in_mid_stream_is_raised_after_the_parts(client):
    heard = []
    with pytest.raises(openai.APIError) as failed:
        for chunk in client.chat.completions.create(
            model="scripted-1", messages=user("say:half a\nfail:Error the model broke off"), stream=True
        ):
            heard.append(chunk.choices[0].delta.content or "")
            assert chunk.choices[0].finish_reason is None

    assert "".join(heard) == "half a"
    assert "the model broke off" in failed.value.message


def test_failure_before_the_first_part_is_a_status_when_streaming(client):
    with pytest.raises(openai.RateLimitError):
        client.chat.completions.create(model="scripted-1", messages=user("fail:ChatRateLimited no"), stream=True)


def test_every_response_has_its_own_request_id(client):
    answers = [client.chat.completions.with_raw_response.create(model="scripted-1", messages=user("say:x")) for _ in range(3)]

    ids = {answer.headers["x-request-id"] for answer in answers}
    assert len(ids) == 3
    assert {answer.parse()._request_id for answer in answers} == ids
    with pytest.raises(openai.NotFoundError) as unknown:
        client.models.retrieve("no-such-thing")
    assert unknown.value.request_id


async def test_concurrent_responses_do_not_mix(async_client):
    async def ask(number: int) -> str:
        script = "\n".join(f"say:{number}-{part} " for part in range(20))
        stream = await async_client.chat.completions.create(model="scripted-1", messages=user(script), stream=True)
        return "".join([chunk.choices[0].delta.content or "" async for chunk in stream])

    answers = await asyncio.gather(*(ask(number) for number in range(50)))

    assert answers == ["".join(f"{number}-{part} " for part in range(20)) for number in range(50)]


def test_client_disconnect_cancels_the_model(client):
    stream = client.chat.completions.create(model="scripted-1", messages=user("say:here\nhang:"), stream=True)
    next(stream)
    before = stats(client)
    stream.close()

    assert before["active"] >= 1
    wait_until(lambda: stats(client)["cancelled"] == before["cancelled"] + 1)


def stats(client: OpenAI) -> dict:
    completion = client.chat.completions.create(model="scripted-1", messages=user("stats:"))
    return json.loads(completion.choices[0].message.content)


def wait_until(true) -> None:
    deadline = time.monotonic() + 10
    while not true():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.02)


def test_web_search_and_its_annotations(client):
    script = 'call:web_search {"query":"ferris"}\nthen:\nsay:It is [a crab](https://example.com/about).'
    messages = [{"role": "user", "content": script}]
    completion = client.chat.completions.create(model="scripted-1", messages=messages, web_search_options={})

    message = completion.choices[0].message
    [annotation] = message.annotations
    link = annotation.url_citation
    assert (annotation.type, link.url, link.title) == ("url_citation", "https://example.com/about", "About ferris")
    assert message.content[link.start_index : link.end_index] == "[a crab](https://example.com/about)"
