"use strict";
// Tests of Copilot's rules: refused requests with their messages, and dropped content.
const assert = require("node:assert/strict");
const { test } = require("node:test");
const { asRead, refusal } = require("./rules");

const text = (value) => ({ type: "text", text: value });
const call = (id) => ({ type: "tool_call", id, name: "get", input: {} });
const result = (id) => ({ type: "tool_result", id, text: "" });
const user = (...parts) => ({ role: "user", parts });
const assistant = (...parts) => ({ role: "assistant", parts });
const request = (more) => ({
	messages: [user(text("hi"))],
	tools: [],
	toolMode: "auto",
	modelOptions: {},
	...more,
});
const tools = (length) => Array.from({ length }, (_, i) => ({ name: `tool-${i}` }));

test("a legal request is accepted", () => {
	assert.equal(refusal(request({ tools: tools(128) })), undefined);
	assert.equal(refusal(request({ tools: tools(1), toolMode: "required" })), undefined);
	assert.equal(refusal(request({ toolMode: "required" })), undefined);
});

test("each refusal has Copilot's message", () => {
	const refused = (more) => refusal(request(more));
	assert.equal(
		refused({ tools: tools(2), toolMode: "required" }),
		"LanguageModelChatToolMode.Required is not supported with more than one tool",
	);
	assert.equal(refused({ tools: tools(129) }), "Cannot have more than 128 tools per request.");
	assert.equal(
		refused({ tools: [{ name: "a.b" }] }),
		'Invalid tool name "a.b": only alphanumeric characters, hyphens, and underscores are allowed.',
	);
	assert.equal(refused({ messages: [] }), "Invalid request: no messages.");
});

test("every call needs its result directly after it", () => {
	const calls = assistant(call("1"), call("2"));
	const refused = (...messages) => refusal(request({ messages }))?.match(/response messages: (\w+)/)[1];
	assert.equal(refused(calls, user(result("2"), result("1"), text("and"))), undefined);
	assert.equal(refused(calls, user(result("1")), user(result("2"))), undefined);
	assert.equal(refused(calls, user(result("1"), text("and"), result("2"))), "2");
	assert.equal(refused(calls, assistant(text("no")), user(result("1"), result("2"))), "1");
	assert.equal(refused(user(text("hi")), calls), "1");
});

test("a list of stop strings and an assistant's later texts are dropped", () => {
	const read = asRead(
		request({
			messages: [user(text("a"), text("b")), assistant(text("a"), call("1"), text("b"))],
			modelOptions: { stop: ["x"], temperature: 1 },
		}),
	);
	assert.deepEqual(read.messages, [user(text("a"), text("b")), assistant(text("a"), call("1"))]);
	assert.deepEqual(read.modelOptions, { temperature: 1 });
	assert.deepEqual(asRead(request({ modelOptions: { stop: "x" } })).modelOptions, { stop: "x" });
});
