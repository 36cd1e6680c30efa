// The question to the user whether a web page may use the models: in a real VS Code, for a page in a real browser.
import assert from "node:assert/strict";
import fs from "node:fs";
import { after, before, test } from "node:test";
import { startProxy, until } from "./harness/index.mjs";
import { startWebBrowser, startWebSite } from "./harness/web-site.mjs";

let proxy;
let window;
let site;
let browser;

before(async () => {
	proxy = await startProxy();
	window = await proxy.editor.open();
	await proxy.untilServing();
	site = await startWebSite();
	browser = await startWebBrowser(site.port);
});
after(async () => {
	await browser?.close();
	site?.stop();
	await proxy?.stop();
});

const originOf = (host) => `http://${host}:${site.port}`;

async function open(host) {
	const page = await browser.newPage();
	await page.goto(originOf(host));
	return page;
}

/** Asks a model from the page's own script; gives what the script can read. */
const askFrom = (page) =>
	page.evaluate(async (url) => {
		const messages = [{ role: "user", content: "say:hello, page" }];
		const response = await fetch(url, {
			method: "POST",
			headers: { "content-type": "application/json" },
			body: JSON.stringify({ model: "scripted-1", messages }),
		});
		const body = await response.json();
		return { status: response.status, said: body.choices?.[0].message.content ?? body.error.message };
	}, `http://127.0.0.1:${proxy.port}/v1/chat/completions`);

const questions = (host) => window.toast(`The web page ${originOf(host)} wants to use the models`);
const settings = () => JSON.parse(fs.readFileSync(proxy.editor.at("user/User/settings.json"), "utf8"));
const requests = () => window.provider(({ state }) => state.requests.length);

test("a page waits for the question, Allow answers it, and it is asked once", async () => {
	const page = await open("allowed.test");
	const before = await requests();
	const both = [askFrom(page), askFrom(page)];
	await questions("allowed.test").waitFor();
	await window.screenshot("permission");
	assert.equal(await questions("allowed.test").count(), 1);
	assert.equal(await requests(), before, "no model is asked before the answer");
	await window.press(originOf("allowed.test"), "Allow");
	for (const asked of both) assert.deepEqual(await asked, { status: 200, said: "hello, page" });
	assert.deepEqual(settings()["copilotProxy.allowedOrigins"], [originOf("allowed.test")]);
	assert.deepEqual(await askFrom(page), { status: 200, said: "hello, page" });
	assert.equal(await questions("allowed.test").count(), 0);
});

test("Block refuses the page with a sentence, now and later", async () => {
	const page = await open("blocked.test");
	const before = await requests();
	const asked = askFrom(page);
	await questions("blocked.test").waitFor();
	await window.press(originOf("blocked.test"), "Block");
	const sentence = `the user has blocked web pages of ${originOf("blocked.test")}; to allow them, add it to the setting \`copilotProxy.allowedOrigins\``;
	for (const answer of [await asked, await askFrom(page)])
		assert.deepEqual(answer, { status: 403, said: sentence });
	assert.deepEqual(settings()["copilotProxy.blockedOrigins"], [originOf("blocked.test")]);
	assert.equal(await requests(), before);
	assert.equal(await questions("blocked.test").count(), 0);
});

test("an origin that is removed from the settings is asked about again", async () => {
	for (const [host, name, answer] of [
		["blocked.test", "blockedOrigins", "Allow"],
		["allowed.test", "allowedOrigins", "Block"],
	]) {
		const page = await open(host);
		const rest = (settings()[`copilotProxy.${name}`] ?? []).filter((origin) => origin !== originOf(host));
		await window.configure(`copilotProxy.${name}`, rest);
		// The settings reach the server a moment later: the first request may still be answered as before.
		const asked = until(async () => {
			const answered = askFrom(page).then((result) => ({ result }));
			const question = questions(host)
				.waitFor()
				.then(() => ({ answered }));
			const first = await Promise.race([answered, question]);
			return first.answered && first;
		}, "the question");
		const { answered } = await asked;
		await window.press(originOf(host), answer);
		assert.equal((await answered).result.status, answer === "Allow" ? 200 : 403);
	}
});
