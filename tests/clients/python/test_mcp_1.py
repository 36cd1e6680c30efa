"""The official MCP SDK of the versions with sessions (mcp 1.x): the editor's tools over HTTP and over `copilot-proxy mcp`."""

import asyncio
import os
from contextlib import asynccontextmanager

import pytest
from demo import binary
from mcp import ClientSession, McpError, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamablehttp_client


@asynccontextmanager
async def over_http(demo):
    async with streamablehttp_client(f"{demo.url}/mcp") as (reader, writer, session_id):
        async with ClientSession(reader, writer) as session:
            found = await session.initialize()
            assert found.protocolVersion == "2025-11-25" and session_id()
            yield session


@asynccontextmanager
async def over_stdio(demo):
    parameters = StdioServerParameters(
        command=str(binary()), args=["mcp", "--url", demo.url], env=dict(os.environ)
    )
    async with stdio_client(parameters) as (reader, writer), ClientSession(reader, writer) as session:
        assert (await session.initialize()).serverInfo.name == "copilot-proxy"
        yield session


transports = pytest.mark.parametrize("transport", [over_http, over_stdio])


@transports
async def test_tools_are_listed_and_called(demo, transport):
    async with transport(demo) as session:
        await session.send_ping()
        listed = await session.list_tools()
        assert "read_file" in [tool.name for tool in listed.tools]
        read = await session.call_tool("read_file", {"path": "README.md"})
        assert not read.isError and read.content[0].text.startswith("# Pretend")
        picture = (await session.call_tool("take_screenshot")).content[1]
        assert (picture.type, picture.mimeType) == ("image", "image/png")


@transports
async def test_failures(demo, transport):
    async with transport(demo) as session:
        failed = await session.call_tool("always_fails", {"message": "no"})
        assert failed.isError and failed.content[0].text == "no"
        with pytest.raises(McpError, match="unknown tool `gone`"):
            await session.call_tool("gone")
        with pytest.raises(McpError, match="method not found"):
            await session.list_resources()


@transports
async def test_progress_and_calls_beside_each_other(demo, transport):
    told = []

    async def progress(seconds, _total, _message):
        told.append(seconds)

    async with transport(demo) as session:
        slow = session.call_tool("wait_a_while", {"milliseconds": 1500}, progress_callback=progress)
        quick = session.call_tool("get_time")
        slow, quick = await asyncio.gather(slow, quick)
        assert slow.content[0].text == "waited 1500 ms"
        assert quick.content[0].text == "2026-01-01T12:00:00Z"
        assert told == [0, 1]


async def test_stdio_without_a_server_names_the_remedy(tmp_path):
    words = ["mcp", "--dir", str(tmp_path), "--url", "http://127.0.0.1:9"]
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(binary(), *words, stdin=pipe, stdout=pipe, stderr=pipe)
    output, error = await process.communicate()
    assert (process.returncode, output) == (1, b"")
    assert b"Open VS Code" in error


async def test_page_of_another_origin_is_refused(demo):
    with pytest.raises(BaseException) as refused:
        async with streamablehttp_client(f"{demo.url}/mcp", headers={"origin": "https://page.test"}) as streams:
            async with ClientSession(streams[0], streams[1]) as session:
                await session.initialize()
    assert "403" in repr(refused.value) or any("403" in repr(one) for one in leaves(refused.value))


def leaves(error):
    """The errors in a group."""
    return [leaf for one in getattr(error, "exceptions", [error]) for leaf in ([one] if one is error else leaves(one))]


