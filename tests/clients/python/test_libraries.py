"""Libraries on top of the SDKs: pydantic-ai, OpenAI's Agents SDK, instructor and llm. Each gets typed output or runs
tools until the answer."""

import json
import os
import subprocess
import sys
from pathlib import Path

import agents
import instructor
import pytest
from agents.memory import OpenAIResponsesCompactionSession
from anthropic import Anthropic
from openai import AsyncOpenAI, OpenAI
from pydantic import BaseModel
from pydantic_ai import Agent, NativeOutput, PromptedOutput, ToolOutput
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from pydantic_ai.providers.anthropic import AnthropicProvider
from pydantic_ai.providers.openai import OpenAIProvider

ADA = '{"name":"Ada","age":36}'
TURN = 'call:get_weather {"town":"Ulm"}\nthen:\ncall:get_weather {"town":"Bonn"}\nthen:\nsay:Sunny in both.'


class Person(BaseModel):
    """A person."""

    name: str
    age: int


class TestPydanticAi:
    @pytest.fixture(params=["chat", "responses", "anthropic"])
    def model(self, demo, request):
        if request.param == "anthropic":
            # It knows the model's capabilities by its name.
            return AnthropicModel("claude-opus-4-6", provider=AnthropicProvider(base_url=demo.url, api_key="unused"))
        kind = OpenAIChatModel if request.param == "chat" else OpenAIResponsesModel
        return kind("scripted-1", provider=OpenAIProvider(base_url=f"{demo.url}/v1", api_key="unused"))

    @pytest.mark.turn
    async def test_agent_takes_turns_until_its_answer(self, model):
        towns = []
        agent = Agent(model, instructions="Be brief.")

        @agent.tool_plain
        def get_weather(town: str) -> str:
            towns.append(town)
            return "sunny"

        result = await agent.run(TURN)

        assert (towns, result.output) == (["Ulm", "Bonn"], "Sunny in both.")
        assert result.usage.output_tokens > 0

    async def test_streamed_response(self, model):
        async with Agent(model).run_stream("slow:3 50") as result:
            pieces = [piece async for piece in result.stream_text(delta=True, debounce_by=None)]

        assert "".join(pieces) == "p0 p1 p2 "

    @pytest.mark.parametrize(
        ("output", "script"),
        [
            (ToolOutput(Person, name="person"), f"call:person {ADA}"),
            (PromptedOutput(Person), f"say:{ADA}"),
        ],
        ids=["by a tool", "by asking"],
    )
    async def test_output_has_its_type(self, model, output, script):
        assert (await Agent(model, output_type=output).run(script)).output == Person(name="Ada", age=36)

    async def test_output_has_its_type_by_a_schema(self, model):
        # Anthropic's API has no field for a schema's name.
        name = "answer" if isinstance(model, AnthropicModel) else "Person"
        agent = Agent(model, output_type=NativeOutput(Person))

        assert (await agent.run(f"call:{name} {ADA}")).output == Person(name="Ada", age=36)


class TestAgentsSdk:
    @pytest.fixture(params=["chat", "responses"])
    def model(self, demo, request):
        agents.set_tracing_disabled(True)
        client = AsyncOpenAI(base_url=f"{demo.url}/v1", api_key="unused")
        kind = agents.OpenAIChatCompletionsModel if request.param == "chat" else agents.OpenAIResponsesModel
        return kind("scripted-1", client)

    @pytest.mark.turn
    async def test_agent_takes_turns_until_its_answer(self, model):
        towns = []

        @agents.function_tool
        def get_weather(town: str) -> str:
            towns.append(town)
            return "sunny"

        agent = agents.Agent(name="Meteorologist", instructions="Be brief.", model=model, tools=[get_weather])
        result = agents.Runner.run_streamed(agent, TURN)
        kinds = {event.type async for event in result.stream_events()}

        assert (towns, result.final_output) == (["Ulm", "Bonn"], "Sunny in both.")
        assert {"raw_response_event", "run_item_stream_event"} <= kinds

    async def test_agent_hands_over_to_another(self, model):
        second = agents.Agent(name="Second", model=model)
        first = agents.Agent(name="First", model=model, handoffs=[second])
        result = await agents.Runner.run(first, "call:transfer_to_second\nthen:\nsay:Here is the second.")

        assert (result.last_agent.name, result.final_output) == ("Second", "Here is the second.")

    async def test_compaction_session_keeps_user_messages_and_a_summary(self, demo):
        agents.set_tracing_disabled(True)
        client = AsyncOpenAI(base_url=f"{demo.url}/v1", api_key="unused")
        model = agents.OpenAIResponsesModel("gpt-4o", client)
        session = OpenAIResponsesCompactionSession(
            session_id="one",
            underlying_session=agents.SQLiteSession("one"),
            client=client,
            model="gpt-4o",
            compaction_mode="input",
            should_trigger_compaction=lambda _: True,
        )
        agent = agents.Agent(name="Painter", model=model)

        await agents.Runner.run(agent, "say:blue it is", session=session)
        kinds = [item.get("type", "message") for item in await session.get_items()]
        result = await agents.Runner.run(agent, "dump:", session=session)

        assert kinds == ["message", "compaction"]
        assert "Their summary:]" in result.final_output

    async def test_output_has_its_type(self, model):
        agent = agents.Agent(name="Clerk", model=model, output_type=Person)

        assert (await agents.Runner.run(agent, f"call:final_output {ADA}")).final_output == Person(name="Ada", age=36)


class TestInstructor:
    @pytest.mark.parametrize(
        ("mode", "script"),
        [
            (instructor.Mode.TOOLS, f"call:Person {ADA}"),
            (instructor.Mode.JSON, f"say:{ADA}"),
            (instructor.Mode.JSON_SCHEMA, f"call:Person {ADA}"),
            (instructor.Mode.MD_JSON, f"say:```json\\n{ADA}\\n```"),
        ],
        ids=lambda value: getattr(value, "name", ""),
    )
    def test_openai_client_output_has_its_type(self, demo, mode, script):
        client = instructor.from_openai(OpenAI(base_url=f"{demo.url}/v1", api_key="unused"), mode=mode)
        messages = [{"role": "user", "content": script}]
        person = client.chat.completions.create(model="scripted-1", messages=messages, response_model=Person, max_retries=0)

        # Its class is generated from `Person`.
        assert isinstance(person, Person) and person.model_dump() == {"name": "Ada", "age": 36}

    def test_anthropic_client_output_has_its_type(self, demo):
        client = instructor.from_anthropic(Anthropic(base_url=demo.url, api_key="unused"))
        messages = [{"role": "user", "content": f"call:Person {ADA}"}]
        person = client.messages.create(model="scripted-1", max_tokens=1000, messages=messages, response_model=Person, max_retries=0)

        assert isinstance(person, Person) and person.model_dump() == {"name": "Ada", "age": 36}


class TestLlm:
    @pytest.fixture
    def llm(self, demo, tmp_path):
        # JSON is YAML.
        model = {"model_id": "mine", "model_name": "scripted-1", "api_base": f"{demo.url}/v1", "supports_tools": True, "supports_schema": True}
        (tmp_path / "extra-openai-models.yaml").write_text(json.dumps([model]))

        def llm(*arguments: str) -> str:
            done = subprocess.run(
                [Path(sys.executable).with_name("llm"), "--model", "mine", *arguments],
                env={**os.environ, "LLM_USER_PATH": str(tmp_path), "OPENAI_API_KEY": "unused"},
                capture_output=True,
                text=True,
                timeout=60,
            )
            assert done.returncode == 0, done.stderr
            return done.stdout

        return llm

    @pytest.mark.parametrize("streaming", [[], ["--no-stream"]], ids=["streamed", "whole"])
    def test_whole_response(self, llm, streaming):
        assert llm(*streaming, "say:Hello from the demo.") == "Hello from the demo.\n"

    @pytest.mark.turn
    def test_tool_is_run(self, llm):
        source = "def town_of(name: str) -> str:\n    return 'Ulm'"

        assert llm("--functions", source, 'call:town_of {"name":"Ada"}') == "tool said: Ulm\n"

    def test_output_fits_its_schema(self, llm):
        assert json.loads(llm("--schema", "name, age int", f"call:output {ADA}")) == {"name": "Ada", "age": 36}
