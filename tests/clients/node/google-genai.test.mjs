// The official google-genai SDK for Node: content, streams, chats, functions, schemas, tokens, models and errors.

import assert from "node:assert/strict";
import { test } from "node:test";
import { FunctionCallingConfigMode, GoogleGenAI } from "@google/genai";
import { collect, startDemo } from "./demo.mjs";

const baseUrl = await startDemo();
const { models, chats } = new GoogleGenAI({ apiKey: "unused", httpOptions: { baseUrl } });
const model = "scripted-1";
const WEATHER = {
	name: "get_weather",
	parametersJsonSchema: { type: "object", properties: { town: { type: "string" } } },
};

test("whole response", async () => {
	const config = { thinkingConfig: { includeThoughts: true } };
	const answer = await models.generateContent({ model, contents: "think:Hm.\nsay:Hello from the demo.", config });
	assert.equal(answer.text, "Hello from the demo.");
	const [candidate] = answer.candidates;
	assert.deepEqual([candidate.content.parts[0].text, candidate.content.parts[0].thought], ["Hm.", true]);
	assert.deepEqual([candidate.finishReason, answer.modelVersion], ["STOP", model]);
	assert.ok(answer.usageMetadata.promptTokenCount > 0 && answer.usageMetadata.candidatesTokenCount > 0);
});

test("streamed response", async () => {
	const parts = await collect(await models.generateContentStream({ model, contents: "slow:3 50" }));
	assert.equal(parts.map((part) => part.text).join(""), "p0 p1 p2 ");
	assert.equal(parts.at(-1).candidates[0].finishReason, "STOP");
	assert.ok(parts.at(-1).usageMetadata.totalTokenCount > 0);
});

test("line separators do not split a response", async () => {
	const text = 'Grüße 漢字 👩‍👩‍👧 "quoted"\u2028separated\u0085next';
	const parts = await collect(await models.generateContentStream({ model, contents: `units:${text}` }));
	assert.equal(parts.map((part) => part.text).join(""), text);
});

test("a turn with calls and their results", async () => {
	const functionCallingConfig = { mode: FunctionCallingConfigMode.ANY, allowedFunctionNames: ["get_weather"] };
	const tools = [{ functionDeclarations: [WEATHER] }];
	const user = { role: "user", parts: [{ text: 'call:get_weather {"town":"Ulm"}\nthen:\nsay:Sunny.' }] };
	const asked = await models.generateContent({
		model,
		contents: [user],
		config: { tools, toolConfig: { functionCallingConfig } },
	});
	const [call] = asked.functionCalls;
	assert.deepEqual([call.name, call.args], ["get_weather", { town: "Ulm" }]);

	const functionResponse = { id: call.id, name: call.name, response: { output: "sunny" } };
	const contents = [user, asked.candidates[0].content, { role: "user", parts: [{ functionResponse }] }];
	assert.equal((await models.generateContent({ model, contents, config: { tools } })).text, "Sunny.");
});

test("a turn of a streamed chat", async () => {
	const chat = chats.create({ model, config: { tools: [{ functionDeclarations: [WEATHER] }] } });
	const message = 'think:Hm.\nsay:Look.\ncall:get_weather {"town":"Ulm"}\nthen:\nsay:Sunny.';
	const parts = await collect(await chat.sendMessageStream({ message }));
	const [call] = parts.flatMap((part) => part.functionCalls ?? []);
	const functionResponse = { id: call.id, name: call.name, response: { output: "sunny" } };
	const rest = await collect(await chat.sendMessageStream({ message: [{ functionResponse }] }));
	assert.equal(rest.map((part) => part.text ?? "").join(""), "Sunny.");
});

test("output fits its schema", async () => {
	const properties = { name: { type: "STRING" }, age: { type: "INTEGER" } };
	const config = { responseMimeType: "application/json", responseSchema: { type: "OBJECT", properties } };
	const contents = 'call:answer {"name":"Ada","age":36}';
	const answer = await models.generateContent({ model, contents, config });
	assert.deepEqual(JSON.parse(answer.text), { name: "Ada", age: 36 });
});

test("tokens are counted and models listed", async () => {
	assert.ok((await models.countTokens({ model, contents: "one two three" })).totalTokens > 3);
	const listed = await collect(await models.list({ config: { pageSize: 2 } }));
	const names = listed.map((each) => each.name);
	assert.ok(["models/scripted-1", "models/scripted-mini", "models/gpt-4o"].every((name) => names.includes(name)), `${names}`);
	assert.ok((await models.get({ model: "gpt-4o" })).inputTokenLimit > 0);
});

test("failures have status and message", async () => {
	const fails = (asked, status, message) =>
		assert.rejects(asked, (error) => {
			assert.equal(error.status, status);
			assert.match(error.message, message);
			return true;
		});
	await fails(models.generateContent({ model: "none", contents: "say:x" }), 404, /NOT_FOUND/);
	await fails(models.generateContent({ model, contents: "fail:ChatQuotaExceeded used up" }), 429, /used up/);
	await fails(models.generateContentStream({ model, contents: "fail:ChatQuotaExceeded used up" }), 429, /used up/);
	await fails(models.embedContent({ model, contents: "a" }), 400, /VS Code/);
});

test("a filtered prompt has a block reason", async () => {
	const contents = "fail:Error Filtered by Responsible AI Service";
	const whole = await models.generateContent({ model, contents });
	const [streamed] = await collect(await models.generateContentStream({ model, contents }));
	for (const answer of [whole, streamed]) {
		assert.deepEqual([answer.promptFeedback.blockReason, answer.candidates], ["SAFETY", undefined]);
	}
});

test("a failure in mid-stream is thrown after the parts", async () => {
	const stream = await models.generateContentStream({ model, contents: "say:half a\nwait:50\nfail:Error broke off" });
	const received = [];
	await assert.rejects(async () => {
		for await (const part of stream) {
			received.push(part.text);
		}
	}, /broke off/);
	assert.equal(received.join(""), "half a");
});

test("aborting a stream cancels the model", async () => {
	const stats = async () => JSON.parse((await models.generateContent({ model, contents: "stats:" })).text);
	const { cancelled } = await stats();
	const aborter = new AbortController();
	const config = { abortSignal: aborter.signal };
	const stream = await models.generateContentStream({ model, contents: "say:half\nhang:", config });
	await assert.rejects(async () => {
		for await (const part of stream) {
			assert.equal(part.text, "half");
			aborter.abort();
		}
	});
	while ((await stats()).active > 0) {
		await new Promise((soon) => setTimeout(soon, 20));
	}
	assert.equal((await stats()).cancelled, cancelled + 1);
});
