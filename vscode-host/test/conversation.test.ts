// Captured bodies of all dialects, read as conversations.

import assert from "node:assert/strict";
import { test } from "node:test";
import { parsePartial } from "../webview/conversation/partial-json";
import { readConversation } from "../webview/conversation/read";

const PIXEL = "iVBORw0KGgo=";
const IMAGE = { kind: "image", url: `data:image/png;base64,${PIXEL}`, description: "Image" };
const call = (name: string, input: object, id: string, result?: string) => ({
	kind: "call",
	id,
	name,
	input: JSON.stringify(input, null, 2),
	...(result === undefined ? {} : { result: { blocks: [text(result)], isError: false } }),
});
const text = (words: string) => ({ kind: "text", text: words });
const thinking = (words: string) => ({ kind: "thinking", text: words });
const stream = (...events: object[]) => events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join("");

/** The same conversation in each dialect, and the same response to it, streamed. */
const BODIES: Record<string, { request: object; response: string }> = {
	anthropic: {
		request: {
			system: [{ type: "text", text: "Be brief." }],
			tools: [{ name: "look" }],
			messages: [
				{
					role: "user",
					content: [
						{ type: "text", text: "Look." },
						{ type: "image", source: { type: "base64", media_type: "image/png", data: PIXEL } },
					],
				},
				{
					role: "assistant",
					content: [{ type: "tool_use", id: "c1", name: "look", input: { at: 1 } }],
				},
				{ role: "user", content: [{ type: "tool_result", tool_use_id: "c1", content: "a cat" }] },
			],
		},
		response: [
			{ type: "content_block_start", index: 0, content_block: { type: "thinking", thinking: "" } },
			{ type: "content_block_delta", index: 0, delta: { type: "thinking_delta", thinking: "A cat?" } },
			{ type: "content_block_start", index: 1, content_block: { type: "text", text: "" } },
			{ type: "content_block_delta", index: 1, delta: { type: "text_delta", text: "A " } },
			{ type: "content_block_delta", index: 1, delta: { type: "text_delta", text: "cat." } },
			{ type: "content_block_start", index: 2, content_block: { type: "tool_use", id: "c2", name: "pet" } },
			{ type: "content_block_delta", index: 2, delta: { type: "input_json_delta", partial_json: '{"how":' } },
			{
				type: "content_block_delta",
				index: 2,
				delta: { type: "input_json_delta", partial_json: '"softly"}' },
			},
		]
			.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`)
			.join(""),
	},
	"openai-chat": {
		request: {
			tools: [{ type: "function", function: { name: "look" } }],
			messages: [
				{ role: "system", content: "Be brief." },
				{
					role: "user",
					content: [
						{ type: "text", text: "Look." },
						{ type: "image_url", image_url: { url: `data:image/png;base64,${PIXEL}` } },
					],
				},
				{
					role: "assistant",
					content: null,
					tool_calls: [{ id: "c1", type: "function", function: { name: "look", arguments: '{"at":1}' } }],
				},
				{ role: "tool", tool_call_id: "c1", content: "a cat" },
			],
		},
		response: `${stream(
			{ choices: [{ index: 0, delta: { role: "assistant", content: null, reasoning_content: "A cat?" } }] },
			{ choices: [{ index: 0, delta: { content: "A " } }] },
			{ choices: [{ index: 0, delta: { content: "cat." } }] },
			{
				choices: [
					{
						index: 0,
						delta: { tool_calls: [{ index: 0, id: "c2", function: { name: "pet", arguments: '{"how":' } }] },
					},
				],
			},
			{
				choices: [{ index: 0, delta: { tool_calls: [{ index: 0, function: { arguments: '"softly"}' } }] } }],
			},
		)}data: [DONE]\n\n`,
	},
	"openai-responses": {
		request: {
			instructions: "Be brief.",
			tools: [{ type: "function", name: "look" }],
			input: [
				{
					role: "user",
					content: [
						{ type: "input_text", text: "Look." },
						{ type: "input_image", image_url: `data:image/png;base64,${PIXEL}` },
					],
				},
				{ type: "function_call", call_id: "c1", name: "look", arguments: '{"at":1}' },
				{ type: "function_call_output", call_id: "c1", output: "a cat" },
			],
		},
		response: stream(
			{
				type: "response.output_item.done",
				item: { type: "reasoning", summary: [{ type: "summary_text", text: "A cat?" }] },
			},
			{ type: "response.output_text.delta", delta: "A cat." },
			{
				type: "response.output_item.done",
				item: { type: "message", role: "assistant", content: [{ type: "output_text", text: "A cat." }] },
			},
			{
				type: "response.output_item.done",
				item: { type: "function_call", call_id: "c2", name: "pet", arguments: '{"how":"softly"}' },
			},
		),
	},
	gemini: {
		request: {
			systemInstruction: { parts: [{ text: "Be brief." }] },
			tools: [{ functionDeclarations: [{ name: "look" }] }],
			contents: [
				{ role: "user", parts: [{ text: "Look." }, { inlineData: { mimeType: "image/png", data: PIXEL } }] },
				{ role: "model", parts: [{ functionCall: { id: "c1", name: "look", args: { at: 1 } } }] },
				{
					role: "user",
					parts: [{ functionResponse: { id: "c1", name: "look", response: { output: "a cat" } } }],
				},
			],
		},
		response: stream(
			...[
				{ text: "A cat?", thought: true },
				{ text: "A " },
				{ text: "cat." },
				{ functionCall: { id: "c2", name: "pet", args: { how: "softly" } } },
			].map((part) => ({ candidates: [{ content: { role: "model", parts: [part] } }] })),
		),
	},
	ollama: {
		request: {
			tools: [{ type: "function", function: { name: "look" } }],
			messages: [
				{ role: "system", content: "Be brief." },
				{ role: "user", content: "Look.", images: [PIXEL] },
				{ role: "assistant", tool_calls: [{ id: "c1", function: { name: "look", arguments: { at: 1 } } }] },
				{ role: "tool", tool_call_id: "c1", content: "a cat" },
			],
		},
		response: [
			{ message: { role: "assistant", thinking: "A cat?" } },
			{ message: { role: "assistant", content: "A " } },
			{ message: { role: "assistant", content: "cat." } },
			{ message: { tool_calls: [{ id: "c2", function: { name: "pet", arguments: { how: "softly" } } }] } },
			{ done: true },
		]
			.map((line) => `${JSON.stringify(line)}\n`)
			.join(""),
	},
};

for (const [dialect, { request, response }] of Object.entries(BODIES)) {
	test(`${dialect}: text, thinking, tool calls with results and images are read`, () => {
		const read = readConversation(dialect, JSON.stringify(request), response);
		assert.deepEqual(read, {
			system: [text("Be brief.")],
			tools: ["look"],
			turns: [
				{ role: "user", blocks: [text("Look."), IMAGE] },
				{ role: "assistant", blocks: [call("look", { at: 1 }, "c1", "a cat")] },
			],
			reply: { blocks: [thinking("A cat?"), text("A cat."), call("pet", { how: "softly" }, "c2")] },
		});
	});
}

test("whole responses are read like streamed ones", () => {
	const replies: [dialect: string, body: object][] = [
		["anthropic", { type: "message", content: [{ type: "text", text: "Hi." }] }],
		["openai-chat", { choices: [{ index: 0, message: { role: "assistant", content: "Hi." } }] }],
		["completions", { choices: [{ index: 0, text: "Hi." }] }],
		[
			"openai-responses",
			{ output: [{ type: "message", content: [{ type: "output_text", text: "Hi." }] }], error: null },
		],
		["ollama", { message: { role: "assistant", content: "Hi." }, done: true }],
		["ollama", { response: "Hi.", done: true }],
		["gemini", { candidates: [{ content: { parts: [{ text: "Hi." }] } }] }],
		["gemini", [{ candidates: [{ content: { parts: [{ text: "Hi." }] } }] }]],
	];
	for (const [dialect, body] of replies) {
		const read = readConversation(dialect, "{}", JSON.stringify(body));
		assert.deepEqual(read?.reply, { blocks: [text("Hi.")] }, dialect);
	}
});

test("an error in a response is read in every dialect", () => {
	const failed: [dialect: string, body: string][] = [
		["anthropic", 'event: error\ndata: {"type":"error","error":{"message":"no"}}\n\n'],
		["openai-chat", 'data: {"error":{"message":"no"}}\n\n'],
		["openai-responses", 'data: {"type":"response.failed","response":{"error":{"message":"no"}}}\n\n'],
		["ollama", '{"error":"no"}'],
	];
	for (const [dialect, body] of failed) {
		assert.equal(readConversation(dialect, "{}", body)?.reply.error, "no", dialect);
	}
});

test("tools that auto mode ran are read once, with their results", () => {
	const ran = {
		round: 1,
		call: { id: "c1", name: "look", input: { at: 1 } },
		result: { id: "c1", content: [{ type: "text", text: "a cat" }], is_error: false },
	};
	const events = stream(
		{ choices: [], copilot_proxy: { tools: [ran] } },
		{ choices: [{ index: 0, delta: { content: "Done." } }] },
		{ choices: [], copilot_proxy: { tools: [ran] } },
	);
	const read = readConversation("openai-chat", "{}", events);
	assert.deepEqual(read?.reply.blocks, [call("look", { at: 1 }, "c1", "a cat"), text("Done.")]);
});

test("prompts without messages are read", () => {
	const turns = [{ role: "user", blocks: [text("Hi.")] }];
	assert.deepEqual(readConversation("completions", '{"prompt":"Hi."}', "")?.turns, turns);
	assert.deepEqual(readConversation("ollama", '{"prompt":"Hi."}', "")?.turns, turns);
	assert.deepEqual(readConversation("openai-responses", '{"input":"Hi."}', "")?.turns, turns);
	assert.equal(readConversation("openai-chat", "[]", ""), undefined);
	assert.equal(readConversation("unknown", "{}", ""), undefined);
});

test("no part of a malformed body is trusted", () => {
	const odd = {
		messages: [1, null, { role: 5, content: [{ type: {} }, "x", { type: "image" }] }],
		tools: {},
	};
	for (const dialect of Object.keys(BODIES)) {
		const input = { ...odd, input: odd.messages, system: 7, instructions: [] };
		assert.ok(readConversation(dialect, JSON.stringify(input), 'data: {"choices":[1],"delta":5}\n\n'));
	}
});

test("an image elsewhere is described and not loaded", () => {
	const content = [{ type: "image_url", image_url: { url: "https://evil.test/x.png" } }];
	const request = JSON.stringify({ messages: [{ role: "user", content }] });
	const [turn] = readConversation("openai-chat", request, "")?.turns ?? [];
	assert.deepEqual(turn?.blocks, [{ kind: "image", description: "Image at https://evil.test/x.png" }]);
});

test("a body that was cut anywhere is read up to there", () => {
	const { request } = BODIES.anthropic ?? {};
	const whole = JSON.stringify(request);
	for (let length = 1; length <= whole.length; length += 1) {
		const read = parsePartial(whole.slice(0, length));
		assert.equal(typeof read, "object", whole.slice(0, length));
	}
	assert.deepEqual(parsePartial('{"a":[1,{"b":"x\\u00'), { a: [1, { b: "x" }] });
	assert.deepEqual(parsePartial('{"a":1,"b'), { a: 1 });
	assert.deepEqual(parsePartial('{"a":tru'), {});
	assert.equal(parsePartial("nothing"), undefined);
	assert.equal(parsePartial("]"), undefined);
});
