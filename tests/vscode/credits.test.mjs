// The cost of requests beside GitHub's own Copilot Chat: the service reports the cost of each response in each of its three
// APIs, and responses, `/metrics`, `/v1/usage` and the usage database agree with it to the billionth of
// a credit - with requests that are cancelled, fail, are retried or run tools, and a server that is killed in between.
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { after, before, test } from "node:test";
import { dataOf, dialects, startCopilotMock, startProxy, until } from "./harness/index.mjs";

const MODELS = ["gpt-4.1", "claude-sonnet-4.5", "gpt-5-codex"];
const READ = { name: "read", description: "Reads.", schema: { type: "object", properties: {} } };

let mock;
let proxy;
let window;
/** Costs are numbered, so that each response has one of its own. */
let costs = 0;
/** The cost of the next response of the service, in billionths of a credit. */
const nextCost = () => {
	costs += 1;
	return 100_000_000 + costs * 1_000_003;
};

before(async () => {
	mock = await startCopilotMock();
	proxy = await startProxy({ provider: "sign-in", settings: mock.settings });
	window = await proxy.editor.open(proxy.editor.folder({ "note.txt": "The owl flies at nine." }));
	await window.enableCopilot();
	await untilModels();
	const first = proxy.chat(JSON.stringify({ text: ["allowed"] }), { model: MODELS[0] });
	assert.match(await window.answer("Allow"), /Copilot Proxy/);
	assert.equal((await first).status, 200);
});
after(async () => {
	await proxy?.stop();
	await mock?.stop();
});

const untilModels = () =>
	until(async () => {
		const list = await proxy.get("/v1/models").catch(() => undefined);
		return list?.json?.data?.some(({ id }) => id === MODELS[0]);
	}, "Copilot's models");

const usageOf = (nano) => ({ input: 70, cached: 30, output: 9, reasoning: 0, nano });

/** A wish that costs something each time it is answered. */
const wish = (answer) => JSON.stringify({ ...answer, usage: usageOf(nextCost()) });

/** The credits in a body or in the events of a stream, in billionths; `undefined` if there are none. */
const creditsIn = (value) => {
	// The rounds of auto mode have costs of their own.
	const text = JSON.stringify(value, (name, part) => (name === "rounds" ? undefined : part));
	const all = [...text.matchAll(/"credits":([\d.e-]+),"credits_source":"reported"/g)];
	return all.length === 0 ? undefined : Math.round(Number(all.at(-1)[1]) * 1e9);
};

/** Sends a request whole or streamed; gives its status and its credits. */
async function send(name, model, { text, stream, headers, ...more }) {
	const { path, request } = dialects[name];
	const body = { ...request(text, { model }), ...more };
	if (!stream) {
		const { status, json } = await proxy.ask(path, { body, headers });
		return { status, credits: creditsIn(json) };
	}
	const opened = await proxy.open(path, { body, headers });
	if (opened.status !== 200) {
		opened.hangUp();
		return { status: opened.status };
	}
	return { status: 200, credits: creditsIn(await dataOf(opened)) };
}

/** All kinds of requests in a dialect with a model: each returns its status and its credits. */
const kinds = {
	plain: (name, model, stream) => send(name, model, { text: wish({ text: ["Hello"] }), stream }),
	// The model writes text where a call is required; the retry costs, too.
	retried: (name, model, stream) => {
		// With two tools the choice is an instruction.
		const tools = ["read", "look"].map((tool) => dialects[name].tool({ ...READ, name: tool }));
		const calls = [{ id: "call_1", name: "read", input: {} }];
		const answer = {
			text: ["No call."],
			usage: usageOf(nextCost()),
			onRetry: { calls, usage: usageOf(nextCost()) },
		};
		const choice = name === "messages" ? { type: "any" } : "required";
		return send(name, model, { text: JSON.stringify(answer), stream, tools, tool_choice: choice });
	},
	autoMode: (name, model, stream) => {
		const calls = [{ id: "call_1", name: "copilot_findFiles", input: { query: "*.txt" } }];
		const answer = {
			calls,
			usage: usageOf(nextCost()),
			afterTool: { text: ["Done."], usage: usageOf(nextCost()) },
		};
		const more = { use_vscode_tools: true, tool_execution: "auto" };
		return send(name, model, { text: JSON.stringify(answer), stream, ...more });
	},
	failed: (name, model, stream) =>
		send(name, model, {
			text: JSON.stringify({ status: 400, body: { error: { message: "no", code: "invalid_request_body" } } }),
			stream,
		}),
	cancelled: async (name, model) => {
		const { path, request } = dialects[name];
		const before = mock.questions.length;
		const body = request(JSON.stringify({ text: ["on"], wait: true }), { model });
		const opened = await proxy.open(path, { body });
		await opened.events.next();
		const question = mock.questions[before];
		opened.hangUp();
		await until(() => question.cut, "the service to be left");
		return { status: 200 };
	},
};

/** Runs every kind in every dialect with every model, whole and streamed; gives their number and their credits. */
async function round() {
	let sent = 0;
	let credits = 0;
	for (const [kind, run] of Object.entries(kinds)) {
		for (const name of Object.keys(dialects)) {
			for (const model of MODELS) {
				for (const stream of [false, true]) {
					const before = mock.charged;
					const result = await run(name, model, stream);
					const where = `${kind} ${name} ${model} ${stream ? "streamed" : "whole"}`;
					assert.equal(result.status === 200, kind !== "failed", where);
					if (["plain", "retried", "autoMode"].includes(kind))
						assert.equal(result.credits, mock.charged - before, where);
					sent += 1;
					credits += mock.charged - before;
				}
			}
		}
	}
	return { sent, credits };
}

const nano = (credits) => Math.round(credits * 1e9);

/** The sum of the server's counter of reported credits. */
async function inMetrics() {
	const { text } = await proxy.get("/metrics");
	const values = [...text.matchAll(/_credits_total\{[^}]*source="reported"[^}]*\} ([\d.e+-]+)/g)];
	return nano(values.reduce((sum, [, value]) => sum + Number(value), 0));
}

/** The rows of the usage database. */
function rows() {
	const database = new DatabaseSync(`${proxy.editor.at("home")}/.local/state/copilot-proxy/usage.db`, {
		readOnly: true,
	});
	try {
		return database.prepare("SELECT * FROM requests").all();
	} finally {
		database.close();
	}
}

const reported = (list) => list.filter(({ credits_source: source }) => source === "reported");
const sumOf = (list) => nano(reported(list).reduce((sum, { credits }) => sum + credits, 0));

test("over 180 mixed requests all places agree with the service, also after the server was killed", async () => {
	await until(() => rows().length === 1, "the row of the first request");
	const first = await round();
	assert.equal(first.credits, mock.charged);
	await until(() => rows().length === 1 + first.sent, "all rows of the first round");
	assert.equal(sumOf(rows()), mock.charged);
	assert.equal(await inMetrics(), mock.charged);
	const { totals } = (await proxy.get("/v1/usage")).json;
	assert.equal(nano(totals.credits - totals.estimated_credits), mock.charged);
	assert.equal(totals.requests, 1 + first.sent);

	proxy.killServers();
	await until(
		() =>
			proxy.get("/health").then(
				({ status }) => status === 200,
				() => false,
			),
		"a new server",
	);
	await untilModels();
	const before = mock.charged;
	const second = await round();
	await until(() => rows().length === 1 + first.sent + second.sent, "all rows of the second round");
	assert.equal(sumOf(rows()), mock.charged);
	assert.equal(await inMetrics(), mock.charged - before);
});
