// Every dialect through a real VS Code: thinking, tools, images, long prompts and usage.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, test } from "node:test";
import { dataOf, dialects, responseText, startProxy } from "./harness/index.mjs";

const { messages, responses } = dialects;
const GET = {
	name: "get",
	description: "Gets.",
	schema: { type: "object", properties: { a: { type: "number" } } },
};
// One red pixel.
const PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC";

let proxy;
let window;

before(async () => {
	proxy = await startProxy();
	window = await proxy.editor.open();
	await proxy.untilServing();
});
after(() => proxy?.stop());

/** A whole answer. */
async function asked({ path, request }, script, more) {
	const { status, json, text } = await proxy.ask(path, { body: request(script, more) });
	assert.equal(status, 200, text);
	return json;
}

/** The data of each event of a streamed answer. */
const streamed = async ({ path, request }, script, more) =>
	dataOf(await proxy.open(path, { body: request(script, more) }));

/** The request as the model got it; its last message must end with `dump:`. */
const dumped = async (dialect, more) => JSON.parse(dialect.textOf(await asked(dialect, "", more)));

test("messages: thinking comes before the text, in a block of its own", async () => {
	const { content, stop_reason: reason } = await asked(messages, "think:hm\nsay:so");
	assert.deepEqual(
		content.map(({ type, thinking, text }) => [type, thinking ?? text]),
		[
			["thinking", "hm"],
			["text", "so"],
		],
	);
	assert.equal(reason, "end_turn");
	const events = await streamed(messages, "think:hm\nsay:so");
	assert.deepEqual(
		events
			.filter(({ type }) => type.startsWith("content_block"))
			.map(({ type, index, delta }) => [type, index, delta?.type]),
		[
			["content_block_start", 0, undefined],
			["content_block_delta", 0, "thinking_delta"],
			["content_block_delta", 0, "signature_delta"],
			["content_block_stop", 0, undefined],
			["content_block_start", 1, undefined],
			["content_block_delta", 1, "text_delta"],
			["content_block_stop", 1, undefined],
		],
	);
});

test("responses: thinking is a reasoning item before the message", async () => {
	const { output, status } = await asked(responses, "think:hm\nsay:so");
	assert.equal(status, "completed");
	assert.deepEqual(
		output.map(({ type }) => type),
		["reasoning", "message"],
	);
	assert.match(JSON.stringify(output[0]), /hm/);
	const events = await streamed(responses, "think:hm\nsay:so");
	assert.deepEqual(
		events.map(({ sequence_number: number }) => number),
		events.map((_, at) => at),
	);
	assert.equal(events.at(-1).type, "response.completed");
	assert.deepEqual(
		events.at(-1).response.output.map(({ type }) => type),
		["reasoning", "message"],
	);
});

const SCRIPT = 'say:I look.\ncall:get {"a":1}\nthen:\nsay:It is two.';

test("messages: the model calls a client tool and gets its result", async () => {
	const tools = [messages.tool(GET)];
	const first = await asked(messages, SCRIPT, { tools });
	const [, call] = first.content;
	assert.deepEqual(first.content, [
		{ type: "text", text: "I look.", citations: null },
		{ type: "tool_use", id: call.id, name: "get", input: { a: 1 }, caller: { type: "direct" } },
	]);
	assert.equal(first.stop_reason, "tool_use");
	const second = await asked(messages, "", {
		tools,
		messages: [
			{ role: "user", content: SCRIPT },
			{ role: "assistant", content: first.content },
			{ role: "user", content: [{ type: "tool_result", tool_use_id: call.id, content: "2" }] },
		],
	});
	assert.equal(messages.textOf(second), "It is two.");
});

test("responses: the model calls a client tool and gets its result", async () => {
	const tools = [responses.tool(GET)];
	const first = await asked(responses, SCRIPT, { tools });
	const call = first.output.find(({ type }) => type === "function_call");
	assert.deepEqual([call.name, JSON.parse(call.arguments)], ["get", { a: 1 }]);
	const second = await asked(responses, "", {
		tools,
		previous_response_id: first.id,
		input: [{ type: "function_call_output", call_id: call.call_id, output: "2" }],
	});
	assert.equal(responses.textOf(second), "It is two.");
});

const pictures = {
	chat: [
		{ type: "image_url", image_url: { url: `data:image/png;base64,${PNG}` } },
		{ type: "text", text: "dump:" },
	],
	messages: [
		{ type: "image", source: { type: "base64", media_type: "image/png", data: PNG } },
		{ type: "text", text: "dump:" },
	],
	responses: [
		{ type: "input_image", image_url: `data:image/png;base64,${PNG}` },
		{ type: "input_text", text: "dump:" },
	],
};
for (const [name, content] of Object.entries(pictures)) {
	test(`${name}: an image reaches the model unchanged`, async () => {
		const said = [{ role: "user", content }];
		const { messages } = await dumped(
			dialects[name],
			name === "responses" ? { input: said } : { messages: said },
		);
		const bytes = Buffer.from(PNG, "base64");
		const data = {
			type: "data",
			mime: "image/png",
			bytes: bytes.length,
			sha256: createHash("sha256").update(bytes).digest("hex"),
		};
		assert.deepEqual(
			messages.flatMap(({ parts }) => parts),
			[data, { type: "text", text: "dump:" }],
		);
	});
}

for (const [name, dialect] of Object.entries(dialects)) {
	for (const stream of [false, true]) {
		test(`${name}: a prompt of 200 kB reaches the model, ${stream ? "streamed" : "whole"}`, async () => {
			const prompt = `${"Ein Satz von vielen, mit Grüßen. ".repeat(6_000)}\nsay:read`;
			assert.equal(await responseText(dialect, proxy, prompt, { stream }), "read");
			const [message] = await window.provider(({ state }) => state.requests.at(-1).messages);
			assert.deepEqual(message, { role: "user", parts: [{ type: "text", text: prompt }] });
		});
	}
}

test("each turn of a long conversation reaches the model whole, with images and tools", async () => {
	const image = { type: "image", source: { type: "base64", media_type: "image/png", data: PNG } };
	const history = [...Array(12).keys()].map((turn) => ({
		role: turn % 2 === 0 ? "user" : "assistant",
		content: [
			{ type: "text", text: `${turn} ${"größer, 大きい. ".repeat(500)}` },
			...(turn === 4 ? [image] : []),
		],
	}));
	const tools = [...Array(6).keys()].map((number) => ({
		name: `tool_${number}`,
		description: "Does something.",
		input_schema: { type: "object", properties: { a: { type: "number" } } },
	}));
	const bytes = Buffer.from(PNG, "base64");
	const sha256 = createHash("sha256").update(bytes).digest("hex");
	for (const turns of [8, 10, 12, 12]) {
		const said = [...history.slice(0, turns), { role: "user", content: "dump:" }];
		const found = await dumped(messages, { messages: said, tools, max_tokens: 100_000 });
		assert.deepEqual(
			found.messages.map(({ role, parts }) => [role, parts]),
			said.map(({ role, content }) => [
				role,
				[content].flat().map((part) => {
					const text = typeof part === "string" ? part : part.text;
					return text === undefined
						? { type: "data", mime: "image/png", bytes: bytes.length, sha256 }
						: { type: "text", text };
				}),
			]),
		);
		assert.equal(found.tools.length, tools.length);
	}
});

test("the usage is the provider's in every dialect, whole and streamed", async () => {
	const script = "usage:70 5 30\nsay:counted";
	const more = { model: "scripted-usage" };
	const chat = await asked(dialects.chat, script, more);
	assert.deepEqual(
		[chat.usage.prompt_tokens, chat.usage.completion_tokens, chat.usage.prompt_tokens_details.cached_tokens],
		[70, 5, 30],
	);
	const counts = ({ input_tokens: input, output_tokens: output, ...rest }) => [
		input,
		output,
		rest.cache_read_input_tokens ?? rest.input_tokens_details.cached_tokens,
	];
	assert.deepEqual(counts((await asked(messages, script, more)).usage), [40, 5, 30]);
	assert.deepEqual(counts((await asked(responses, script, more)).usage), [70, 5, 30]);
	const [delta] = (await streamed(messages, script, more)).filter(({ type }) => type === "message_delta");
	assert.deepEqual(counts(delta.usage), [40, 5, 30]);
	assert.deepEqual(counts((await streamed(responses, script, more)).at(-1).response.usage), [70, 5, 30]);
});

test("a truncated response is marked in every dialect", async () => {
	const cut = (dialect) => asked(dialect, "cut:\nsay:and then", { model: "scripted-usage" });
	assert.equal((await cut(dialects.chat)).choices[0].finish_reason, "length");
	assert.equal((await cut(messages)).stop_reason, "max_tokens");
	const { status, incomplete_details: why } = await cut(responses);
	assert.deepEqual([status, why], ["incomplete", { reason: "max_output_tokens" }]);
});
