"""LangChain by its two packages, in three dialects: invoke, stream, tools, structured output."""

import pytest
from langchain.agents import create_agent
from langchain_anthropic import ChatAnthropic
from langchain_core.messages import AIMessageChunk, HumanMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from pydantic import BaseModel

KINDS = ["openai chat", "openai responses", "anthropic"]


@pytest.fixture(params=KINDS)
def model(demo, request):
    if request.param == "anthropic":
        return ChatAnthropic(model="scripted-1", base_url=demo.url, api_key="unused", max_retries=0, max_tokens=1000)
    return ChatOpenAI(
        model="scripted-1",
        base_url=f"{demo.url}/v1",
        api_key="unused",
        max_retries=0,
        use_responses_api=request.param == "openai responses",
    )


@tool
def get_weather(town: str) -> str:
    """The weather in a town."""
    return f"sunny in {town}"


class Person(BaseModel):
    """A person."""

    name: str
    age: int


def test_whole_response(model):
    answer = model.invoke("say:Hello from the demo.")

    assert answer.text == "Hello from the demo."
    assert answer.usage_metadata["total_tokens"] > 0


def test_streamed_response(model):
    chunks = list(model.stream("slow:3 50"))

    assert [chunk.text for chunk in chunks if chunk.text] == ["p0 ", "p1 ", "p2 "]


async def test_async_streamed_response(model):
    text = "".join([chunk.text async for chunk in model.astream("parts:300 8")])

    assert text == "".join(str(part).ljust(8, ".") for part in range(300))


@pytest.mark.turn
def test_turn_with_a_call_and_its_result(model):
    bound = model.bind_tools([get_weather])
    question = HumanMessage('say:Look.\ncall:get_weather {"town":"Ulm"}\ncall:get_weather {"town":"Bonn"}\nthen:\nsay:Sunny.')
    asked = bound.invoke([question])
    assert [call["args"] for call in asked.tool_calls] == [{"town": "Ulm"}, {"town": "Bonn"}]

    results = [ToolMessage(get_weather.invoke(call["args"]), tool_call_id=call["id"]) for call in asked.tool_calls]
    assert bound.invoke([question, asked, *results]).text == "Sunny."


def test_calls_are_streamed(model):
    whole = AIMessageChunk("")
    for chunk in model.bind_tools([get_weather]).stream('call:get_weather {"town":"Ulm"}'):
        whole += chunk

    assert [(call["name"], call["args"]) for call in whole.tool_calls] == [("get_weather", {"town": "Ulm"})]


@pytest.mark.turn
def test_agent_takes_turns_until_its_answer(model):
    agent = create_agent(model, [get_weather])
    script = 'call:get_weather {"town":"Ulm"}\nthen:\ncall:get_weather {"town":"Bonn"}\nthen:\nsay:Sunny in both.'
    messages = agent.invoke({"messages": [HumanMessage(script)]})["messages"]

    assert [message.type for message in messages] == ["human", "ai", "tool", "ai", "tool", "ai"]
    assert messages[-1].text == "Sunny in both."


def test_structured_output_by_a_required_tool(model):
    asked = model.with_structured_output(Person, method="function_calling")

    assert asked.invoke('call:Person {"name":"Ada","age":36}') == Person(name="Ada", age=36)


def test_structured_output_by_a_schema(model):
    # Anthropic's API has no field for a schema's name.
    name = "answer" if isinstance(model, ChatAnthropic) else "Person"
    asked = model.with_structured_output(Person, method="json_schema")

    assert asked.invoke(f'call:{name} {{"name":"Ada","age":36}}') == Person(name="Ada", age=36)
