// Editor tools of VS Code, of other extensions and of a real MCP server: listed, selected, and run in auto mode in every
// dialect, whole and streamed. VS Code shows its dialogs, and foreign web pages can't use the tools.
import assert from "node:assert/strict";
import path from "node:path";
import { after, before, test } from "node:test";
import { attachFakeEditor, dialects, responseText, startProxy, until } from "./harness/index.mjs";

const AUTO = { use_vscode_tools: true, tool_execution: "auto" };
const FOREIGN = ["http://evil.test", "null", "https://localhost.evil.test"];
const NOTE = "The owl flies at nine.";
const MCP = {
	servers: {
		notes: {
			type: "stdio",
			command: process.execPath,
			args: [path.join(import.meta.dirname, "mcp-server.mjs"), "$" + "{workspaceFolder}"],
		},
	},
};
const READ_NOTE = 'say:I look.\ncall:mcp_notes_read_note {"name":"note.txt"}';

let proxy;
let window;
let folder;

before(async () => {
	// The pages may use the models, so that only the use of tools is refused.
	proxy = await startProxy({ settings: { "copilotProxy.allowedOrigins": FOREIGN } });
	folder = proxy.editor.folder({ "note.txt": NOTE, ".vscode/mcp.json": JSON.stringify(MCP) });
	window = await proxy.editor.open(folder);
	await proxy.untilServing();
});
after(() => proxy?.stop());

const toolsAt = async (query = "", headers = {}) => (await proxy.get(`/v1/tools${query}`, headers)).json.data;
const namesAt = async (...where) => (await toolsAt(...where)).map(({ name }) => name);

test("a foreign web page can't use tools, and its attempts don't reach an editor", async () => {
	const fake = await attachFakeEditor(proxy.file); // has the focus, so requests would go to it
	await proxy.untilServing({ windows: 2 });
	const attempts = [
		["/v1/tools", {}],
		...Object.values(dialects).flatMap(({ path, request }) => [
			[path, { body: request("say:no", AUTO) }],
			[path, { body: request("say:no", { ...AUTO, stream: true }) }],
			[path, { body: request("say:no", { use_vscode_tools: true }) }],
			[path, { body: request("say:no", { tool_execution: "auto" }) }],
		]),
	];
	for (const origin of FOREIGN) {
		for (const [path, options] of attempts) {
			const { status } = await proxy.ask(path, { ...options, headers: { origin } });
			assert.equal(status, 403, `${origin} ${path} ${JSON.stringify(options)}`);
		}
	}
	assert.deepEqual(await toolsAt(), []); // the same request without a foreign origin gets a response of that window
	fake.close();
	const asked = fake.heard.filter(({ type }) => !["welcome", "status", "log", "ping"].includes(type));
	assert.deepEqual(asked, [{ type: "list_tools" }]);
	await proxy.untilServing();
	assert.equal(await window.provider(({ state }) => state.requests.length), 0);
});

test("VS Code's own tools, another extension's and an MCP server's are listed", async () => {
	const tools = await toolsAt();
	const names = tools.map(({ name }) => name);
	for (const name of ["run_in_terminal", "vscode_listCodeUsages", "runSubagent", "test_tree"])
		assert.ok(names.includes(name), `${name} among ${names}`);
	const number = { type: "number" };
	assert.deepEqual(
		tools.filter(({ name }) => ["test_add", "mcp_notes_read_note"].includes(name)),
		[
			{
				name: "test_add",
				description: "Adds two numbers and answers with text.",
				inputSchema: { type: "object", properties: { a: number, b: number }, required: ["a", "b"] },
				tags: ["test", "math"],
			},
			{
				name: "mcp_notes_read_note",
				description: "Reads a file of the folder.",
				inputSchema: { type: "object", properties: { name: { type: "string" } }, required: ["name"] },
				tags: ["mcp"],
			},
		],
	);
});

test("tools are selected by tags and names", async () => {
	assert.deepEqual((await namesAt("?tags=mcp")).toSorted(), ["mcp_notes_forget_note", "mcp_notes_read_note"]);
	assert.deepEqual(await namesAt("?tags=test,math"), ["test_add"]);
	assert.deepEqual(await namesAt("?name=TEST_%3F%3Fd"), ["test_add"]);
	assert.deepEqual(await namesAt("?name=mcp_*&tags=test"), []);
	assert.deepEqual(await namesAt("?name=*_note&tags=mcp"), await namesAt("?tags=mcp"));
});

for (const [name, dialect] of Object.entries(dialects)) {
	for (const stream of [false, true]) {
		test(`auto mode reads a file and responds with its content: ${name}, ${stream ? "streamed" : "whole"}`, async () => {
			const said = await responseText(dialect, proxy, READ_NOTE, { ...AUTO, stream });
			assert.equal(said, `I look.tool said: ${NOTE}`);
		});
	}
}

test("the calls of one turn run in parallel, and their results keep the order", async () => {
	const script = 'call:test_add {"a":40,"b":2}\ncall:test_fail {"message":"no luck"}\ncall:test_tree';
	assert.equal(
		await proxy.textFor(script, AUTO),
		"tool said: 42\n[The tool failed.]\nno luck\nsrc/\nREADME.md",
	);
});

test("an image in a tool result reaches the model", async () => {
	await proxy.textFor("call:test_picture", AUTO);
	const last = await window.provider(({ state }) => state.requests.at(-1).resultData);
	assert.deepEqual(last, [
		{
			type: "data",
			mime: "image/png",
			bytes: 69,
			sha256: "b1ff9c8ea3a780bad09b346c423d2d0e46815926879b18e841d928376a946640",
		},
	]);
});

test("a tool with confirmation opens VS Code's dialog, and a refusal is a tool result", async () => {
	const refused = proxy.textFor("call:test_confirm", AUTO);
	assert.match(await window.answer("Cancel"), /Really\?Do what was asked\?/);
	assert.equal(await refused, "tool said: [The tool failed.]\nCanceled");
	const allowed = proxy.textFor("call:test_confirm", AUTO);
	await window.answer("Yes");
	assert.equal(await allowed, "tool said: confirmed");
});

test("a client's disconnect cancels its running tool", async () => {
	const hangUp = proxy.post("call:test_hang", AUTO);
	await until(() => window.provider(({ state }) => state.hangs === 1), "the tool to run");
	hangUp();
	await until(() => window.provider(({ state }) => state.toolCancellations === 1), "the cancellation");
	assert.equal((await proxy.stats()).active, 0);
});

test("a tool that needs a chat token is disabled once that is known", async () => {
	const run = (name, input) => proxy.textFor(`call:${name} ${JSON.stringify(input)}`, AUTO);
	const subagent = ["runSubagent", { prompt: "GetExchange.", description: "Looks" }];
	assert.match(
		await run(...subagent),
		/^tool said: \[The tool failed\.\]\n.*toolInvocationToken is required/,
	);
	assert.equal(await run(...subagent), "no such tool: runSubagent");
	const todos = ["manage_todo_list", { operation: "read" }];
	assert.match(await run(...todos), /^tool said: \[The tool failed\.\]\n.*No session resource/);
	assert.equal(await run(...todos), "no such tool: manage_todo_list");
	assert.ok((await namesAt()).includes("runSubagent"), "a client may still see it");
});

test("x-copilot-proxy-workspace selects the window whose tools run", async () => {
	const other = await proxy.editor.open(proxy.editor.folder({ "note.txt": "Another note." }));
	await proxy.untilServing({ windows: 2 });
	const run = (workspace) =>
		responseText(dialects.chat, proxy, READ_NOTE, {
			...AUTO,
			headers: { "x-copilot-proxy-workspace": workspace },
		});
	for (const name of [folder, `${folder}/`, path.basename(folder)])
		assert.equal(await run(name), `I look.tool said: ${NOTE}`);
	const ofOther = { "x-copilot-proxy-workspace": path.basename(await folderOf(other)) };
	assert.deepEqual(await namesAt("?tags=mcp", ofOther), []);
	assert.deepEqual(await namesAt("?name=test_add", ofOther), ["test_add"]);
	const { status, json } = await proxy.get("/v1/tools", { "x-copilot-proxy-workspace": "nowhere" });
	assert.equal(status, 400);
	assert.match(json.error.message, /no VS Code window has the folder `nowhere` open/);
	await proxy.editor.close(other);
	await proxy.untilServing();
});

const folderOf = (window) => window.provider(({ vscode }) => vscode.workspace.workspaceFolders[0].uri.fsPath);

// The last test, since it turns on GitHub's own extension, which is off by default.
test("GitHub Copilot's own tool reads a file of the workspace", async () => {
	await window.enableCopilot();
	await until(async () => (await namesAt("?name=copilot_readFile")).length > 0, "Copilot's tools");
	const input = { filePath: path.join(folder, "note.txt"), startLine: 1, endLine: 1 };
	const said = await proxy.textFor(`call:copilot_readFile ${JSON.stringify(input)}`, AUTO);
	assert.equal(said.trim(), `tool said: ${NOTE}`);
});
