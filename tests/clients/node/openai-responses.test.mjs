// The official openai SDK for Node on responses: whole and streamed responses, calls, stored responses, structured output, errors.

import assert from "node:assert/strict";
import { test } from "node:test";
import OpenAI from "openai";
import { zodTextFormat } from "openai/helpers/zod";
import { z } from "zod";
import { collect, startDemo } from "./demo.mjs";

const client = new OpenAI({ baseURL: `${await startDemo()}/v1`, apiKey: "unused", maxRetries: 0 });
const ask = (input, more = {}) => client.responses.create({ model: "scripted-1", input, ...more });
const WEATHER = {
	type: "function",
	name: "get_weather",
	description: "The weather in a town",
	parameters: { type: "object", properties: { town: { type: "string" } }, required: ["town"], additionalProperties: false },
	strict: true,
};

test("whole response", async () => {
	const { output_text, status, model } = await ask("say:Hello from the demo.");
	assert.deepEqual([output_text, status, model], ["Hello from the demo.", "completed", "scripted-1"]);
});

test("streamed response with numbered events", async () => {
	const events = await collect(await ask("slow:3 50", { stream: true }));
	assert.deepEqual(
		events.filter((event) => event.type === "response.output_text.delta").map((event) => event.delta),
		["p0 ", "p1 ", "p2 "],
	);
	assert.deepEqual(events.map((event) => event.sequence_number), [...events.keys()]);
	assert.equal(events.at(-1).type, "response.completed");
});

test("the stream helper collects the response", async () => {
	const stream = client.responses.stream({ model: "scripted-1", input: "think:Hm.\nsay:piece by piece" });
	const response = await stream.finalResponse();
	assert.equal(response.output_text, "piece by piece");
	assert.deepEqual(response.output.map((item) => item.type), ["reasoning", "message"]);
});

test("a turn with a call and its result, by history and by previous_response_id", async () => {
	const script = 'call:get_weather {"town":"Ulm"}\nthen:\nsay:Sunny in Ulm.';
	const asked = await ask(script, { tools: [WEATHER] });
	const [call] = asked.output;
	assert.deepEqual([call.name, JSON.parse(call.arguments)], ["get_weather", { town: "Ulm" }]);

	const result = { type: "function_call_output", call_id: call.call_id, output: "sunny" };
	const byHistory = await ask([{ role: "user", content: script }, ...asked.output, result], { tools: [WEATHER] });
	const byMemory = await ask([result], { previous_response_id: asked.id, tools: [WEATHER] });
	assert.deepEqual([byHistory.output_text, byMemory.output_text], ["Sunny in Ulm.", "Sunny in Ulm."]);
});

test("a parsed response fits its schema", async () => {
	const response = await client.responses.parse({
		model: "scripted-1",
		input: 'call:person {"name":"Ada","age":36}',
		text: { format: zodTextFormat(z.object({ name: z.string(), age: z.number() }), "person") },
	});
	assert.deepEqual(response.output_parsed, { name: "Ada", age: 36 });
});

test("failures have their error classes", async () => {
	await assert.rejects(ask("say:x", { model: "no-such-thing" }), OpenAI.NotFoundError);
	await assert.rejects(ask("fail:ChatRateLimited slow down"), OpenAI.RateLimitError);
	await assert.rejects(ask("fail:ChatRateLimited no", { stream: true }), OpenAI.RateLimitError);
	await assert.rejects(ask("say:x", { previous_response_id: "resp_never" }), OpenAI.APIError);
});

test("a failure in mid-stream ends with response.failed", async () => {
	const events = await collect(await ask("say:half a\nfail:Error the model broke off", { stream: true }));
	assert.equal(events.at(-1).type, "response.failed");
	assert.match(events.at(-1).response.error.message, /the model broke off/);
});
