"""Tool loops of the official SDKs on each kind of model that Copilot has.

The simulated editor enforces the rules of the service behind each model: `auto` needs text in every user message, a
Claude-like model gets no tool choice and refuses foreign ids, and GPT-like models of the Responses API and of chat
completions refuse different requests.
"""

import json

import anthropic
import openai
import pytest

from demo import Demo
from weather import weather_tool

MODELS = ["auto", "claude-sonnet-4", "gpt-5-mini", "gpt-4o", "scripted-1"]
SCRIPT = 'call:get_weather {"town":"Ulm"}\nthen:\ncall:get_weather {"town":"Bonn"}\nthen:\nsay:Sunny in both.'
SCHEMA = {"type": "object", "properties": {"town": {"type": "string"}}, "required": ["town"]}


@pytest.fixture(scope="module")
def url():
    with Demo() as demo:
        yield demo.url


@pytest.mark.parametrize("model", MODELS)
def test_anthropic_tool_runner(url, model):
    towns = []
    client = anthropic.Anthropic(base_url=url, api_key="x", max_retries=0)
    runner = client.beta.messages.tool_runner(
        model=model, max_tokens=999, messages=[{"role": "user", "content": SCRIPT}], tools=[weather_tool(towns)]
    )
    message = runner.until_done()
    assert (towns, message.content[0].text) == (["Ulm", "Bonn"], "Sunny in both.")


@pytest.mark.parametrize("choice", ["auto", "required"])
@pytest.mark.parametrize("model", MODELS)
def test_openai_chat_loop(url, model, choice):
    client = openai.OpenAI(base_url=f"{url}/v1", api_key="x", max_retries=0)
    tools = [{"type": "function", "function": {"name": "get_weather", "parameters": SCHEMA}}]
    messages, towns = [{"role": "user", "content": SCRIPT}], []
    while True:
        # With a required call, only the last turn may have text.
        wanted = choice if len(towns) < 2 else "auto"
        answer = client.chat.completions.create(model=model, messages=messages, tools=tools, tool_choice=wanted)
        message = answer.choices[0].message
        if not message.tool_calls:
            break
        messages.append(message)
        for call in message.tool_calls:
            towns.append(json.loads(call.function.arguments)["town"])
            messages.append({"role": "tool", "tool_call_id": call.id, "content": "sunny"})
    assert (towns, message.content) == (["Ulm", "Bonn"], "Sunny in both.")


@pytest.mark.parametrize("model", MODELS)
def test_openai_responses_loop(url, model):
    client = openai.OpenAI(base_url=f"{url}/v1", api_key="x", max_retries=0)
    tools = [{"type": "function", "name": "get_weather", "parameters": SCHEMA, "strict": False}]
    items, towns = [{"role": "user", "content": SCRIPT}], []
    while True:
        response = client.responses.create(model=model, input=items, tools=tools)
        calls = [item for item in response.output if item.type == "function_call"]
        if not calls:
            break
        items += response.output
        for call in calls:
            towns.append(json.loads(call.arguments)["town"])
            items.append({"type": "function_call_output", "call_id": call.call_id, "output": "sunny"})
    assert (towns, response.output_text) == (["Ulm", "Bonn"], "Sunny in both.")
