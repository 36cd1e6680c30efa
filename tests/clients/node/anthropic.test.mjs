// The official Anthropic SDK for Node: messages, streams, tools, counting, models, and error classes.

import assert from "node:assert/strict";
import { test } from "node:test";
import Anthropic from "@anthropic-ai/sdk";
import { betaTool } from "@anthropic-ai/sdk/helpers/beta/json-schema";
import { collect, startDemo } from "./demo.mjs";

const client = new Anthropic({ baseURL: await startDemo(), apiKey: "unused", maxRetries: 0 });
const question = (script, more = {}) => ({
	model: "scripted-1",
	max_tokens: 1000,
	messages: [{ role: "user", content: script }],
	...more,
});
const WEATHER = {
	name: "get_weather",
	description: "The weather in a town",
	input_schema: { type: "object", properties: { town: { type: "string" } }, required: ["town"] },
};

test("whole message", async () => {
	const message = await client.messages.create(question("say:Hello from the demo."));
	assert.deepEqual(
		[message.content.map((block) => block.text), message.stop_reason, message.model],
		[["Hello from the demo."], "end_turn", "scripted-1"],
	);
	assert.ok(message._request_id);
});

test("streamed message with its events in order", async () => {
	const events = await collect(await client.messages.create(question("slow:3 50", { stream: true })));
	const delta = "content_block_delta";
	assert.deepEqual(
		events.map((event) => event.type).filter((type) => type !== "ping"),
		["message_start", "content_block_start", delta, delta, delta, "content_block_stop", "message_delta", "message_stop"],
	);
});

test("the stream helper collects the message", async () => {
	const pieces = [];
	const stream = client.messages.stream(question("think:Hm.\nsay:piece by piece"));
	stream.on("text", (piece) => pieces.push(piece));
	const { content } = await stream.finalMessage();
	assert.equal(pieces.join(""), "piece by piece");
	assert.deepEqual(content.map((block) => block.type), ["thinking", "text"]);
});

test("a turn with calls and their results", async () => {
	const script = 'say:Look.\ncall:get_weather {"town":"Ulm"}\ncall:get_weather {"town":"Bonn"}\nthen:\nsay:Sunny.';
	const asked = await client.messages.stream(question(script, { tools: [WEATHER] })).finalMessage();
	const calls = asked.content.filter((block) => block.type === "tool_use");
	assert.deepEqual([calls.map((call) => call.input), asked.stop_reason], [[{ town: "Ulm" }, { town: "Bonn" }], "tool_use"]);

	const results = calls.map((call) => ({ type: "tool_result", tool_use_id: call.id, content: "sun" }));
	const messages = [
		{ role: "user", content: script },
		{ role: "assistant", content: asked.content },
		{ role: "user", content: results },
	];
	const answer = await client.messages.create(question("", { messages, tools: [WEATHER] }));
	assert.equal(answer.content[0].text, "Sunny.");
});

test("the tool runner takes a whole turn", async () => {
	const towns = [];
	const tool = betaTool({
		name: "get_weather",
		description: "The weather in a town",
		inputSchema: { type: "object", properties: { town: { type: "string" } }, required: ["town"] },
		run: ({ town }) => {
			towns.push(town);
			return "sunny";
		},
	});
	const script = 'call:get_weather {"town":"Ulm"}\nthen:\ncall:get_weather {"town":"Bonn"}\nthen:\nsay:Sunny in both.';
	const message = await client.beta.messages.toolRunner(question(script, { tools: [tool] }));
	assert.deepEqual([towns, message.content[0].text], [["Ulm", "Bonn"], "Sunny in both."]);
});

test("tokens are counted", async () => {
	const { input_tokens } = await client.messages.countTokens({
		model: "scripted-1",
		messages: [{ role: "user", content: "hello there ".repeat(1000) }],
	});
	assert.ok(input_tokens >= 2000 && input_tokens < 5000, `${input_tokens}`);
});

test("models are listed in Anthropic's form", async () => {
	const models = await collect(client.models.list());
	assert.ok(models.some((model) => model.id === "scripted-1"));
	assert.ok(models.every((model) => model.type === "model" && model.display_name && model.lifecycle === "active"));
	assert.deepEqual(await client.models.retrieve("scripted-1"), models.find((model) => model.id === "scripted-1"));
});

test("stop sequences and limits end the message", async () => {
	const stopped = await client.messages.create(question("say:one two three", { stop_sequences: ["o thr"] }));
	const limited = await client.messages.create(question("slow:500 1", { max_tokens: 5 }));
	assert.deepEqual([stopped.content[0].text, stopped.stop_reason, stopped.stop_sequence], ["one tw", "stop_sequence", "o thr"]);
	assert.equal(limited.stop_reason, "max_tokens");
});

test("failures have their error classes", async () => {
	await assert.rejects(client.messages.create(question("fail:ChatRateLimited slow down")), Anthropic.RateLimitError);
	await assert.rejects(client.messages.create(question("fail:NoPermissions no")), Anthropic.PermissionDeniedError);
	await assert.rejects(client.messages.create(question("fail:Error boom")), Anthropic.InternalServerError);
	await assert.rejects(client.messages.create(question("say:x", { messages: [] })), (error) => {
		assert.ok(error instanceof Anthropic.BadRequestError);
		assert.equal(error.error.error.type, "invalid_request_error");
		assert.ok(error.requestID);
		return true;
	});
});

test("a failure in mid-stream is thrown after the parts", async () => {
	const heard = [];
	const stream = client.messages.stream(question("say:half a\nfail:Error the model broke off"));
	stream.on("text", (piece) => heard.push(piece));
	await assert.rejects(stream.finalMessage(), (error) => error instanceof Anthropic.APIError && /the model broke off/.test(error.message));
	assert.equal(heard.join(""), "half a");
});
