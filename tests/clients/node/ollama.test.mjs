// The official ollama SDK for Node: chat, generate, tools, structured output, models, and its errors.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Ollama } from "ollama";
import { z } from "zod";
import { collect, startDemo } from "./demo.mjs";

const client = new Ollama({ host: await startDemo() });
const model = "scripted-1";
const user = (content) => [{ role: "user", content }];
const WEATHER = {
	type: "function",
	function: { name: "get_weather", parameters: { type: "object", properties: { town: { type: "string" } } } },
};

test("whole response", async () => {
	const answer = await client.chat({ model, messages: user("think:Hm.\nsay:Hello from the demo."), think: true });
	assert.deepEqual(answer.message, { role: "assistant", content: "Hello from the demo.", thinking: "Hm." });
	assert.deepEqual([answer.model, answer.done, answer.done_reason], [model, true, "stop"]);
	assert.equal(answer.total_duration, answer.load_duration + answer.prompt_eval_duration + answer.eval_duration);
	assert.ok(answer.prompt_eval_count > 0 && answer.eval_count > 0);
});

test("streamed response", async () => {
	const parts = await collect(await client.chat({ model, messages: user("slow:3 50"), stream: true }));
	const last = parts.pop();
	assert.equal(parts.map((part) => part.message.content).join(""), "p0 p1 p2 ");
	assert.ok(parts.every((part) => !part.done));
	assert.deepEqual([last.message.content, last.done, last.done_reason], ["", true, "stop"]);
});

test("text is generated", async () => {
	assert.equal((await client.generate({ model, prompt: "say:Hello." })).response, "Hello.");
	const parts = await collect(await client.generate({ model, prompt: "slow:3 50", stream: true }));
	assert.equal(parts.map((part) => part.response).join(""), "p0 p1 p2 ");
	assert.equal((await client.generate({ model, prompt: "" })).done_reason, "load");
});

test("a turn with calls and their results", async () => {
	const messages = user('call:get_weather {"town":"Ulm"}\nthen:\nsay:Sunny.');
	const { message } = await client.chat({ model, messages, tools: [WEATHER] });
	const called = message.tool_calls.map((call) => [call.function.name, call.function.arguments]);
	assert.deepEqual(called, [["get_weather", { town: "Ulm" }]]);

	const result = { role: "tool", content: "sunny in Ulm", tool_name: "get_weather" };
	const answer = await client.chat({ model, messages: [...messages, message, result], tools: [WEATHER] });
	assert.equal(answer.message.content, "Sunny.");
});

test("output fits its schema", async () => {
	const Person = z.object({ name: z.string(), age: z.number().int() });
	const messages = user('call:answer {"name":"Ada","age":36}');
	const { message } = await client.chat({ model, messages, format: z.toJSONSchema(Person) });
	assert.deepEqual(Person.parse(JSON.parse(message.content)), { name: "Ada", age: 36 });
});

test("models are listed, shown and pulled", async () => {
	const { models } = await client.list();
	const ids = models.map((model) => model.name);
	assert.ok(["scripted-1", "scripted-mini", "gpt-4o"].every((id) => ids.includes(id)), `${ids}`);
	const { capabilities, details } = await client.show({ model: "gpt-4o" });
	assert.deepEqual([capabilities, details.family], [["completion", "tools", "vision", "thinking"], "gpt-4o"]);
	assert.deepEqual(await client.pull({ model: "gpt-4o" }), { status: "success" });
	assert.deepEqual((await client.ps()).models, []);
	assert.match((await client.version()).version, /^0\.\d+\.\d+$/);
});

test("failures have status and message", async () => {
	const fails = (asked, status, message) =>
		assert.rejects(asked, (error) => {
			assert.equal(error.status_code, status);
			assert.match(error.message, message);
			return true;
		});
	await fails(client.chat({ model: "none", messages: user("say:x") }), 404, /^model 'none' not found.*scripted-1/);
	await fails(client.chat({ model, messages: user("fail:ChatQuotaExceeded used up") }), 429, /^used up$/);
	await fails(client.embed({ model, input: "a" }), 400, /VS Code/);
});

test("a failure in mid-stream is thrown after the parts", async () => {
	const stream = await client.chat({ model, messages: user("say:half a\nwait:50\nfail:Error broke off"), stream: true });
	const heard = [];
	await assert.rejects(async () => {
		for await (const part of stream) {
			heard.push(part.message.content);
		}
	}, /broke off/);
	assert.equal(heard.join(""), "half a");
});

test("aborting a stream cancels the model", async () => {
	const stream = await client.chat({ model, messages: user("say:half\nhang:"), stream: true });
	await assert.rejects(async () => {
		for await (const part of stream) {
			assert.equal(part.message.content, "half");
			stream.abort();
		}
	});
	const stats = async () => JSON.parse((await client.generate({ model, prompt: "stats:" })).response);
	while ((await stats()).active > 0) {
		await new Promise((soon) => setTimeout(soon, 20));
	}
	assert.equal((await stats()).cancelled, 1);
});
