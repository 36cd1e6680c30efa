import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import type { Outbox } from "../src/outbox";
import { textOf } from "../src/prompt-tree";
import { Request } from "../src/running-request";
import { Tools } from "../src/tools";
import {
	fake,
	LanguageModelDataPart,
	LanguageModelPromptTsxPart,
	LanguageModelTextPart,
} from "./fake/vscode";

const request = () => new Request(1, {} as Outbox);
const invocation = { type: "invoke_tool", name: "look", input: { at: 1 } } as const;

beforeEach(() => {
	fake.isTrusted = true;
	fake.executed = [];
	fake.executeCommand = async () => undefined;
});

/** The server's message for this result of the tool. */
async function answered(...content: unknown[]): Promise<unknown> {
	fake.invokeTool = () => ({ content });
	return new Tools().invoke(invocation, request());
}

const leaf = (text: string, lineBreakBefore = false) => ({ type: 2, text, lineBreakBefore });
const element = (...children: unknown[]) => ({ type: 1, ctor: 2, children });

test("each list has the current tools with schema and tags", async () => {
	const tools = new Tools();
	const schema = { type: "object" };
	fake.tools = [
		{ name: "look", description: "Looks.", inputSchema: schema, tags: Object.freeze(["a", "b"]) },
	];
	assert.deepEqual(await tools.list(), {
		type: "tools",
		tools: [{ name: "look", description: "Looks.", input_schema: schema, tags: ["a", "b"] }],
	});
	fake.tools = [{ name: "wait", description: "", inputSchema: undefined, tags: [] }];
	assert.deepEqual(await tools.list(), {
		type: "tools",
		tools: [{ name: "wait", description: "", tags: [] }],
	});
});

test("MCP servers are started before the tools are read, at most once per interval", async () => {
	const tools = new Tools();
	fake.tools = [];
	fake.executeCommand = async () => {
		fake.tools = [{ name: "mcp_look", description: "", inputSchema: undefined, tags: ["mcp"] }];
		throw new Error("command 'workbench.mcp.startServer' not found");
	};
	const [first] = await Promise.all([tools.list(), tools.list()]);
	assert.deepEqual(first, { type: "tools", tools: [{ name: "mcp_look", description: "", tags: ["mcp"] }] });
	assert.deepEqual(fake.executed, [["workbench.mcp.startServer", "*", { waitForLiveTools: true }]]);
});

test("a poll starts no MCP servers", () => {
	fake.tools = [];
	assert.deepEqual(new Tools().poll(), { type: "tools", tools: [] });
	assert.deepEqual(fake.executed, []);
});

test("the list is returned after a timeout if an MCP server doesn't start", async (test) => {
	test.mock.timers.enable({ apis: ["setTimeout"] });
	fake.tools = [];
	fake.executeCommand = () => new Promise(() => undefined);
	const listed = new Tools().list();
	test.mock.timers.tick(5000);
	assert.deepEqual(await listed, { type: "tools", tools: [] });
});

test("a tool runs with its input, without a chat token, and can be cancelled", async () => {
	const asked = request();
	fake.invokeTool = (name, options, token) => {
		assert.deepEqual([name, options], ["look", { toolInvocationToken: undefined, input: { at: 1 } }]);
		assert.equal(token, asked.token);
		return { content: [new LanguageModelTextPart("seen")] };
	};
	assert.deepEqual(await new Tools().invoke(invocation, asked), {
		type: "tool_output",
		content: [{ type: "text", text: "seen" }],
	});
});

test("a result keeps text and data, converts trees to text and drops other parts", async () => {
	const tree = {
		node: element(leaf("src/"), element(leaf("main.rs", true), leaf(" (new)")), leaf("end", true)),
	};
	assert.deepEqual(
		await answered(
			new LanguageModelTextPart("a"),
			{ value: "b" },
			new LanguageModelDataPart(Buffer.from([1, 2, 3]), "image/png"),
			new LanguageModelPromptTsxPart(tree),
			{ callId: "1", name: "none", input: {} },
			7,
		),
		{
			type: "tool_output",
			content: [
				{ type: "text", text: "a" },
				{ type: "text", text: "b" },
				{ type: "data", mime: "image/png", base64: "AQID" },
				{ type: "text", text: "src/\nmain.rs (new)\nend" },
			],
		},
	);
	assert.deepEqual(await answered(), { type: "tool_output", content: [] });
});

test("the text of a deep tree with unknown nodes is extracted", () => {
	let deep: unknown = leaf("bottom");
	for (let depth = 0; depth < 100_000; depth += 1) {
		deep = element(deep);
	}
	assert.equal(textOf({ node: deep }), "bottom");
	assert.equal(
		textOf({ node: element({ type: 3, value: 1 }, null, leaf("a"), { type: 1 }, leaf("b")) }),
		"ab",
	);
	assert.equal(textOf({ node: element(leaf("a", true), leaf("b", true)) }), "a\nb");
	assert.equal(textOf({}), "");
});

test("Restricted Mode lists no tools and runs none", async () => {
	fake.isTrusted = false;
	fake.tools = [{ name: "look", description: "", tags: [] }];
	assert.deepEqual(await new Tools().list(), { type: "tools", tools: [] });
	await assert.rejects(new Tools().invoke(invocation, request()), /Restricted Mode; trust the workspace/);
	assert.deepEqual(fake.executed, []);
});
