"""The MCP inspector's command line: lists and calls the editor's tools over HTTP and through `copilot-proxy mcp`."""

import json

import pytest
from agent import CACHE
from demo import binary

INSPECTOR = CACHE / "more-agents" / "node_modules" / ".bin" / "mcp-inspector"


@pytest.fixture(params=["http", "stdio"])
def inspect(request, demo, place):
    server = {
        "http": [f"{demo.url}/mcp", "--transport", "http"],
        "stdio": [binary(), "mcp", "--url", demo.url],
    }[request.param]
    return lambda *arguments: json.loads(place.run([INSPECTOR, "--cli", *server, *arguments]))


def test_tools_are_listed_with_their_schemas(inspect):
    tools = {tool["name"]: tool for tool in inspect("--method", "tools/list")["tools"]}
    assert tools["read_file"]["inputSchema"]["type"] == "object"


def test_tool_runs(inspect):
    result = inspect("--method", "tools/call", "--tool-name", "get_time")
    assert "2026-01-01T12:00:00Z" in json.dumps(result)
