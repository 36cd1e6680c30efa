"use strict";
// A chosen phase, performed: directives in, the parts of an answer out, one by one. Knows nothing of VS Code: time and
// what the model was given come in through `stage`, and a cancellation is what its `pause` and `forever` throw.
const { unescaped, words } = require("./script");

// VS Code holds an answer's parts back until none has come for 30 ms, and loses those it holds when the answer fails.
const HELD_BACK_MS = 150;

// A burst gives way to the rest of the extension host this often, so that a cancellation in its midst is seen.
const BURST = 64;

let calls = 0;

const text = (value) => ({ type: "text", text: value });
function* inWords(value) {
	for (const word of words(value)) yield text(word);
}

/** The error that a `fail:` asks for, as plain data; parts.js makes it real. */
class ScriptedFailure extends Error {
	constructor(code, message) {
		super(message);
		this.code = code;
	}
}

/** What each directive does; it returns the parts it gives, if any. */
const directives = {
	*verbatim(argument) {
		yield* inWords(argument);
	},

	*say(argument) {
		yield* inWords(unescaped(argument));
	},

	*units(argument) {
		for (const unit of unescaped(argument).split("")) yield text(unit);
	},

	*call(argument, { tools }) {
		const [, name, json] = /^\s*(\S*)\s*(.*)$/s.exec(argument);
		if (!tools.some((tool) => tool.name === name)) return yield* inWords(`no such tool: ${name}`);
		calls += 1;
		yield { type: "tool_call", id: `call_${process.pid}_${calls}`, name, input: objectIn(json) };
	},

	async *slow(argument, { pause }) {
		const [count, pauseMs = 100] = numbers(argument);
		for (let i = 0; i < count; i++) {
			await pause(pauseMs);
			yield text(`p${i} `);
		}
	},

	async *parts(argument, { pause }) {
		const [count, size = 4] = numbers(argument);
		for (let i = 0; i < count; i++) {
			if (i % BURST === BURST - 1) await pause(0);
			yield text(String(i).padEnd(size, ".").slice(0, size));
		}
	},

	async wait(argument, { pause }) {
		await pause(numbers(argument)[0]);
	},

	async hang(_argument, { forever }) {
		await forever();
	},

	*think(argument) {
		yield { type: "thinking", text: unescaped(argument) };
	},

	async fail(argument, { pause }) {
		const [, code, message] = /^\s*(\S*)\s*(.*)$/s.exec(argument);
		await pause(HELD_BACK_MS);
		throw new ScriptedFailure(code, unescaped(message));
	},

	*dump(_argument, { given }) {
		yield* inWords(JSON.stringify(given()));
	},

	*stats(_argument, { stats }) {
		yield* inWords(JSON.stringify(stats()));
	},

	usage() {}, // how the answer ends: see `usageOf`
	cut() {},
};

/** The parts of the answer: the phase's own, then the count of tokens if one is due. */
async function* perform(phase, stage) {
	const given = [];
	for (const { name, argument } of phase) {
		for await (const part of (await directives[name](argument, stage)) ?? []) {
			given.push(part);
			yield part;
		}
	}
	const usage = usageOf(phase, given, stage);
	if (usage) yield { type: "data", mime: "usage", data: Buffer.from(JSON.stringify(usage)) };
}

/** The counts that end an answer: those of `usage:`, else the model's own if it reports any and `cut:` doesn't forbid. */
function usageOf(phase, given, { reportsUsage, prompt, count }) {
	const told = phase.findLast(({ name }) => name === "usage");
	const cut = phase.some(({ name }) => name === "cut");
	if (!told && (cut || !reportsUsage)) return undefined;
	const said = (parts) => parts.map(({ text, input }) => text ?? JSON.stringify(input)).join("");
	const [promptTokens, completionTokens, cachedTokens = 0] = told
		? numbers(told.argument)
		: [prompt().reduce((sum, each) => sum + count(each), 0), count(said(given))];
	const thought = told ? 0 : count(said(given.filter(({ type }) => type === "thinking")));
	return {
		prompt_tokens: promptTokens,
		completion_tokens: completionTokens,
		total_tokens: promptTokens + completionTokens,
		prompt_tokens_details: { cached_tokens: cachedTokens },
		completion_tokens_details: { reasoning_tokens: thought },
	};
}

/** How these models count: four characters are a token, rounded up. */
const count = (value) => Math.ceil([...value].length / 4);

const numbers = (argument) => argument.split(/\s+/).filter(Boolean).map(Number);

function objectIn(json) {
	try {
		return json ? JSON.parse(json) : {};
	} catch {
		return {}; // as Copilot reads a call whose arguments are no JSON
	}
}

module.exports = { count, perform };
