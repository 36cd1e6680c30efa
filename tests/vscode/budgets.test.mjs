// Budgets in a real VS Code: GitHub's own Copilot Chat reports the cost of responses, a budget is used up, VS Code shows it,
// and the buttons of the notification let the next request pass.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startCopilotMock, startProxy, until } from "./harness/index.mjs";

const MODEL = "gpt-4.1";

let mock;
let proxy;
let window;

before(async () => {
	mock = await startCopilotMock();
	const settings = { ...mock.settings, "copilotProxy.budgets": { perDay: 10 } };
	proxy = await startProxy({ provider: "sign-in", settings });
	window = await proxy.editor.open(proxy.editor.folder({}));
	await window.enableCopilot();
	await until(async () => {
		const list = await proxy.get("/v1/models").catch(() => undefined);
		return list?.json?.data?.some(({ id }) => id === MODEL);
	}, "Copilot's models");
	const first = spend(0);
	assert.match(await window.answer("Allow"), /Copilot Proxy/);
	assert.equal((await first).status, 200);
});
after(async () => {
	await proxy?.stop();
	await mock?.stop();
});

/** Sends a request whose response costs this much. */
const spend = (credits) => {
	const usage = { input: 70, cached: 30, output: 9, reasoning: 0, nano: credits * 1e9 };
	return proxy.chat(JSON.stringify({ text: ["Hello"], usage }), { model: MODEL });
};

const untilShown = (text) =>
	until(
		async () => (await window.complaints()).some((shown) => shown.includes(text)),
		`the notification ${text}`,
	);

test("80 percent of a budget are shown, and requests pass", async () => {
	assert.equal((await spend(8)).status, 200);
	await untilShown("80 % of the budget of 10 credits a day is used (8 credits)");
	assert.equal((await spend(4)).status, 200);
});

test("a used-up budget refuses requests until Add 50 is chosen", async () => {
	await untilShown("The budget of 10 credits a day is used up (12 credits used)");
	await window.screenshot("budget");
	const refused = await spend(1);
	assert.equal(refused.status, 429);
	assert.equal(refused.json.error.code, "insufficient_quota");
	assert.match(refused.json.error.message, /choose Add 50 or Lift for Today/);
	await window.press("is used up", "Add 50");
	await until(async () => (await spend(1)).status === 200, "a request to pass");
});

test("Lift for Today lets all requests of the day pass", async () => {
	assert.equal((await spend(60)).status, 200);
	await untilShown("The budget of 60 credits a day is used up");
	assert.equal((await spend(1)).status, 429);
	await window.press("The budget of 60 credits", "Lift for Today");
	await until(async () => (await spend(100)).status === 200, "a request to pass");
	assert.equal((await spend(100)).status, 200);
});
