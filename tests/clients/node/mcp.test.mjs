// The official MCP SDKs for Node: the editor's tools with sessions (SDK 1.x) and without them (client 2.x), over HTTP and
// over `copilot-proxy mcp`.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { StdioClientTransport as Stdio } from "@modelcontextprotocol/client/stdio";
import { Client as SessionClient } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { StreamableHTTPClientTransport as SessionHttp } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { binary, startDemo } from "./demo.mjs";

const url = await startDemo();
const info = { name: "test", version: "1" };

const transports = {
	http: () => new SessionHttp(new URL(`${url}/mcp`)),
	stdio: () => new StdioClientTransport({ command: binary(), args: ["mcp", "--url", url] }),
};

for (const [name, transport] of Object.entries(transports)) {
	test(`tools in a session over ${name}`, async () => {
		const client = new SessionClient(info);
		await client.connect(transport());
		await client.ping();
		const { tools } = await client.listTools();
		assert.ok(tools.some((tool) => tool.name === "read_file"));
		const read = await client.callTool({ name: "read_file", arguments: { path: "README.md" } });
		assert.match(read.content[0].text, /^# Pretend/);
		const picture = await client.callTool({ name: "take_screenshot" });
		assert.deepEqual([picture.content[1].type, picture.content[1].mimeType], ["image", "image/png"]);
		const failed = await client.callTool({ name: "always_fails", arguments: { message: "no" } });
		assert.deepEqual([failed.isError, failed.content[0].text], [true, "no"]);
		await assert.rejects(client.callTool({ name: "gone" }), /unknown tool `gone`/);
		await client.close();
	});

	test(`progress and cancellation in a session over ${name}`, async () => {
		const client = new SessionClient(info);
		await client.connect(transport());
		const told = [];
		const slow = { name: "wait_a_while", arguments: { milliseconds: 1500 } };
		const waited = await client.callTool(slow, undefined, { onprogress: ({ progress }) => told.push(progress) });
		assert.equal(waited.content[0].text, "waited 1500 ms");
		assert.deepEqual(told, [0, 1]);
		const abort = new AbortController();
		const call = { name: "wait_a_while", arguments: { milliseconds: 60_000 } };
		const running = client.callTool(call, undefined, { signal: abort.signal });
		setTimeout(() => abort.abort("no longer needed"), 300);
		await assert.rejects(running, /no longer needed/);
		assert.equal((await client.callTool({ name: "get_time" })).content[0].text, "2026-01-01T12:00:00Z");
		await client.close();
	});
}

const stateless = {
	http: () => new StreamableHTTPClientTransport(new URL(`${url}/mcp`)),
	stdio: () => new Stdio({ command: binary(), args: ["mcp", "--url", url] }),
};

for (const [name, transport] of Object.entries(stateless)) {
	test(`tools, cancellation and a subscription without a session over ${name}`, async () => {
		const client = new Client(info, { versionNegotiation: { mode: { pin: "2026-07-28" } } });
		await client.connect(transport());
		const { tools } = await client.listTools();
		assert.ok(tools.some((tool) => tool.name === "read_file"));
		const told = [];
		const slow = { name: "wait_a_while", arguments: { milliseconds: 1500 } };
		const waited = await client.callTool(slow, { onprogress: ({ progress }) => told.push(progress) });
		assert.equal(waited.content[0].text, "waited 1500 ms");
		assert.deepEqual(told, [0, 1]);
		const abort = new AbortController();
		const call = { name: "wait_a_while", arguments: { milliseconds: 60_000 } };
		const running = client.callTool(call, { signal: abort.signal });
		setTimeout(() => abort.abort("no longer needed"), 300);
		await assert.rejects(running, /no longer needed/);
		const subscription = await client.listen({ toolsListChanged: true });
		assert.equal(subscription.honoredFilter.toolsListChanged, true);
		await subscription.close();
		await assert.rejects(client.callTool({ name: "gone" }), /unknown tool `gone`/);
		await client.close();
	});
}
