"""Google's Agent Development Kit: an agent runs a tool until its answer, whole and streamed."""

import pytest
from google.adk.agents import Agent
from google.adk.agents.run_config import RunConfig, StreamingMode
from google.adk.models.google_llm import Gemini
from google.adk.runners import InMemoryRunner
from google.genai import types

SCRIPT = 'think:Hm.\ncall:get_weather {"town":"Ulm"}\nthen:\ncall:get_weather {"town":"Bonn"}\nthen:\nsay:Sunny in both.'


@pytest.mark.turn
@pytest.mark.parametrize("mode", [StreamingMode.NONE, StreamingMode.SSE])
async def test_agent_runs_to_its_answer(demo, mode, monkeypatch):
    monkeypatch.setenv("GOOGLE_API_KEY", "unused")
    towns = []

    def get_weather(town: str) -> dict:
        """The weather in a town."""
        towns.append(town)
        return {"weather": "sunny"}

    model = Gemini(model="scripted-1", base_url=demo.url)
    agent = Agent(name="weather", model=model, instruction="Be brief.", tools=[get_weather])
    runner = InMemoryRunner(agent=agent, app_name="weather")
    session = await runner.session_service.create_session(app_name="weather", user_id="ada")
    message = types.Content(role="user", parts=[types.Part(text=SCRIPT)])
    answers = [
        "".join(part.text or "" for part in event.content.parts)
        async for event in runner.run_async(
            user_id="ada", session_id=session.id, new_message=message, run_config=RunConfig(streaming_mode=mode)
        )
        if event.is_final_response() and event.content
    ]

    assert towns == ["Ulm", "Bonn"]
    assert answers[-1] == "Sunny in both."
