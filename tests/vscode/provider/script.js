"use strict";
// The scripted models' language, read: which directives a message holds, and which of them answer a conversation.
// Pure, and knows nothing of VS Code: messages are `{role, parts}` as parts.js makes them. Doing it is perform.js.

// Each directive's name and the arguments it takes. A line whose argument doesn't fit (`usage: see below`) is none: people
// and agents write such lines without meaning us.
const ANY = /^/;
const WORD_AND_REST = /^\s*\S/;
const ARGUMENT = {
	say: ANY,
	units: ANY,
	call: WORD_AND_REST,
	slow: /^\s*\d+(\s+\d+)?\s*$/,
	parts: /^\s*\d+(\s+\d+)?\s*$/,
	wait: /^\s*\d+\s*$/,
	hang: ANY,
	think: ANY,
	usage: /^\s*\d+(\s+\d+){1,2}\s*$/,
	cut: ANY,
	fail: WORD_AND_REST,
	dump: ANY,
	stats: ANY,
};
const NEXT_PHASE = /^ *then: *$/;
const LOREM_IPSUM = "Lorem ipsum dolor sit amet, consectetur adipiscing elit.";

/** The phases of one text, each a list of `{name, argument}`. */
function phasesOf(text) {
	const phases = [[]];
	for (const line of text.split(/\r?\n/)) {
		const directive = directiveIn(line);
		if (directive) phases.at(-1).push(directive);
		else if (NEXT_PHASE.test(line)) phases.push([]);
	}
	return phases;
}

function directiveIn(line) {
	const [, name, argument] = /^ *(\w+):(.*)$/s.exec(line) ?? [];
	return Object.hasOwn(ARGUMENT, name) && ARGUMENT[name].test(argument) ? { name, argument } : undefined;
}

/** The script of one message, or undefined if it holds no directive. */
function scriptOf({ role, parts }) {
	if (role !== "user") return undefined;
	const texts = parts.filter(({ type }) => type === "text").map(({ text }) => text);
	const phases = phasesOf(texts.join("\n"));
	return phases.some((phase) => phase.length > 0) ? phases : undefined;
}

/** Whether a directive stands in the message after its last tool result. */
const asksAfterResults = ({ role, parts }) => {
	const lastResult = parts.findLastIndex(({ type }) => type === "tool_result");
	return scriptOf({ role, parts: parts.slice(lastResult + 1) }) !== undefined;
};

const holdsResult = ({ parts }) => parts.some(({ type }) => type === "tool_result");

/** What answers these messages: `{script, phase}`, the phase a list of directives, the script the one it belongs to. */
function choose(messages) {
	const lastAnswer = messages.findLastIndex(({ role }) => role === "assistant");
	const before = messages.slice(0, lastAnswer + 1);
	const tail = messages.slice(lastAnswer + 1);

	const resultAt = tail.findLastIndex(holdsResult);
	const asking = tail.slice(Math.max(resultAt, 0)).findLast(asksAfterResults);
	if (asking) return run(scriptOf(asking), 0);
	if (resultAt < 0) return fixed(LOREM_IPSUM);

	const askedAt = before.findLastIndex((message) => scriptOf(message) !== undefined);
	if (askedAt >= 0) {
		const answers = before.slice(askedAt).filter(({ role }) => role === "assistant").length;
		const script = scriptOf(before[askedAt]);
		if (answers < script.length) return run(script, answers);
	}
	const results = tail.flatMap(({ parts }) => parts).filter(({ type }) => type === "tool_result");
	return fixed(`tool said: ${results.map(({ text }) => text).join("\n")}`);
}

const run = (script, number) => ({ script: script.flat(), phase: script[number] });
const fixed = (text) => ({ script: [], phase: [{ name: "verbatim", argument: text }] });

/** A text with its `\n`, `\t` and `\\` meant. */
const unescaped = (text) =>
	text.replace(/\\([nt\\])/g, (_, letter) => ({ n: "\n", t: "\t", "\\": "\\" })[letter]);

/** The pieces a text is streamed in: cut after every space and every newline. */
const words = (text) => text.match(/[^ \n]*[ \n]|[^ \n]+$/g) ?? [];

module.exports = { choose, phasesOf, scriptOf, unescaped, words };
