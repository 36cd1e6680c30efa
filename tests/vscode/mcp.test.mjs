// The editor's tools over MCP at `/mcp`: those of a real VS Code, of another extension and of an MCP server that VS Code runs,
// in both eras of the protocol, and by `copilot-proxy mcp`.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import path from "node:path";
import readline from "node:readline";
import { after, before, test } from "node:test";
import { startProxy, until } from "./harness/index.mjs";

const NOTE = "The owl flies at nine.";
const STATELESS = "2026-07-28";
const SERVERS = {
	servers: {
		notes: {
			type: "stdio",
			command: process.execPath,
			args: [path.join(import.meta.dirname, "mcp-server.mjs"), "$" + "{workspaceFolder}"],
		},
	},
};

let proxy;
let window;
let url;

before(async () => {
	proxy = await startProxy();
	const folder = proxy.editor.folder({ "note.txt": NOTE, ".vscode/mcp.json": JSON.stringify(SERVERS) });
	window = await proxy.editor.open(folder);
	await proxy.untilServing();
	url = `http://127.0.0.1:${proxy.file.port}/mcp`;
});
after(() => proxy?.stop());

const headers = { "content-type": "application/json", accept: "application/json, text/event-stream" };

/** A request of the version without sessions. */
function stateless(method, params = {}) {
	const meta = {
		"io.modelcontextprotocol/protocolVersion": STATELESS,
		"io.modelcontextprotocol/clientCapabilities": {},
	};
	const message = { jsonrpc: "2.0", id: 1, method, params: { ...params, _meta: meta } };
	const mirrored = { "mcp-protocol-version": STATELESS, "mcp-method": method };
	return {
		method: "POST",
		headers: { ...headers, ...mirrored, ...(params.name ? { "mcp-name": params.name } : {}) },
		body: JSON.stringify(message),
	};
}

const ask = async (method, params) => {
	const { result, error } = await (await fetch(url, stateless(method, params))).json();
	assert.equal(error, undefined, error?.message);
	return result;
};
const call = (name, args = {}) => ask("tools/call", { name, arguments: args });
const names = async () => (await ask("tools/list")).tools.map(({ name }) => name);

/** Begins a session; gives a function that sends its requests. */
async function session() {
	const post = (message, more) =>
		fetch(url, {
			method: "POST",
			headers: { ...headers, ...more },
			body: JSON.stringify({ jsonrpc: "2.0", ...message }),
		});
	const begun = await post({
		id: 0,
		method: "initialize",
		params: { protocolVersion: "2025-11-25", capabilities: {} },
	});
	const id = { "mcp-session-id": begun.headers.get("mcp-session-id") };
	await post({ method: "notifications/initialized" }, id);
	const ask = async (method, params) => (await (await post({ id: 1, method, params }, id)).json()).result;
	const listen = () => fetch(url, { headers: { accept: "text/event-stream", ...id } });
	return { ask, listen };
}

test("tools of VS Code, of an extension and of an MCP server are listed in both eras", async () => {
	const found = await names();
	for (const name of ["run_in_terminal", "vscode_listCodeUsages", "test_add", "mcp_notes_read_note"])
		assert.ok(found.includes(name), `${name} among ${found}`);
	const { tools } = await (await session()).ask("tools/list");
	assert.deepEqual(
		tools.map(({ name }) => name),
		found,
	);
	for (const { name, inputSchema } of tools) assert.equal(inputSchema.type, "object", name);
});

test("tools run, with text, images and failures", async () => {
	assert.deepEqual((await call("test_add", { a: 40, b: 2 })).content, [{ type: "text", text: "42" }]);
	assert.deepEqual((await call("mcp_notes_read_note", { name: "note.txt" })).content[0].text, NOTE);
	const [picture] = (await call("test_picture")).content.filter(({ type }) => type === "image");
	assert.equal(picture.mimeType, "image/png");
	const failed = await call("test_fail", { message: "no luck" });
	assert.deepEqual([failed.isError, failed.content], [true, [{ type: "text", text: "no luck" }]]);
	const old = await session();
	assert.equal(
		(await old.ask("tools/call", { name: "test_add", arguments: { a: 1, b: 2 } })).content[0].text,
		"3",
	);
});

test("a confirmation stays VS Code's", async () => {
	const refused = call("test_confirm");
	assert.match(await window.answer("Cancel"), /Really\?Do what was asked\?/);
	assert.equal((await refused).isError, true);
	const allowed = call("test_confirm");
	await window.answer("Yes");
	assert.equal((await allowed).content[0].text, "confirmed");
});

test("a client's disconnect cancels its tool", async () => {
	const abort = new AbortController();
	const running = fetch(url, { ...stateless("tools/call", { name: "test_hang" }), signal: abort.signal });
	await until(() => window.provider(({ state }) => state.hangs === 1), "the tool to run");
	abort.abort();
	await assert.rejects(running);
	await until(() => window.provider(({ state }) => state.toolCancellations === 1), "the cancellation");
});

test("a tool that needs a chat token is left out once that is known", async () => {
	const failed = await call("runSubagent", { prompt: "Look.", description: "Looks" });
	assert.equal(failed.isError, true);
	assert.match(failed.content[0].text, /toolInvocationToken/);
	assert.ok(!(await names()).includes("runSubagent"));
});

test("a change of the offered tools is told", async () => {
	const old = await session();
	await old.ask("tools/list");
	const stream = (await old.listen()).body.pipeThrough(new TextDecoderStream());
	await window.configure("copilotProxy.autoTools", { allow: ["test_*"], deny: [] });
	let text = "";
	for await (const chunk of stream) {
		text += chunk;
		if (text.includes("notifications/tools/list_changed")) break;
	}
	const { tools } = await old.ask("tools/list");
	assert.ok(tools.length > 0 && tools.every(({ name }) => name.startsWith("test_")));
});

test("copilot-proxy mcp offers the same on standard input and output", async () => {
	const program = await window.provider(({ vscode }) =>
		vscode.extensions.all
			.filter(({ packageJSON }) => packageJSON.name === "copilot-proxy")
			.map(({ extensionPath }) => `${extensionPath}/bin/copilot-proxy`)
			.at(0),
	);
	const bridge = spawn(program, ["mcp", "--url", new URL(url).origin], {
		stdio: ["pipe", "pipe", "inherit"],
	});
	const lines = readline.createInterface({ input: bridge.stdout })[Symbol.asyncIterator]();
	bridge.stdin.write(`${stateless("tools/call", { name: "test_add", arguments: { a: 2, b: 3 } }).body}\n`);
	const { result } = JSON.parse((await lines.next()).value);
	assert.equal(result.content[0].text, "5");
	const ended = new Promise((resolve) => bridge.on("exit", resolve));
	bridge.stdin.end();
	assert.equal(await ended, 0);
});
