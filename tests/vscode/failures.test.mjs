// Failures through a real VS Code: every error of Copilot's provider reaches the client with the right status and code,
// and no client hangs when an editor dies.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startProxy, until } from "./harness/index.mjs";

let proxy;
let window;

before(async () => {
	proxy = await startProxy();
	window = await proxy.editor.open();
	await proxy.untilServing();
});
after(() => proxy?.stop());

/** The data of every event of a stream. */
async function dataOf({ events }) {
	const all = [];
	for await (const { data } of events) all.push(data);
	return all;
}
const textIn = (data) => data.map(({ choices }) => choices?.[0]?.delta.content ?? "").join("");

const cases = [
	["fail:ChatQuotaExceeded all used up", 429, "insufficient_quota"],
	["fail:ChatRateLimited slow down", 429, "rate_limit_exceeded"],
	["fail:Blocked temporarily blocked", 429, "rate_limit_exceeded"],
	["fail:Error Message exceeds token limit.", 400, "context_length_exceeded"],
];
for (const [script, status, code] of cases) {
	test(`${script} is ${status} ${code}`, async () => {
		const answer = await proxy.chat(script);
		assert.equal(answer.status, status);
		assert.equal(answer.json.error.code, code);
	});
}

test("blocked and quota_exceeded tell the client not to retry", async () => {
	const blocked = await proxy.chat("fail:Blocked temporarily blocked");
	assert.equal(blocked.headers["x-should-retry"], "false");
	assert.equal(blocked.headers["retry-after"], "5");
	assert.match(blocked.json.error.message, /for another 5 min: temporarily blocked/);
	const exhausted = await proxy.chat("fail:ChatQuotaExceeded all used up");
	assert.equal(exhausted.headers["x-should-retry"], "false");
});

const statuses = [
	["fail:NotFound copilot/gpt-4.1", 503],
	["fail:NoPermissions not allowed", 403],
	["fail:Error Server error: 500", 500],
	["fail:Error Server error: 529", 529],
	["fail:Error Response contained no choices.", 502],
	["fail:Error key is missing", 503],
];
for (const [script, status] of statuses) {
	test(`${script} is ${status}`, async () => {
		const answer = await proxy.chat(script);
		assert.equal(answer.status, status);
		assert.equal(typeof answer.json.error.message, "string");
	});
}

test("a failure in mid-stream keeps the text before it and ends with an error event", async () => {
	const data = await dataOf(await proxy.stream("say:half of it\nfail:Blocked temporarily blocked"));
	assert.equal(textIn(data.slice(0, -1)), "half of it");
	assert.equal(data.at(-1).error.code, "rate_limit_exceeded");
});

test("a failure before the first part is a status, streamed or not", async () => {
	const stream = await proxy.stream("fail:ChatQuotaExceeded all used up");
	assert.equal(stream.status, 429);
});

test("a dead extension host ends its streams with an error event, and the next one answers", async () => {
	const stream = await proxy.stream("say:on\nhang:");
	const first = await stream.events.next();
	assert.ok(first.value);
	const rest = dataOf(stream);
	window = await proxy.editor.killExtensionHost(window);
	assert.ok((await rest).at(-1).error, "the last event is an error");
	await proxy.untilServing();
	assert.equal(await proxy.textFor("say:back"), "back");
});

test("a request without a part is retried in another window when its window closes", async () => {
	const other = await proxy.editor.open();
	await until(async () => {
		await proxy.textFor("say:which window?"); // the window that has been idle longest
		return other.provider(({ state }) => state.requests.length > 0);
	}, "the second window to be asked");

	const answer = proxy.textFor("wait:5000\nsay:moved");
	const busy = await until(() => busyOne(window, other), "a window to be asked");
	await proxy.editor.close(busy);
	assert.equal(await answer, "moved");
	window = busy === window ? other : window;
});

async function busyOne(...windows) {
	const isBusy = ({ state }) => state.requests.some(({ outcome }) => outcome === "active");
	for (const each of windows) if (await each.provider(isBusy)) return each;
	return undefined;
}
