"use strict";
// Interprets a phase: generates the parts of a response from its directives. It doesn't depend on VS Code: time and the
// request come in through `context`, whose `pause` and `forever` throw when the request is cancelled.
const { unescaped, words } = require("./script");

// VS Code collects parts until none has come for 30 ms, and loses the collected ones if the response fails.
const HELD_BACK_MS = 150;

// A burst yields to the event loop after so many parts, so that a cancellation is seen.
const BURST = 64;

let calls = 0;

const text = (value) => ({ type: "text", text: value });
function* inWords(value) {
	for (const word of words(value)) yield text(word);
}

/** The error of `fail:` as plain data; parts.js converts it. */
class ScriptedFailure extends Error {
	constructor(code, message) {
		super(message);
		this.code = code;
	}
}

/** The function of each directive; it yields its parts. */
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

	usage() {}, // read by `usageOf`
	cut() {},
};

/** The parts of the response: those of the phase, then the usage, if any. */
async function* interpret(phase, context) {
	const given = [];
	for (const { name, argument } of phase) {
		for await (const part of (await directives[name](argument, context)) ?? []) {
			given.push(part);
			yield part;
		}
	}
	const usage = usageOf(phase, given, context);
	if (usage) yield { type: "data", mime: "usage", data: Buffer.from(JSON.stringify(usage)) };
}

/** The usage of a response: that of `usage:`, else a count if the model reports usage and there is no `cut:`. */
function usageOf(phase, given, { reportsUsage, prompt, count, nanoPerToken = 0 }) {
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
		...(nanoPerToken > 0 && {
			copilot_usage: {
				total_nano_aiu: Math.round(nanoPerToken * (promptTokens - 0.9 * cachedTokens + 5 * completionTokens)),
			},
		}),
	};
}

/** The token count of these models: four characters are a token, rounded up. */
const count = (value) => Math.ceil([...value].length / 4);

const numbers = (argument) => argument.split(/\s+/).filter(Boolean).map(Number);

function objectIn(json) {
	try {
		return json ? JSON.parse(json) : {};
	} catch {
		return {}; // Copilot does the same if the arguments of a call are not JSON
	}
}

module.exports = { count, interpret };
