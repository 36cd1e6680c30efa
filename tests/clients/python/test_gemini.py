"""The official google-genai SDK: content, streams, chats, functions, schemas, tokens, models and errors; and LangChain on
top of it."""

import base64
import json

import pytest
from google import genai
from google.genai import errors, types
from langchain_core.messages import HumanMessage, ToolMessage
from langchain_google_genai import ChatGoogleGenerativeAI
from pydantic import BaseModel

# One pixel.
PIXEL = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")
MODEL = "scripted-1"


class Person(BaseModel):
    """A person."""

    name: str
    age: int


def get_weather(town: str) -> str:
    """The weather in a town.

    Args:
      town: the town
    """
    return f"sunny in {town}"


@pytest.fixture(scope="module")
def client(demo):
    return genai.Client(api_key="unused", http_options=types.HttpOptions(base_url=demo.url))


@pytest.fixture
def langchain(demo):
    return ChatGoogleGenerativeAI(model=MODEL, api_key="unused", base_url=demo.url, max_retries=1)


def config(**fields) -> types.GenerateContentConfig:
    return types.GenerateContentConfig(**fields)


def test_whole_response(client):
    answer = client.models.generate_content(
        model=MODEL,
        contents="think:Hm.\nsay:Hello from the demo.",
        config=config(thinking_config=types.ThinkingConfig(include_thoughts=True)),
    )

    assert (answer.text, answer.model_version) == ("Hello from the demo.", MODEL)
    assert [part.text for part in answer.parts if part.thought] == ["Hm."]
    assert answer.candidates[0].finish_reason == types.FinishReason.STOP
    usage = answer.usage_metadata
    assert usage.prompt_token_count > 0 and usage.candidates_token_count > 0
    counted = usage.prompt_token_count + usage.candidates_token_count + (usage.thoughts_token_count or 0)
    assert usage.total_token_count == counted


def test_streamed_response(client):
    *parts, last = client.models.generate_content_stream(model=MODEL, contents="slow:3 50")

    assert "".join(part.text for part in parts) == "p0 p1 p2 "
    assert (last.text, last.candidates[0].finish_reason) == ("", types.FinishReason.STOP)
    assert last.usage_metadata.total_token_count > 0


async def test_async_streamed_response(client):
    stream = await client.aio.models.generate_content_stream(model=MODEL, contents="parts:300 8")
    text = "".join([part.text async for part in stream])

    assert text == "".join(str(part).ljust(8, ".") for part in range(300))


def test_line_separators_do_not_split_a_response(client):
    text = 'Grüße 漢字 👩‍👩‍👧 "quoted"\u2028separated\u0085next'
    parts = client.models.generate_content_stream(model=MODEL, contents=f"units:{text}")

    assert "".join(part.text for part in parts) == text


@pytest.mark.turn
def test_turn_with_functions_that_the_sdk_calls(client):
    script = 'call:get_weather {"town":"Ulm"}\ncall:get_weather {"town":"Bonn"}\nthen:\nsay:Sunny.'
    answer = client.models.generate_content(model=MODEL, contents=script, config=config(tools=[get_weather]))

    assert answer.text == "Sunny."
    results = answer.automatic_function_calling_history[-1].parts
    assert [part.function_response.response for part in results] == [
        {"result": "sunny in Ulm"},
        {"result": "sunny in Bonn"},
    ]


@pytest.mark.turn
def test_turn_of_a_streamed_chat(client):
    chat = client.chats.create(model=MODEL, config=config(tools=[get_weather]))
    script = 'think:Hm.\nsay:Look.\ncall:get_weather {"town":"Ulm"}\nthen:\nsay:Sunny.'
    text = "".join(part.text or "" for part in chat.send_message_stream(script))

    assert text == "Look.Sunny."
    assert "".join(part.text or "" for part in chat.send_message_stream("say:Again.")) == "Again."


@pytest.mark.turn
def test_turn_with_a_declared_function(client):
    schema = {"type": "object", "properties": {"town": {"type": "string"}}}
    function = types.FunctionDeclaration(name="get_weather", parameters_json_schema=schema)
    choice = types.FunctionCallingConfig(mode="ANY", allowed_function_names=["get_weather"])
    forced = config(
        tools=[types.Tool(function_declarations=[function])],
        tool_config=types.ToolConfig(function_calling_config=choice),
    )
    script = 'call:get_weather {"town":"Ulm"}\nthen:\nsay:Sunny.'
    user = types.Content(role="user", parts=[types.Part(text=script)])
    answer = client.models.generate_content(model=MODEL, contents=[user], config=forced)
    [call] = answer.function_calls
    assert (call.name, call.args) == ("get_weather", {"town": "Ulm"})

    result = types.Part.from_function_response(name=call.name, response={"output": "sunny"})
    result.function_response.id = call.id
    history = [user, answer.candidates[0].content, types.Content(role="user", parts=[result])]
    free = config(tools=forced.tools)
    assert client.models.generate_content(model=MODEL, contents=history, config=free).text == "Sunny."


def test_image_reaches_the_model(client):
    # Bytes that differ in the two alphabets of base64.
    image = PIXEL + b"\xff\xfe\xfb\xef\xbe"
    answer = client.models.generate_content(
        model=MODEL, contents=["dump:", types.Part.from_bytes(data=image, mime_type="image/png")]
    )

    assert f'"mime":"image/png","bytes":{len(image)}' in answer.text.replace(" ", "")


@pytest.mark.parametrize("schema", [{"response_schema": Person}, {"response_json_schema": Person.model_json_schema()}])
def test_output_fits_its_schema(client, schema):
    answer = client.models.generate_content(
        model=MODEL,
        contents='call:answer {"name":"Ada","age":36}',
        config=config(response_mime_type="application/json", **schema),
    )

    assert json.loads(answer.text) == {"name": "Ada", "age": 36}
    if "response_schema" in schema:
        assert answer.parsed == Person(name="Ada", age=36)


def test_limit_stop_and_candidates(client):
    def generate(contents: str, **fields):
        return client.models.generate_content(model=MODEL, contents=contents, config=config(**fields))

    limited = generate("say:one two three four", max_output_tokens=2)
    assert (limited.text, limited.candidates[0].finish_reason) == ("one two", types.FinishReason.MAX_TOKENS)
    assert generate("say:one two", stop_sequences=["tw"]).text == "one "
    assert [choice.index for choice in generate("say:a", candidate_count=2).candidates] == [0, 1]


def test_tools_of_the_editor_run(client):
    extra = {"use_vscode_tools": True, "tool_execution": "auto"}
    answer = client.models.generate_content(
        model=MODEL,
        contents="call:get_time\nthen:\nsay:Done.",
        config=config(http_options=types.HttpOptions(extra_body=extra)),
    )

    assert answer.text == "Done."


def test_tokens_are_counted(client):
    assert client.models.count_tokens(model=MODEL, contents="one two three").total_tokens > 3


def test_models_are_listed_in_pages(client):
    names = [model.name for model in client.models.list(config={"page_size": 2})]
    assert {f"models/{name}" for name in ("scripted-1", "scripted-mini", "gpt-4o")} <= set(names)
    assert len(names) == len(set(names))
    model = client.models.get(model="gpt-4o")
    assert model.name == "models/gpt-4o" and model.input_token_limit > 0
    assert "generateContent" in model.supported_actions


@pytest.mark.parametrize(
    ("script", "code", "status", "message"),
    [
        ("fail:ChatQuotaExceeded used up", 429, "RESOURCE_EXHAUSTED", "used up"),
        ("fail:ChatRateLimited slow", 429, "RESOURCE_EXHAUSTED", "slow"),
    ],
)
def test_failures_have_code_status_and_message(client, script, code, status, message):
    for call in (client.models.generate_content, lambda **sent: list(client.models.generate_content_stream(**sent))):
        with pytest.raises(errors.ClientError) as raised:
            call(model=MODEL, contents=script)
        assert (raised.value.code, raised.value.status) == (code, status)
        assert message in raised.value.message


def test_filtered_prompt_has_a_block_reason(client):
    script = "fail:Error Filtered by Responsible AI Service"
    whole = client.models.generate_content(model=MODEL, contents=script)
    [streamed] = client.models.generate_content_stream(model=MODEL, contents=script)
    for answer in (whole, streamed):
        assert answer.prompt_feedback.block_reason == types.BlockedReason.SAFETY
        assert not answer.candidates


def test_unknown_model_is_not_found(client):
    with pytest.raises(errors.ClientError) as raised:
        client.models.generate_content(model="none", contents="say:a")
    assert (raised.value.code, raised.value.status) == (404, "NOT_FOUND")
    assert MODEL in raised.value.message


def test_failure_in_mid_stream_is_raised_after_the_parts(client):
    stream = client.models.generate_content_stream(model=MODEL, contents="say:half a\nwait:50\nfail:Error broke off")
    text = next(stream).text
    with pytest.raises(errors.APIError, match="broke off"):
        list(stream)
    assert text == "half a"


def test_langchain_invokes_and_streams(langchain):
    assert langchain.invoke("say:Hello.").content == "Hello."
    assert "".join(part.text for part in langchain.stream("slow:3 50")) == "p0 p1 p2 "


@pytest.mark.turn
def test_turn_by_langchain(langchain):
    bound = langchain.bind_tools([get_weather])
    history = [HumanMessage('think:Hm.\ncall:get_weather {"town":"Ulm"}\nthen:\nsay:Sunny.')]
    asked = bound.invoke(history)
    [call] = asked.tool_calls
    assert (call["name"], call["args"]) == ("get_weather", {"town": "Ulm"})
    result = ToolMessage(get_weather(**call["args"]), tool_call_id=call["id"])
    assert bound.invoke([*history, asked, result]).content == "Sunny."


def test_langchain_parses_structured_output(langchain):
    structured = langchain.with_structured_output(Person)
    script = 'call:Person {"name":"Ada","age":36}\ncall:answer {"name":"Ada","age":36}'
    assert structured.invoke(script) == Person(name="Ada", age=36)


def test_google_search_and_its_grounding(client):
    script = 'call:web_search {"query":"ferris"}\nthen:\nsay:It is [a crab](https://example.com/about).'
    options = config(tools=[types.Tool(google_search=types.GoogleSearch())])
    answer = client.models.generate_content(model=MODEL, contents=script, config=options)

    grounding = answer.candidates[0].grounding_metadata
    assert grounding.web_search_queries == ["ferris"]
    assert (grounding.grounding_chunks[0].web.uri, grounding.grounding_chunks[0].web.title) == (
        "https://example.com/about",
        "About ferris",
    )
    [support] = grounding.grounding_supports
    assert support.grounding_chunk_indices == [0]
    cited = answer.text.encode()[support.segment.start_index : support.segment.end_index].decode()
    assert cited == support.segment.text == "[a crab](https://example.com/about)"
    chunks = list(client.models.generate_content_stream(model=MODEL, contents=script, config=options))
    assert chunks[-1].candidates[0].grounding_metadata == grounding


def test_url_context(client):
    script = 'call:web_fetch {"url":"https://example.com/about"}\nthen:\nsay:Read.'
    options = config(tools=[types.Tool(url_context=types.UrlContext())])
    answer = client.models.generate_content(model=MODEL, contents=script, config=options)
    [page] = answer.candidates[0].url_context_metadata.url_metadata
    assert (page.retrieved_url, page.url_retrieval_status) == (
        "https://example.com/about",
        types.UrlRetrievalStatus.URL_RETRIEVAL_STATUS_SUCCESS,
    )
