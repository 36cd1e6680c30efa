"""The official MCP SDK of both eras (mcp 2.x): the editor's tools without sessions, and with them."""

import asyncio

import pytest
from demo import binary
from mcp import MCPError, StdioServerParameters
from mcp.client.client import Client

STATELESS = "2026-07-28"


def server(demo, transport):
    if transport == "http":
        return f"{demo.url}/mcp"
    return StdioServerParameters(command=str(binary()), args=["mcp", "--url", demo.url])


@pytest.mark.parametrize("transport", ["http", "stdio"])
@pytest.mark.parametrize(("mode", "version"), [("auto", STATELESS), (STATELESS, STATELESS), ("legacy", "2025-11-25")])
async def test_tools_are_listed_and_called(demo, transport, mode, version):
    told = []

    async def progress(seconds, _total, _message):
        told.append(seconds)

    async with Client(server(demo, transport), mode=mode) as client:
        assert client.protocol_version == version
        assert "read_file" in [tool.name for tool in (await client.list_tools()).tools]
        read = await client.call_tool("read_file", {"path": "README.md"})
        assert not read.is_error and read.content[0].text.startswith("# Pretend")
        failed = await client.call_tool("always_fails", {"message": "no"})
        assert failed.is_error and failed.content[0].text == "no"
        with pytest.raises(MCPError, match="unknown tool `gone`"):
            await client.call_tool("gone", {})
        slow = await client.call_tool("wait_a_while", {"milliseconds": 1500}, progress_callback=progress)
        assert slow.content[0].text == "waited 1500 ms"
        assert told == [0, 1]


@pytest.mark.parametrize("transport", ["http", "stdio"])
async def test_subscription_is_acknowledged(demo, transport):
    async with Client(server(demo, transport)) as client:
        async with client.listen(tools_list_changed=True) as subscription:
            assert subscription.honored.tools_list_changed


@pytest.mark.parametrize("transport", ["http", "stdio"])
async def test_timeout_cancels_the_call(demo, transport):
    async with Client(server(demo, transport)) as client:
        with pytest.raises((TimeoutError, MCPError)):
            async with asyncio.timeout(0.5):
                await client.call_tool("wait_a_while", {"milliseconds": 60_000})
        # The client goes on.
        assert (await client.call_tool("get_time", {})).content[0].text == "2026-01-01T12:00:00Z"
