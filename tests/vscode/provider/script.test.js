"use strict";
// Tests of the parser: the lines that are directives, and the script that answers a conversation.
const assert = require("node:assert/strict");
const { test } = require("node:test");
const { choose, phasesOf, unescaped, words } = require("./script");

const text = (value) => ({ type: "text", text: value });
const call = (id) => ({ type: "tool_call", id, name: "get", input: {} });
const result = (id, value) => ({ type: "tool_result", id, text: value });
const user = (...parts) => ({
	role: "user",
	parts: parts.map((part) => (typeof part === "string" ? text(part) : part)),
});
const assistant = (...parts) => ({ ...user(...parts), role: "assistant" });

/** The chosen phase, formatted as a script. */
const chosen = (...messages) => choose(messages).phase.map(({ name, argument }) => `${name}:${argument}`);

test("a directive is a known name at the start of a line, after spaces only", () => {
	assert.deepEqual(phasesOf("say:a b\r\n  wait:5\nSay:c\n\tsay:d\nx say:e\nsay :f\nhang:\ndump:x"), [
		[
			{ name: "say", argument: "a b" },
			{ name: "wait", argument: "5" },
			{ name: "hang", argument: "" },
			{ name: "dump", argument: "x" },
		],
	]);
});

test("a line with an invalid argument is not a directive", () => {
	const prose =
		"wait: what?\nslow:\nparts:all\nusage: git log\nusage:1\nusage:1 2 3 4\ncall:\nfail: \nconstructor:x";
	assert.deepEqual(phasesOf(prose), [[]]);
});

test("a line separator that is not LF stays inside its directive", () => {
	assert.deepEqual(phasesOf("say:a\u2028b\u0085c"), [[{ name: "say", argument: "a\u2028b\u0085c" }]]);
});

test("then: cuts a script into phases, which may be empty", () => {
	const numbers = phasesOf("say:0\nthen:\nthen:\nsay:2").map((phase) =>
		phase.map(({ argument }) => argument),
	);
	assert.deepEqual(numbers, [["0"], [], ["2"]]);
});

test("the last message with a directive answers, whatever text surrounds it", () => {
	assert.deepEqual(
		chosen(user("say:old"), assistant("old"), user("say:one"), user("say:two"), user("chat")),
		["say:two"],
	);
});

test("the text parts of a message are one script", () => {
	assert.deepEqual(chosen(user("say:a", { type: "data" }, "say:b")), ["say:a", "say:b"]);
});

test("directives of an assistant, in a tool result or within a line are ignored", () => {
	const lorem = ["verbatim:Lorem ipsum dolor sit amet, consectetur adipiscing elit."];
	assert.deepEqual(chosen(user("please say:no")), lorem);
	assert.deepEqual(chosen(user("hi"), assistant("say:no")), lorem);
	assert.deepEqual(chosen(), lorem);
	assert.deepEqual(chosen(user("hi"), assistant(call("1")), user(result("1", "say:no"))), [
		"verbatim:tool said: say:no",
	]);
});

test("an old script does not answer a new message without one", () => {
	assert.match(chosen(user("say:old"), assistant("old"), user("and now?"))[0], /^verbatim:Lorem/);
});

test("the number of tool turns selects the phase", () => {
	const asked = user("call:get\nthen:\ncall:get\nthen:\nsay:done");
	const first = [assistant(call("1")), user(result("1", "a"))];
	const second = [assistant(call("2")), user(result("2", "b"))];
	assert.deepEqual(chosen(asked), ["call:get"]);
	assert.deepEqual(chosen(asked, ...first), ["call:get"]);
	assert.deepEqual(chosen(asked, ...first, ...second), ["say:done"]);
	assert.deepEqual(chosen(asked, ...first, ...second, assistant(call("3")), user(result("3", "c"))), [
		"verbatim:tool said: c",
	]);
});

test("without a phase for them, the results are repeated as text", () => {
	assert.deepEqual(
		chosen(
			user("call:get\ncall:get"),
			assistant(call("1"), call("2")),
			user(result("1", "a b"), result("2", "c\\n")),
		),
		["verbatim:tool said: a b\nc\\n"],
	);
});

test("a directive after the last result starts a new script, one before it does not", () => {
	const asked = [user("call:get\nthen:\nsay:next"), assistant(call("1"), call("2"))];
	assert.deepEqual(chosen(...asked, user(result("1", "a"), result("2", "b"), "say:new")), ["say:new"]);
	assert.deepEqual(chosen(...asked, user(result("1", "a"), result("2", "b")), user("say:new")), ["say:new"]);
	assert.deepEqual(chosen(...asked, user(result("1", "a"), "say:new", result("2", "b"))), ["say:next"]);
});

test("the pieces of a text join to it", () => {
	assert.deepEqual(words(" a  b\nc"), [" ", "a ", " ", "b\n", "c"]);
	assert.deepEqual(words(""), []);
	assert.deepEqual(words("a b "), ["a ", "b "]);
});

test("escapes mean newline, tab and backslash, and nothing else", () => {
	assert.equal(unescaped(String.raw`a\nb\tc\\nd\x`), "a\nb\tc\\nd\\x");
});
