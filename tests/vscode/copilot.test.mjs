// The Copilot Chat extension that VS Code includes, with a mock of GitHub's service: requests reach the service complete,
// and its responses reach the client in every dialect.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
	dataOf,
	dialects,
	LONG_WINDOW,
	PROMPT_LIMIT,
	startCopilotMock,
	startProxy,
	until,
} from "./harness/index.mjs";

const GPT = "gpt-4.1";
const CLAUDE = "claude-sonnet-4.5";
const CODEX = "gpt-5-codex";

let mock;
let proxy;
let window;

before(async () => {
	mock = await startCopilotMock();
	proxy = await startProxy({ provider: "sign-in", settings: mock.settings });
	window = await proxy.editor.open();
	await window.enableCopilot();
	await until(async () => (await modelIds()).includes(GPT), "Copilot's models");
	const first = proxy.chat(wish({ text: ["allowed"] }), { model: GPT });
	assert.match(await window.answer("Allow"), /Copilot Proxy/);
	assert.equal((await first).status, 200);
});
after(async () => {
	await proxy?.stop();
	await mock?.stop();
});

const wish = (answer) => JSON.stringify(answer);
const modelIds = async () =>
	(await proxy.get("/v1/models").catch(() => undefined))?.json?.data?.map(({ id }) => id) ?? [];

/** The response of a model in a dialect to the response that `wish` describes. */
const asked = (name, model, answer, more) => {
	const { path, request } = dialects[name];
	return proxy.ask(path, { body: request(wish(answer), { model, ...more }) });
};
const streamed = async (name, model, answer, more) => {
	const { path, request } = dialects[name];
	return dataOf(await proxy.open(path, { body: request(wish(answer), { model, ...more }) }));
};

test("Copilot's models are listed, without its internal ones", async () => {
	const { data } = (await proxy.get("/v1/models")).json;
	assert.deepEqual(data.map(({ id, owned_by: owner }) => `${owner}/${id}`).toSorted(), [
		"copilot/auto",
		`copilot/${CLAUDE}`,
		`copilot/${GPT}`,
		"copilot/gpt-4.1-long",
		`copilot/${CODEX}`,
	]);
});

for (const model of [GPT, CLAUDE, CODEX]) {
	for (const [name, { textOf, textIn }] of Object.entries(dialects)) {
		const answer = {
			text: ["Hello ", "from ", "GitHub"],
			usage: { input: 70, cached: 30, output: 9, reasoning: model === CLAUDE ? 0 : 4 },
		};
		test(`${name}: ${model} responds whole and streamed, with the service's usage`, async () => {
			const whole = await asked(name, model, answer);
			assert.equal(whole.status, 200, whole.text);
			assert.equal(textOf(whole.json), "Hello from GitHub");
			assert.equal(whole.headers["x-copilot-proxy-usage"], "reported");
			assert.deepEqual(countsOf(whole.json.usage), answer.usage);
			const events = await streamed(
				name,
				model,
				answer,
				name === "chat" && { stream_options: { include_usage: true } },
			);
			assert.equal(textIn(events), "Hello from GitHub");
			const last = events.filter(({ usage, response }) => usage ?? response?.usage).at(-1);
			assert.deepEqual(countsOf(last.usage ?? last.response.usage), answer.usage);
		});
	}
}

/** The usage of a response in any dialect, in the mock's form. */
function countsOf(usage) {
	if ("prompt_tokens" in usage)
		return {
			input: usage.prompt_tokens,
			cached: usage.prompt_tokens_details.cached_tokens,
			output: usage.completion_tokens,
			reasoning: usage.completion_tokens_details.reasoning_tokens,
		};
	const isMessages = "cache_read_input_tokens" in usage;
	const cached = isMessages ? usage.cache_read_input_tokens : usage.input_tokens_details.cached_tokens;
	return {
		input: usage.input_tokens + (isMessages ? cached : 0),
		cached,
		output: usage.output_tokens,
		reasoning:
			usage.output_tokens_details?.reasoning_tokens ?? usage.output_tokens_details?.thinking_tokens ?? 0,
	};
}

for (const [model, finish] of [
	[GPT, "length"],
	[CLAUDE, "max_tokens"],
	[CODEX, "max_output_tokens"],
]) {
	test(`a truncated response of ${model} is marked in every dialect`, async () => {
		const cut = async (name) => (await asked(name, model, { text: ["and then"], finish })).json;
		const { choices } = await cut("chat");
		assert.deepEqual([choices[0].message.content, choices[0].finish_reason], ["and then", "length"]);
		assert.equal((await cut("messages")).stop_reason, "max_tokens");
		const { status, incomplete_details: why } = await cut("responses");
		assert.deepEqual([status, why], ["incomplete", { reason: "max_output_tokens" }]);
	});
}

const error = (status, code, message = "what the service says", more = {}) => ({
	status,
	body: { error: { message, code } },
	...more,
});
const TELL_NO_MORE = { "x-should-retry": "false" };

// Errors of the service, and the client's status and code.
const refusals = [
	["a quota that is used up", error(402, "quota_exceeded"), 429, "insufficient_quota", TELL_NO_MORE],
	["a rate limit", error(429, "rate_limited"), 429, "rate_limit_exceeded", { "retry-after": "10" }],
	["an overload", error(503, "overloaded"), 503, undefined],
	["a missing model", error(404, "model_not_found"), 404, "model_not_found"],
	["a bad request", error(400, "invalid_request_body"), 400, "invalid_request_body"],
	[
		"a prompt that only the service finds too long",
		error(400, "model_max_prompt_tokens_exceeded"),
		400,
		"context_length_exceeded",
	],
	["a filtered question", error(422, "content_filter"), 400, "content_filter"],
	["a failed dependency", { status: 424, body: { error: "no dependency" } }, 502, undefined],
	["a fault of the service", error(500, "oops"), 500, undefined],
	["a bad gateway", error(502, "oops"), 502, undefined],
	["a slow gateway", error(504, "oops"), 504, undefined],
	["a connection that is cut", { cut: true }, 502, undefined],
	["a filtered answer", { finish: "content_filter" }, 400, "content_filter"],
	["a page instead of an answer", { status: 200, body: "<html></html>" }, 502, undefined],
	["a conflict", error(409, "conflict"), 409, "conflict"],
	["no reason to end", { text: [], finish: "strange" }, 502, undefined],
];
for (const [what, answer, status, code, headers = {}] of refusals) {
	test(`${what} is ${status} ${code ?? ""}`, async () => {
		const got = await asked("chat", GPT, answer);
		assert.equal(got.status, status, got.text);
		if (code) assert.equal(got.json.error.code, code, got.text);
		for (const [name, value] of Object.entries(headers)) assert.equal(got.headers[name], value, name);
	});
}

test("quota, rate limit and overload have Anthropic's error types in its dialect", async () => {
	const typeOf = async (answer) => {
		const { status, json } = await asked("messages", CLAUDE, answer);
		return [status, json.error.type];
	};
	assert.deepEqual(await typeOf(error(402, "quota_exceeded")), [429, "rate_limit_error"]);
	assert.deepEqual(await typeOf(error(429, "rate_limited")), [429, "rate_limit_error"]);
	assert.deepEqual(await typeOf(error(503, "overloaded")), [503, "overloaded_error"]);
});

for (const status of [401, 403]) {
	test(`${status} is 503, and the next request works with a new token`, async () => {
		const before = mock.tokens;
		const got = await asked("chat", GPT, error(status, "nope"));
		assert.equal(got.status, 503, got.text);
		await until(() => mock.tokens > before, "a new token");
		assert.equal((await asked("chat", GPT, { text: ["again"] })).status, 200);
	});
}

test("a response that is filtered after its start ends with content_filter", async () => {
	const { path, request } = dialects.chat;
	const answer = { text: ["well"], wait: true, finish: "content_filter" };
	const { events } = await proxy.open(path, { body: request(wish(answer), { model: GPT }) });
	const seen = [];
	for await (const { data } of events) {
		seen.push(data);
		if (dialects.chat.textIn([data]) === "well") mock.goOn(); // VS Code drops a part that an error follows immediately
	}
	assert.equal(seen.at(-1), "[DONE]");
	assert.deepEqual(
		seen.flatMap(({ choices }) => choices?.[0]?.finish_reason ?? []),
		["content_filter"],
	);
});

test("a prompt that is too long is refused before it is sent, with each dialect's error", async () => {
	const before = mock.questions.length;
	const long = `${"word ".repeat(PROMPT_LIMIT + 1_000)}\n${wish({ text: ["read"] })}`;
	const chat = await proxy.chat(long, { model: GPT });
	assert.deepEqual([chat.status, chat.json.error.code], [400, "context_length_exceeded"]);
	const { path, request } = dialects.messages;
	const messages = await proxy.ask(path, { body: request(long, { model: CLAUDE }) });
	assert.equal(messages.status, 400);
	assert.match(messages.json.error.message, /^prompt is too long: \d+ tokens > \d+ maximum/);
	assert.equal(mock.questions.length, before);
});

test("a prompt of the maximum size arrives complete, and one token more is refused", async () => {
	const system = "Always be brief.";
	const body = (words) => ({
		model: GPT,
		messages: [
			{ role: "system", content: system },
			{ role: "user", content: `Many${" word".repeat(words)}` },
			{ role: "assistant", content: "Yes?" },
			{ role: "user", content: `go on\n${wish({ text: ["read"] })}` },
		],
	});
	const send = (words) => proxy.ask("/v1/chat/completions", { body: body(words) });
	const [, tokens, maximum] = /(\d+) tokens > (\d+)|$/.exec((await send(PROMPT_LIMIT)).json.error.message);
	const most = PROMPT_LIMIT - (Number(tokens) - Number(maximum));
	const before = mock.questions.length;
	assert.equal((await send(most + 1)).status, 400);
	assert.equal(mock.questions.length, before);
	assert.equal((await send(most)).status, 200);
	// Copilot's own instructions come before them; it trims those first.
	const sent = mock.questions.at(-1).body.messages.slice(-body(most).messages.length);
	const textOf = ({ content }) =>
		typeof content === "string" ? content : content.map(({ text }) => text).join("");
	assert.deepEqual(
		sent.map(textOf),
		body(most).messages.map(({ content }) => content),
	);
});

const PNG =
	"iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
const image = (mime, base64 = PNG) => ({
	type: "image_url",
	image_url: { url: `data:${mime};base64,${base64}` },
});
/** A conversation of user messages with these contents. */
const chatOf = (model, turns) => {
	const messages = turns.flatMap((content) => [
		{ role: "user", content },
		{ role: "assistant", content: "a" },
	]);
	const last = { role: "user", content: wish({ text: ["seen"] }) };
	return proxy.ask("/v1/chat/completions", { body: { model, messages: [...messages, last] } });
};
const imagesSent = () => JSON.stringify(mock.questions.at(-1).body).match(/image\/png/g)?.length ?? 0;

for (const model of [GPT, CODEX, CLAUDE]) {
	test(`${model}: an image is sent with the type of its bytes, an unsupported one as text`, async () => {
		assert.equal((await chatOf(model, [[image("image/jpg")]])).status, 200);
		// One of the services sends the type of an image twice.
		assert.notEqual(imagesSent(), 0, JSON.stringify(mock.questions.at(-1).body));
		assert.equal((await chatOf(model, [[image("image/svg+xml", "PHN2Zy8+")]])).status, 200);
		assert.equal(imagesSent(), 0);
		assert.match(JSON.stringify(mock.questions.at(-1).body), /image of type image\/svg\+xml left out/);
	});
}

test("beyond Claude's limit the oldest images are replaced by text in steps of ten", async () => {
	const turns = Array.from({ length: 21 }, () => [image("image/png")]);
	assert.equal((await chatOf(CLAUDE, turns.slice(1))).status, 200);
	assert.equal(imagesSent(), 20);
	assert.equal((await chatOf(CLAUDE, turns)).status, 200);
	assert.equal(imagesSent(), 11);
	const words = /image left out: this model takes at most 20 images/g;
	assert.equal(JSON.stringify(mock.questions.at(-1).body).match(words).length, 10);
});

const tool = (name) => ({
	type: "function",
	function: {
		name,
		description: name,
		parameters: { type: "object", properties: { q: { type: "string" } } },
	},
});
const LONG = `files.${"very_".repeat(10)}long`; // 60 characters

test("long tool names and those with dots are mapped and restored", async () => {
	const tools = ["a.b", "a_b", LONG].map(tool);
	await asked("chat", GPT, { text: ["seen"] }, { tools });
	const names = mock.questions.at(-1).body.tools.map(({ function: { name } }) => name);
	assert.equal(new Set(names).size, 3);
	for (const name of names) assert.match(name, /^[\w-]{1,64}$/);
	const calls = names.map((name, at) => ({ id: `call_${at}`, name, input: { q: `${at}` } }));
	const { choices } = (await asked("chat", GPT, { calls }, { tools })).json;
	assert.deepEqual(
		choices[0].message.tool_calls.map(({ id, function: { name, arguments: input } }) => [
			id,
			name,
			JSON.parse(input),
		]),
		[
			["call_0", "a.b", { q: "0" }],
			["call_1", "a_b", { q: "1" }],
			["call_2", LONG, { q: "2" }],
		],
	);
});

test("tool_choice can require one of two tools", async () => {
	const tools = [tool("get_exchange"), tool("find")];
	const answer = { calls: [{ id: "call_1", name: "find", input: { q: "x" } }] };
	const got = await asked("chat", GPT, answer, { tools, tool_choice: "required" });
	assert.equal(got.status, 200, got.text);
	assert.equal(got.json.choices[0].message.tool_calls[0].function.name, "find");
	const named = { type: "function", function: { name: "find" } };
	await asked("chat", GPT, answer, { tools, tool_choice: named });
	const { body } = mock.questions.at(-1);
	// The tool list stays complete for the service's cache, so `required` can't be limited to one tool.
	assert.deepEqual([body.tools.length, body.tool_choice], [2, undefined]);
	assert.match(JSON.stringify(body.messages.at(-1)), /`find`/);
});

/** A request to the service without its cache markers, which move with each turn. */
const unmarked = (value) =>
	JSON.parse(JSON.stringify(value, (name, inner) => (name.endsWith("cache_control") ? undefined : inner)));

/** The blocks of a request's messages: Copilot joins messages of one role for Claude. */
const blocksOf = ({ messages, input }) =>
	(messages ?? input).flatMap(({ role, content }) => [content].flat().map((block) => ({ role, block })));

for (const model of [GPT, CLAUDE, CODEX]) {
	const find = { calls: [{ id: "call_1", name: "find", input: { q: "x" } }] };
	const tools = ["get_exchange", "find"].map(tool);

	test(`${model}: tool_choice changes neither the tools nor earlier messages`, async () => {
		await asked("chat", model, { text: ["Words."], ...find }, { tools });
		const plain = unmarked(mock.questions.at(-1).body);
		const named = { type: "function", function: { name: "find" } };
		for (const choice of ["none", "required", named]) {
			const got = await asked("chat", model, { text: ["Words."], ...find }, { tools, tool_choice: choice });
			assert.equal(got.status, 200, got.text);
			const { body } = mock.questions.at(-1);
			assert.deepEqual(unmarked(body.tools), plain.tools);
			const [before, blocks] = [blocksOf(plain), blocksOf(unmarked(body))];
			assert.deepEqual(blocks.slice(0, before.length), before);
			assert.equal(blocks.length, before.length + 1);
			const { message } = got.json.choices[0];
			assert.equal(message.content, "Words.");
			assert.equal(message.tool_calls?.[0].function.name, choice === "none" ? undefined : "find");
			assert.equal(got.json.copilot_proxy?.dropped_calls, choice === "none" ? 1 : undefined);
		}
	});

	test(`${model}: a response against tool_choice is retried once, then 502`, async () => {
		const one = { type: "function", function: { name: "get_exchange" } };
		for (const [answer, more] of [
			[find, { tools, tool_choice: "none" }],
			[{ text: ["Words."] }, { tools, tool_choice: "required" }],
			[
				{ text: ["Words."], ...find },
				{ tools, tool_choice: one },
			],
			[{ text: ["Words."] }, { tools: [tool("find")], tool_choice: "required" }],
		]) {
			const before = mock.questions.length;
			const got = await asked("chat", model, answer, more);
			assert.equal(got.status, 502, got.text);
			assert.equal(got.text.includes("Words."), false);
			assert.equal(mock.questions.length, before + 2);
		}
	});
}

for (const model of [GPT, CLAUDE, CODEX]) {
	test(`${model}: a streamed call after text has no blank before it`, async () => {
		const answer = { text: ["I look."], calls: [{ id: "call_1", name: "get_exchange", input: { q: "x" } }] };
		const events = await streamed("chat", model, answer, { tools: [tool("get_exchange")] });
		assert.equal(dialects.chat.textIn(events), "I look.");
		const calls = events.flatMap(({ choices }) => choices?.[0]?.delta.tool_calls ?? []);
		assert.equal(calls[0].function.name, "get_exchange");
		assert.deepEqual(JSON.parse(calls.map((call) => call.function.arguments).join("")), { q: "x" });
		assert.equal(
			events.findLast(({ choices }) => choices?.[0]?.finish_reason).choices[0].finish_reason,
			"tool_calls",
		);
	});
}

/** A tool turn in each dialect: the last message has only the result of a call. */
const toolTurns = {
	chat: (text) => [
		{ role: "user", content: text },
		{
			role: "assistant",
			content: null,
			tool_calls: [{ id: "call_1", type: "function", function: { name: "find", arguments: '{"q":"x"}' } }],
		},
		{ role: "tool", tool_call_id: "call_1", content: "found" },
	],
	messages: (text) => [
		{ role: "user", content: text },
		{ role: "assistant", content: [{ type: "tool_use", id: "call_1", name: "find", input: { q: "x" } }] },
		{ role: "user", content: [{ type: "tool_result", tool_use_id: "call_1", content: "found" }] },
	],
	responses: (text) => [
		{ role: "user", content: text },
		{ type: "function_call", call_id: "call_1", name: "find", arguments: '{"q":"x"}' },
		{ type: "function_call_output", call_id: "call_1", output: "found" },
	],
};

for (const [name, turn] of Object.entries(toolTurns)) {
	const { path, request, textOf, textIn, tool: toolIn } = dialects[name];
	const schema = { type: "object", properties: { q: { type: "string" } } };
	const body = () => ({
		...request("", { model: "auto:intelligence" }),
		tools: [toolIn({ name: "find", description: "finds", schema })],
		[name === "responses" ? "input" : "messages"]: turn(wish({ text: ["went on"] })),
	});

	test(`${name}: a tool turn on auto is routed and answered, whole and streamed`, async () => {
		const whole = await proxy.ask(path, { body: body() });
		assert.equal(whole.status, 200, whole.text);
		assert.equal(textOf(whole.json), "went on");
		assert.equal(whole.headers["x-copilot-proxy-routed-model"], CODEX);
		assert.deepEqual(mock.routings.at(-1), { prompt: "Continue.", tier: "intelligence" });
		const events = await dataOf(await proxy.open(path, { body: body() }));
		assert.equal(textIn(events), "went on");
		assert.ok(JSON.stringify(events).includes(`"routed_model":"${CODEX}"`));
	});
}

for (const [status, expected, code] of [
	[402, 429, "insufficient_quota"],
	[429, 429, "rate_limit_exceeded"],
	[500, 502, undefined],
]) {
	test(`a routing that fails with ${status} is ${expected}`, async () => {
		mock.routingError = { status, body: { message: "no route", code: "no_route" } };
		const got = await asked("chat", "auto", { text: ["never"] });
		mock.routingError = undefined;
		assert.equal(got.status, expected, got.text);
		if (code) assert.equal(got.json.error.code, code, got.text);
	});
}

test("a prompt beyond the start of the long-context price arrives complete", async () => {
	const system = "Always be brief.";
	const messages = [
		{ role: "system", content: system },
		{ role: "user", content: `Many${" word".repeat(120_000)}` },
		{ role: "assistant", content: "Yes?" },
		{ role: "user", content: wish({ text: ["read"] }) },
	];
	assert.ok(LONG_WINDOW.standard < 120_000 && LONG_WINDOW.window > 120_000);
	const got = await proxy.ask("/v1/chat/completions", { body: { model: "gpt-4.1-long", messages } });
	assert.equal(got.status, 200, got.text);
	const sent = mock.questions.at(-1).body.messages.slice(-messages.length);
	assert.equal(sent.length, messages.length);
	assert.ok(JSON.stringify(sent[0].content).includes(system), JSON.stringify(sent[0]).slice(0, 200));
});

test("the standard context ends at the long-context price, and is found without a request", async () => {
	await window.configure("copilotProxy.contextSize", "standard");
	const ask = (words) =>
		proxy.chat(`Many${" word".repeat(words)}\n${wish({ text: ["read"] })}`, { model: "gpt-4.1-long" });
	await until(async () => (await ask(LONG_WINDOW.standard)).status === 400, "the setting");
	const before = mock.questions.length;
	const refused = await ask(LONG_WINDOW.standard);
	const [, maximum] = /> (\d+) maximum: .*copilotProxy.contextSize/.exec(refused.json.error.message);
	assert.ok(maximum > 0.95 * LONG_WINDOW.standard && maximum < LONG_WINDOW.standard, maximum);
	assert.equal(mock.questions.length, before);
	assert.equal((await ask(Math.trunc(0.95 * LONG_WINDOW.standard))).status, 200);
	assert.equal(mock.questions.length, before + 1);
});

test("a client's disconnect cancels the request to the service", async () => {
	const { path, request } = dialects.chat;
	const stream = await proxy.open(path, {
		body: request(wish({ text: ["on"], wait: true }), { model: GPT }),
	});
	await stream.events.next();
	const question = mock.questions.at(-1);
	stream.hangUp();
	await until(() => question.cut, "the service to be left");
});

const LOOK = { name: "look", description: "Looks.", schema: { type: "object", properties: {} } };
const THOUGHT = { thinking: "Hm.", signature: "sig-1", text: ["I look."] };
const CALL = { calls: [{ id: "call_1", name: "look", input: {} }] };
/** The last request that the service got. */
const upstream = () => mock.questions.at(-1).body;

/** Two turns of the Messages API; the second sends the content of the first back, changed by `edit`. */
async function messagesTurns(model, answer, more, edit = (content) => content) {
	const tools = [dialects.messages.tool(LOOK)];
	const first = await asked("messages", model, answer, { tools, ...more });
	assert.equal(first.status, 200, first.text);
	const { content } = first.json;
	const results = content
		.filter(({ type }) => type === "tool_use")
		.map(({ id }) => ({ type: "tool_result", tool_use_id: id, content: "seen" }));
	const messages = [
		{ role: "user", content: wish(answer) },
		{ role: "assistant", content: edit(content) },
		{ role: "user", content: [...results, { type: "text", text: wish({ text: ["done"] }) }] },
	];
	const second = await asked("messages", model, {}, { tools, ...more, messages });
	assert.equal(second.status, 200, second.text);
	return content;
}

test("messages: Claude thinks on request, and its signature is sent back before the text and the call", async () => {
	const more = { thinking: { type: "adaptive" }, output_config: { effort: "high" } };
	const content = await messagesTurns(CLAUDE, { ...THOUGHT, ...CALL }, more);
	assert.deepEqual(
		content.map(({ type, thinking, text }) => [type, thinking ?? text]),
		[
			["thinking", "Hm."],
			["text", "I look."],
			["tool_use", undefined],
		],
	);
	const { thinking, output_config: output, messages } = upstream();
	assert.deepEqual([thinking.type, output], ["adaptive", { effort: "high" }]);
	const turn = messages.find(({ role }) => role === "assistant").content;
	assert.deepEqual(
		turn.map(({ type }) => type),
		["thinking", "text", "tool_use"],
	);
	assert.deepEqual([turn[0].thinking, turn[0].signature], ["Hm.", "sig-1"]);
});

test("messages: the signature of a turn without calls is sent back", async () => {
	await messagesTurns(CLAUDE, THOUGHT, { thinking: { type: "enabled", budget_tokens: 1_024 } });
	const { output_config: output, messages } = upstream();
	assert.deepEqual(output, { effort: "low" });
	const turn = messages.find(({ role }) => role === "assistant").content;
	assert.deepEqual(
		turn.filter(({ type }) => type === "thinking").map(({ signature }) => signature),
		["sig-1"],
	);
});

test("messages: no thinking if it is disabled or not requested", async () => {
	for (const thinking of [undefined, { type: "disabled" }]) {
		const answer = { text: ["plain"] };
		await asked("messages", CLAUDE, answer, { thinking });
		assert.equal(upstream().thinking, undefined);
		await asked("messages", CODEX, answer, { thinking });
		assert.equal(upstream().reasoning.effort, thinking ? "low" : "medium");
	}
});

test("messages: a signature of another server is dropped, and switches thinking off in a tool loop", async () => {
	const foreign = (content) =>
		content.map((block) => (block.type === "thinking" ? { ...block, signature: "EqQBCgIYAhIM" } : block));
	await messagesTurns(CLAUDE, { ...THOUGHT, ...CALL }, { thinking: { type: "adaptive" } }, foreign);
	const { thinking, messages } = upstream();
	assert.equal(thinking, undefined);
	const turn = messages.find(({ role }) => role === "assistant").content;
	assert.deepEqual(
		turn.map(({ type }) => type),
		["text", "tool_use"],
	);
});

test("messages: encrypted reasoning without text is redacted_thinking, and is sent back", async () => {
	const answer = { thinking: "", signature: "gAAA", ...CALL };
	const [block] = await messagesTurns(CODEX, answer, { thinking: { type: "adaptive" } });
	assert.equal(block.type, "redacted_thinking");
	const { id, encrypted_content: encrypted } = upstream().input.find(({ type }) => type === "reasoning");
	assert.deepEqual([id, encrypted], ["rs_1", "gAAA"]);
});

for (const model of [CODEX, CLAUDE]) {
	test(`responses: reasoning of ${model} is encrypted and sent back`, async () => {
		const tools = [dialects.responses.tool(LOOK)];
		const more = {
			tools,
			include: ["reasoning.encrypted_content"],
			reasoning: { effort: "high" },
			store: false,
		};
		const answer = { ...THOUGHT, ...CALL };
		const { output } = (await asked("responses", model, answer, more)).json;
		const reasoning = output.find(({ type }) => type === "reasoning");
		assert.equal(reasoning.summary[0].text, "Hm.");
		const input = [
			{ role: "user", content: wish(answer) },
			...output,
			{
				type: "function_call_output",
				call_id: output.find(({ type }) => type === "function_call").call_id,
				output: "x",
			},
			{ role: "user", content: wish({ text: ["done"] }) },
		];
		const second = await asked("responses", model, {}, { ...more, input });
		assert.equal(second.status, 200, second.text);
		const { reasoning: asks, output_config: effort, input: items, messages } = upstream();
		assert.equal((asks ?? effort).effort, "high");
		const sealed =
			items?.find(({ type }) => type === "reasoning").encrypted_content ??
			messages.find(({ role }) => role === "assistant").content[0].signature;
		assert.equal(sealed, "sig-1");
	});
}

for (const [model, sealedIn] of [
	[GPT, ({ messages }) => messages.find(({ role }) => role === "assistant").reasoning_opaque],
	[CODEX, ({ input }) => input.find(({ type }) => type === "reasoning")?.encrypted_content],
	[CLAUDE, ({ messages }) => messages.find(({ role }) => role === "assistant").content[0].signature],
]) {
	test(`chat: the thinking of ${model} is sent back with the client's message`, async () => {
		const more = { tools: [dialects.chat.tool(LOOK)], reasoning_effort: "low" };
		const answer = { ...THOUGHT, ...CALL };
		const { choices } = (await asked("chat", model, answer, more)).json;
		const { message } = choices[0];
		assert.equal(message.reasoning_content, "Hm.");
		const messages = [
			{ role: "user", content: wish(answer) },
			message,
			{ role: "tool", tool_call_id: message.tool_calls[0].id, content: "seen" },
			{ role: "user", content: wish({ text: ["done"] }) },
		];
		const second = await asked("chat", model, {}, { ...more, messages });
		assert.equal(second.status, 200, second.text);
		assert.equal(sealedIn(upstream()), "sig-1");
	});
}

// The last test, since Copilot then refuses requests for five minutes.
test("a block is 429 with its remaining time, and no request is sent while it lasts", async () => {
	for (const attempt of [1, 2]) {
		const before = mock.questions.length;
		const got = await asked("chat", GPT, {
			status: 429,
			body: { error: { code: "extension_blocked", type: "rate_limit_error" } },
		});
		assert.deepEqual(
			[got.status, got.headers["retry-after"], got.headers["x-should-retry"]],
			[429, "5", "false"],
		);
		assert.match(JSON.stringify(got.json), /blocked by the model provider for another [45] min/);
		assert.equal(mock.questions.length - before, attempt === 1 ? 1 : 0);
	}
});
