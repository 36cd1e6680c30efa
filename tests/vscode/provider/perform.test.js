"use strict";
// The language's doing: what each directive gives, and how an answer ends.
const assert = require("node:assert/strict");
const { test } = require("node:test");
const { count, perform } = require("./perform");
const { phasesOf } = require("./script");

const stage = {
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
	for await (const part of perform(phasesOf(script)[0], { ...stage, ...more })) parts.push(part);
	return parts;
}
const textsOf = async (script, more) => (await partsOf(script, more)).map(({ text }) => text);

test("say streams its words", async () => {
	assert.deepEqual(await textsOf(String.raw`say:Hello, big\nworld`), ["Hello, ", "big\n", "world"]);
});

test("units streams single UTF-16 units, halves of a pair apart", async () => {
	assert.deepEqual(await textsOf("units:a😀"), ["a", "\ud83d", "\ude00"]);
});

test("slow and parts number their parts", async () => {
	assert.deepEqual(await textsOf("slow:2 1"), ["p0 ", "p1 "]);
	assert.deepEqual(await textsOf("parts:2"), ["0...", "1..."]);
	assert.deepEqual((await textsOf("parts:12 1")).slice(8), ["8", "9", "1", "1"]);
});

test("think is a part of its own kind", async () => {
	assert.deepEqual(await partsOf("think:hm hm"), [{ type: "thinking", text: "hm hm" }]);
});

test("calls have ids of their own, and an object as input", async () => {
	const [first, second, third] = await partsOf('call:get {"a":1}\ncall:get\ncall:get {oops');
	assert.deepEqual([first.name, first.input, second.input, third.input], ["get", { a: 1 }, {}, {}]);
	assert.equal(new Set([first.id, second.id, third.id]).size, 3);
});

test("a call to a tool that the request lacks is said instead", async () => {
	assert.equal((await textsOf("call:put {}")).join(""), "no such tool: put");
});

test("fail throws its code and message after what stood before it", async () => {
	const seen = [];
	const failing = async () => {
		for await (const { text } of perform(phasesOf("say:half\nfail:Blocked too many requests")[0], stage))
			seen.push(text);
	};
	await assert.rejects(failing, { code: "Blocked", message: "too many requests" });
	assert.deepEqual(seen, ["half"]);
});

test("hang goes on until it is cancelled", () => assert.rejects(textsOf("say:a\nhang:\nsay:b"), /cancelled/));

test("dump and stats are lines of JSON", async () => {
	assert.equal(
		(await textsOf("dump:")).join(""),
		'{"messages":[],"tools":[],"toolMode":"auto","modelOptions":{}}',
	);
	assert.equal((await textsOf("stats:")).join(""), '{"started":1}');
});

test("an answer ends with a count when told to, or when its model always does", async () => {
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
