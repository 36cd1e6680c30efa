"use strict";
// Parses the scripts of the models: the directives of a message, and the phase that answers a conversation. Pure:
// messages are `{role, parts}` as parts.js creates them. interpreter.js runs the phase.

// The name of each directive and its arguments. A line with another argument (`usage: see below`) is not a directive,
// since people and agents write such lines in ordinary prompts.
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

/** The script of one message, or undefined if it has no directive. */
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

/** The phase that answers these messages and its script: `{script, phase}`, the phase a list of directives. */
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

/** A text with its escapes `\n`, `\t` and `\\` replaced. */
const unescaped = (text) =>
	text.replace(/\\([nt\\])/g, (_, letter) => ({ n: "\n", t: "\t", "\\": "\\" })[letter]);

/** The pieces in which a text is streamed: split after every space and newline. */
const words = (text) => text.match(/[^ \n]*[ \n]|[^ \n]+$/g) ?? [];

module.exports = { choose, phasesOf, scriptOf, unescaped, words };
