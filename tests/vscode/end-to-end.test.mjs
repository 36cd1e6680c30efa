// End to end: a program uses a model inside a real VS Code over HTTP. The packaged extension is installed as a user
// installs it; a scripted provider replaces GitHub Copilot.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { load, lost, startProxy, until } from "./harness/index.mjs";

let proxy;
let window;

before(async () => {
	proxy = await startProxy();
	window = await proxy.editor.open();
	await proxy.untilServing();
});
after(() => proxy?.stop());

/** The text of a streamed answer, and its events' data in order. */
async function streamed(stream) {
	const data = [];
	for await (const event of stream.events) data.push(event.data);
	const text = data.map((chunk) => chunk.choices?.[0]?.delta.content ?? "").join("");
	return { text, data };
}

const numbered = (count, size) =>
	Array.from({ length: count }, (_, i) => String(i).padEnd(size, ".")).join("");

test("the models of both vendors are listed with their vendors as owners", async () => {
	const { status, json } = await proxy.get("/v1/models");
	assert.equal(status, 200);
	assert.deepEqual(json.data.map(({ id, owned_by: owner }) => `${owner}/${id}`).toSorted(), [
		"copilot/claude-haiku-4.5",
		"copilot/claude-opus-4.6",
		"copilot/claude-sonnet-4.5",
		"copilot/gpt-4.1",
		"copilot/gpt-5-mini",
		"scripted/scripted-1",
		"scripted/scripted-mini",
		"scripted/scripted-usage",
	]);
	const [model] = json.data.filter(({ id }) => id === "scripted-mini");
	assert.deepEqual((await proxy.get("/v1/models/scripted-mini")).json, model);
	assert.equal(model.maxInputTokens, 16_384);
});

test("a whole response", async () => {
	const { status, json } = await proxy.chat("say:Hello from VS Code");
	assert.equal(status, 200);
	assert.equal(json.object, "chat.completion");
	assert.equal(json.model, "scripted-1");
	assert.equal(json.choices[0].message.content, "Hello from VS Code");
	assert.equal(json.choices[0].finish_reason, "stop");
});

test("a streamed response ends with its finish reason and [DONE]", async () => {
	const stream = await proxy.stream("say:Hello from VS Code");
	assert.equal(stream.status, 200);
	assert.match(stream.headers["content-type"], /^text\/event-stream/);
	const { text, data } = await streamed(stream);
	assert.equal(text, "Hello from VS Code");
	assert.equal(data.at(-1), "[DONE]");
	const reasons = data
		.slice(0, -1)
		.map(({ choices }) => choices[0]?.finish_reason)
		.filter(Boolean);
	assert.deepEqual(reasons, ["stop"]);
});

test("parts arrive whole and in order", async () => {
	assert.equal((await streamed(await proxy.stream("parts:300 8"))).text, numbered(300, 8));
	assert.equal((await streamed(await proxy.stream("parts:2000 40"))).text, numbered(2000, 40));
	assert.equal(await proxy.textFor("parts:2000 40"), numbered(2000, 40));
});

test("parts arrive before the model has ended", async () => {
	const stream = await proxy.stream("say:first\nhang:");
	let text = "";
	for await (const { data } of stream.events) {
		text += data.choices?.[0]?.delta.content ?? "";
		if (text === "first") break; // the model never ends its response
	}
	assert.equal(text, "first", "the stream must not end before it");
	stream.hangUp();
});

test("the model gets the client's messages and options", async () => {
	const dumped = await proxy.textFor("", {
		messages: [
			{ role: "system", content: "Be brief." },
			{ role: "user", content: 'Grüß Gott\u2028"\\ 😀' },
			{ role: "assistant", content: "Hello." },
			{ role: "user", content: "dump:" },
		],
		temperature: 0.25,
	});
	const text = (role, value) => ({ role, parts: [{ type: "text", text: value }] });
	assert.deepEqual(JSON.parse(dumped), {
		messages: [
			text("user", "Be brief."),
			text("user", 'Grüß Gott\u2028"\\ 😀'),
			text("assistant", "Hello."),
			text("user", "dump:"),
		],
		tools: [],
		toolMode: "auto",
		modelOptions: { temperature: 0.25 },
	});
});

test("the usage is the provider's, and a truncated response is marked", async () => {
	const { json } = await proxy.chat("usage:70 5 30\nsay:counted", { model: "scripted-usage" });
	assert.equal(json.choices[0].finish_reason, "stop");
	assert.equal(json.usage.prompt_tokens, 70);
	assert.equal(json.usage.completion_tokens, 5);
	assert.equal(json.usage.total_tokens, 75);
	assert.equal(json.usage.prompt_tokens_details.cached_tokens, 30);
	const cut = await proxy.chat("cut:\nsay:and then", { model: "scripted-usage" });
	assert.equal(cut.json.choices[0].message.content, "and then");
	assert.equal(cut.json.choices[0].finish_reason, "length");
});

test("fifty concurrent clients each get their own response", async () => {
	const clients = Array.from({ length: 50 }, (_, i) => i);
	const text = (i) => `${`client-${i} `.repeat(20)}p0 p1 p2 `;
	const answers = await Promise.all(
		clients.map(async (i) => {
			const script = `say:${`client-${i} `.repeat(20)}\nslow:3 20`;
			return i % 2 ? proxy.textFor(script) : (await streamed(await proxy.stream(script))).text;
		}),
	);
	assert.deepEqual(answers, clients.map(text));
});

test("a client's disconnect cancels its model, before and after the first part", async () => {
	const before = await proxy.stats();

	const stream = await proxy.stream("say:on\nhang:");
	await stream.events.next();
	stream.hangUp();
	await until(async () => (await proxy.stats()).cancelled === before.cancelled + 1, "the first cancellation");

	const hangUp = proxy.post("hang:");
	await until(async () => (await proxy.stats()).active === before.active + 1, "the model to be asked");
	hangUp();
	await until(
		async () => (await proxy.stats()).cancelled === before.cancelled + 2,
		"the second cancellation",
	);
});

/** Three requests that need consent: the first opens the dialog, the others arrive while it is open. */
async function threeAtTheDialog() {
	const ask = (name) => proxy.chat(`say:${name}`, { model: "gpt-4.1" });
	const first = ask("a");
	await window.dialogs().waitFor();
	const waiting = [first, ask("b"), ask("c")];
	const running = async () => /requests_in_flight (\d+)/.exec((await proxy.get("/metrics")).text)?.[1];
	await until(async () => (await running()) === "3", "three requests");
	// Messages are ordered, so earlier ones have arrived at the window when this one returns.
	await proxy.get("/v1/tools");
	return { waiting };
}

test("refused consent is a 403 with a hint for all requests that waited for the dialog", async () => {
	const { waiting } = await threeAtTheDialog();
	assert.match(await window.answer("Cancel"), /Copilot Proxy/);
	for (const { status, json } of await Promise.all(waiting)) {
		assert.equal(status, 403);
		assert.match(json.error.message, /^Allow Copilot Proxy in VS Code:/);
	}
	await proxy.untilStatus(window, "Copilot Proxy: Allow models");
});

test("after a refusal no request opens a dialog until Allow Models... does, and none once consent is given", async () => {
	assert.equal((await proxy.chat("say:no", { model: "gpt-4.1" })).status, 403);
	assert.equal(await window.dialogs().count(), 0);
	await window.command("Copilot Proxy: Allow Models...");
	await window.answer("Allow");
	await until(async () => (await proxy.chat("say:yes", { model: "gpt-4.1" })).status === 200, "consent");
	assert.equal(await proxy.textFor("say:again", { model: "claude-sonnet-4.5" }), "again");
	assert.equal(await window.dialogs().count(), 0);
});

test("the status bar shows the port", () => proxy.untilStatus(window, `Copilot Proxy: ${proxy.port}`));

test("a reload keeps the server, and requests wait for the window meanwhile", async (context) => {
	const [pid] = proxy.pids;
	const { outcomes, end } = load(proxy, 4);
	await until(() => outcomes.length >= 8, "answers before the reload");
	window = await proxy.editor.reload(window);
	const before = outcomes.length;
	await until(() => outcomes.length >= before + 8, "answers after it");
	const all = await end();
	context.diagnostic(
		`${all.length} requests, ${all.filter((outcome) => outcome === "broken").length} broken off`,
	);
	assert.deepEqual(lost(all), []);
	await proxy.untilStatus(window, `Copilot Proxy: ${proxy.port}`);
	await proxy.untilServing();
	assert.deepEqual(proxy.pids, [pid]);
	assert.equal(await proxy.textFor("say:still here"), "still here");
});

test("Stop Server closes the port, Start Server opens it again", async () => {
	await window.command("Copilot Proxy: Stop Server");
	await proxy.untilClosed();
	await proxy.untilStatus(window, "Copilot Proxy: Off");
	await window.command("Copilot Proxy: Start Server");
	await proxy.untilServing();
	await proxy.untilStatus(window, `Copilot Proxy: ${proxy.port}`);
	assert.equal(await proxy.textFor("say:back"), "back");
});

test("a killed server is started again", async () => {
	const [pid] = proxy.pids;
	process.kill(pid, "SIGKILL");
	await until(() => proxy.pids.some((each) => each !== pid), "a new server");
	await proxy.untilServing();
	assert.equal(await proxy.textFor("say:again"), "again");
	assert.equal(proxy.pids.length, 1);
	assert.equal(proxy.file.pid, proxy.pids[0]);
});

test("a second window attaches without notifications and answers after the first has closed", async () => {
	const pids = proxy.pids;
	const other = await proxy.editor.open();
	await proxy.untilServing({ windows: 2 });
	await proxy.untilStatus(other, `Copilot Proxy: ${proxy.port}`);
	assert.deepEqual(await other.notifications(), []);
	assert.equal(await other.dialogs().count(), 0);
	await proxy.editor.close(window);
	window = other;
	await proxy.untilServing();
	assert.equal(await proxy.textFor("say:from the second"), "from the second");
	const requests = await other.provider(({ state }) => state.requests.length);
	assert.equal(requests, 1);
	assert.deepEqual(proxy.pids, pids);
});
