"use strict";
// Tests of the interpreter: the parts of each directive, and the usage.
const assert = require("node:assert/strict");
const { test } = require("node:test");
const { count, interpret } = require("./interpreter");
const { phasesOf } = require("./script");

const context = {
	count,
	forever: () => Promise.reject(new Error("cancelled")),
	given: () => ({ messages: [], tools: [], toolMode: "auto", modelOptions: {} }),
	pause: () => Promise.resolve(),
	prompt: () => ["12345", "1"],
	reportsUsage: false,
	stats: () => ({ started: 1 }),
	tools: [{ name: "get" }],
};

async function partsOf(script, more) {
	const parts = [];
	for await (const part of interpret(phasesOf(script)[0], { ...context, ...more })) parts.push(part);
	return parts;
}
const textsOf = async (script, more) => (await partsOf(script, more)).map(({ text }) => text);

test("say streams its words", async () => {
	assert.deepEqual(await textsOf(String.raw`say:Hello, big\nworld`), ["Hello, ", "big\n", "world"]);
});

test("units streams single UTF-16 units, surrogates separately", async () => {
	assert.deepEqual(await textsOf("units:a😀"), ["a", "\ud83d", "\ude00"]);
});

test("slow and parts number their parts", async () => {
	assert.deepEqual(await textsOf("slow:2 1"), ["p0 ", "p1 "]);
	assert.deepEqual(await textsOf("parts:2"), ["0...", "1..."]);
	assert.deepEqual((await textsOf("parts:12 1")).slice(8), ["8", "9", "1", "1"]);
});

test("think yields a thinking part", async () => {
	assert.deepEqual(await partsOf("think:hm hm"), [{ type: "thinking", text: "hm hm" }]);
});

test("calls have unique ids, and an object as input", async () => {
	const [first, second, third] = await partsOf('call:get {"a":1}\ncall:get\ncall:get {oops');
	assert.deepEqual([first.name, first.input, second.input, third.input], ["get", { a: 1 }, {}, {}]);
	assert.equal(new Set([first.id, second.id, third.id]).size, 3);
});

test("a call to a tool that the request lacks becomes text", async () => {
	assert.equal((await textsOf("call:put {}")).join(""), "no such tool: put");
});

test("fail throws its code and message after the parts before it", async () => {
	const seen = [];
	const failing = async () => {
		for await (const { text } of interpret(phasesOf("say:half\nfail:Blocked too many requests")[0], context))
			seen.push(text);
	};
	await assert.rejects(failing, { code: "Blocked", message: "too many requests" });
	assert.deepEqual(seen, ["half"]);
});

test("hang waits until it is cancelled", () => assert.rejects(textsOf("say:a\nhang:\nsay:b"), /cancelled/));

test("dump and stats yield JSON", async () => {
	assert.equal(
		(await textsOf("dump:")).join(""),
		'{"messages":[],"tools":[],"toolMode":"auto","modelOptions":{}}',
	);
	assert.equal((await textsOf("stats:")).join(""), '{"started":1}');
});

test("a response ends with usage if the script or the model says so", async () => {
	const usage = async (script, more) =>
		(await partsOf(script, more)).filter(({ mime }) => mime === "usage").map(({ data }) => JSON.parse(data));
	const counts = (prompt, completion, cached, reasoning = 0) => ({
		prompt_tokens: prompt,
		completion_tokens: completion,
		total_tokens: prompt + completion,
		prompt_tokens_details: { cached_tokens: cached },
		completion_tokens_details: { reasoning_tokens: reasoning },
	});
	const reporting = { reportsUsage: true };
	assert.deepEqual(await usage("say:hello"), []);
	assert.deepEqual(await usage("usage:7 5 3\nsay:hello"), [counts(7, 5, 3)]);
	assert.deepEqual(await usage("say:hello", reporting), [counts(3, 2, 0)]);
	assert.deepEqual(await usage("think:hm hm\nsay:hello", reporting), [counts(3, 3, 0, 2)]);
	assert.deepEqual(await usage("say:hello\nusage:7 5", reporting), [counts(7, 5, 0)]);
	assert.deepEqual(await usage("say:hello\ncut:", reporting), []);
});
