"""Python clients in an environment of their own, as programs: Claude Agent SDK, DSPy, smolagents, shell-gpt."""

import pytest
from agent import CACHE, NODE_PROGRAMS

PYTHON = CACHE / "more-python" / "bin" / "python"

CLAUDE_AGENT_SDK = """\
import asyncio
from claude_agent_sdk import ClaudeAgentOptions, ResultMessage, create_sdk_mcp_server, query, tool

@tool("weather", "Tells the weather", {"city": str})
async def weather(arguments):
    return {"content": [{"type": "text", "text": "sunny in " + arguments["city"]}]}

async def main():
    options = ClaudeAgentOptions(
        cli_path="%(claude)s",
        model="scripted-1",
        mcp_servers={"here": create_sdk_mcp_server("here", tools=[weather])},
        allowed_tools=["mcp__here__weather"],
        env={"ANTHROPIC_BASE_URL": "%(url)s", "ANTHROPIC_AUTH_TOKEN": "unused", "ENABLE_TOOL_SEARCH": "false"},
    )
    prompt = 'call:mcp__here__weather {"city":"Ulm"}\\nthen:\\nsay:It is sunny.\\n'
    async for message in query(prompt=prompt, options=options):
        print(message)
        if isinstance(message, ResultMessage):
            print("result:", message.result)

asyncio.run(main())
"""

DSPY = """\
import dspy

lm = dspy.LM("openai/scripted-1", api_base="%(url)s/v1", api_key="unused", cache=False)
print("plain:", lm("say:Hello DSPy"))
dspy.configure(lm=lm)
answer = dspy.Predict("question -> answer")(question="say:[[ ## answer ## ]] forty-two")
print("field:", answer.answer)
"""

SMOLAGENTS = """\
from smolagents import OpenAIModel, ToolCallingAgent, tool

@tool
def weather(city: str) -> str:
    '''Tells the weather.

    Args:
        city: the city
    '''
    print("weather of", city)
    return "sunny"

model = OpenAIModel("scripted-1", api_base="%(url)s/v1", api_key="unused")
agent = ToolCallingAgent(tools=[weather], model=model)
print("result:", agent.run('call:final_answer {"answer":"forty-two"}'))
"""


def run(place, demo, script: str) -> str:
    place.write("project/client.py", script % {"url": demo.url, "claude": NODE_PROGRAMS / "claude"})
    return place.run([PYTHON, "client.py"])


def test_claude_agent_sdk_runs_a_tool_of_the_program(demo, place):
    output = run(place, demo, CLAUDE_AGENT_SDK)
    assert "sunny in Ulm" in output
    assert "result: It is sunny." in output


def test_dspy_reads_text_and_fields(demo, place):
    output = run(place, demo, DSPY)
    assert "plain: ['Hello DSPy']" in output
    assert "field: forty-two" in output


def test_smolagents_ends_with_the_answer_of_the_tool_call(demo, place):
    assert "result: forty-two" in run(place, demo, SMOLAGENTS)


@pytest.mark.parametrize("stream", ["true", "false"])
def test_shell_gpt_answers(demo, place, stream):
    output = place.run(
        [CACHE / "more-python" / "bin" / "sgpt", "--no-cache", "--no-md", "--no-functions", "say:Hello shell"],
        API_BASE_URL=f"{demo.url}/v1",
        OPENAI_API_KEY="unused",
        DEFAULT_MODEL="scripted-1",
        DISABLE_STREAMING="false" if stream == "true" else "true",
    )
    assert "Hello shell" in output
