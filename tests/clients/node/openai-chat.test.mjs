// The official openai SDK for Node on chat completions: whole and streamed responses, tools, models, and error classes.

import assert from "node:assert/strict";
import { test } from "node:test";
import OpenAI from "openai";
import { zodResponseFormat } from "openai/helpers/zod";
import { z } from "zod";
import { collect, startDemo } from "./demo.mjs";

const url = await startDemo();
const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: "unused", maxRetries: 0 });
const ask = (script, more = {}) =>
	client.chat.completions.create({ model: "scripted-1", messages: [{ role: "user", content: script }], ...more });
const text = (chunks) => chunks.map((chunk) => chunk.choices[0]?.delta.content ?? "").join("");
const WEATHER = {
	type: "function",
	function: { name: "get_weather", parameters: { type: "object", properties: { town: { type: "string" } } } },
};

test("whole response", async () => {
	const { choices, model, usage } = await ask("say:Hello from the demo.");
	assert.deepEqual(
		{ content: choices[0].message.content, finish: choices[0].finish_reason, model },
		{ content: "Hello from the demo.", finish: "stop", model: "scripted-1" },
	);
	assert.equal(usage.total_tokens, usage.prompt_tokens + usage.completion_tokens);
});

test("streamed response", async () => {
	const chunks = await collect(await ask("slow:3 50", { stream: true }));
	const pieces = chunks.map((chunk) => chunk.choices[0].delta.content).filter(Boolean);
	assert.deepEqual(pieces, ["p0 ", "p1 ", "p2 "]);
	assert.equal(new Set(chunks.map((chunk) => chunk.id)).size, 1);
	assert.equal(chunks.at(-1).choices[0].finish_reason, "stop");
});

test("usage is in the last chunk on request", async () => {
	const chunks = await collect(
		await ask("say:x\nusage:11 7 3", { model: "scripted-usage", stream: true, stream_options: { include_usage: true } }),
	);
	const { prompt_tokens, completion_tokens } = chunks.at(-1).usage;
	assert.deepEqual([chunks.at(-1).choices, prompt_tokens, completion_tokens], [[], 11, 7]);
});

test("models are listed and retrieved", async () => {
	const models = await collect(client.models.list());
	const ids = models.map((model) => model.id);
	assert.ok(["scripted-1", "scripted-mini", "scripted-usage"].every((id) => ids.includes(id)), `${ids}`);
	assert.equal((await client.models.retrieve("scripted-1")).owned_by, "demo");
});

test("an unknown model lists the available ones", async () => {
	await assert.rejects(ask("say:x", { model: "no-such-thing" }), (error) => {
		assert.ok(error instanceof OpenAI.NotFoundError);
		assert.equal(error.code, "model_not_found");
		assert.match(error.message, /scripted-1/);
		assert.ok(error.requestID);
		return true;
	});
});

test("failures have their error classes", async () => {
	await assert.rejects(ask("fail:ChatRateLimited slow down"), OpenAI.RateLimitError);
	await assert.rejects(ask("fail:ChatQuotaExceeded used up"), (error) => {
		assert.ok(error instanceof OpenAI.RateLimitError);
		assert.equal(error.code, "insufficient_quota");
		return true;
	});
	await assert.rejects(ask("fail:Error boom"), OpenAI.InternalServerError);
	await assert.rejects(ask("say:x", { messages: [] }), OpenAI.BadRequestError);
	await assert.rejects(ask("fail:ChatRateLimited no", { stream: true }), OpenAI.RateLimitError);
});

test("a failure in mid-stream is thrown after the parts", async () => {
	const stream = await ask("say:half a\nfail:Error the model broke off", { stream: true });
	const heard = [];
	await assert.rejects(
		async () => {
			for await (const chunk of stream) {
				heard.push(chunk);
			}
		},
		(error) => error instanceof OpenAI.APIError && /the model broke off/.test(error.message),
	);
	assert.equal(text(heard), "half a");
	assert.ok(heard.every((chunk) => chunk.choices[0].finish_reason === null));
});

test("concurrent responses do not mix", async () => {
	const answers = await Promise.all(
		Array.from({ length: 50 }, async (_, number) => text(await collect(await ask(`say:${number} \n`.repeat(20), { stream: true })))),
	);
	assert.deepEqual(answers, answers.map((_, number) => `${number} `.repeat(20)));
});

test("aborting cancels the model", async () => {
	const stats = async () => JSON.parse((await ask("stats:")).choices[0].message.content);
	const before = await stats();
	const stream = await ask("say:here\nhang:", { stream: true });
	for await (const _ of stream) {
		break; // Leaving the loop aborts the request.
	}
	for (let tries = 0; (await stats()).cancelled !== before.cancelled + 1; tries++) {
		assert.ok(tries < 500, "the model was never cancelled");
	}
});

test("every response has its own request id", async () => {
	const answers = await Promise.all([1, 2, 3].map(() => ask("say:x").withResponse()));
	assert.equal(new Set(answers.map(({ response }) => response.headers.get("x-request-id"))).size, 3);
});

test("the tool runner takes a turn with a call and its result", async () => {
	const towns = [];
	const runner = client.chat.completions.runTools({
		model: "scripted-1",
		messages: [{ role: "user", content: 'call:get_weather {"town":"Ulm"}\nthen:\nsay:Sunny in Ulm.' }],
		tools: [
			{
				type: "function",
				function: { ...WEATHER.function, parse: JSON.parse, function: ({ town }) => towns.push(town) && "sunny" },
			},
		],
	});
	assert.equal(await runner.finalContent(), "Sunny in Ulm.");
	assert.deepEqual(towns, ["Ulm"]);
});

test("parallel calls are streamed completely", async () => {
	const script = 'say:Let me look.\ncall:get_weather {"town":"Ulm"}\ncall:get_weather {"town":"Bonn"}';
	const stream = client.chat.completions.stream({
		model: "scripted-1",
		messages: [{ role: "user", content: script }],
		tools: [WEATHER],
	});
	const { message, finish_reason } = (await stream.finalChatCompletion()).choices[0];
	assert.deepEqual(
		message.tool_calls.map((call) => JSON.parse(call.function.arguments)),
		[{ town: "Ulm" }, { town: "Bonn" }],
	);
	assert.deepEqual([message.content, finish_reason], ["Let me look.", "tool_calls"]);
});

test("a parsed response fits its schema", async () => {
	const Person = z.object({ name: z.string(), age: z.number() });
	const completion = await client.chat.completions.parse({
		model: "scripted-1",
		messages: [{ role: "user", content: 'call:person {"name":"Ada","age":36}' }],
		response_format: zodResponseFormat(Person, "person"),
	});
	assert.deepEqual(completion.choices[0].message.parsed, { name: "Ada", age: 36 });
});
