// API keys in VS Code: the key of the setting moves to the secret storage, and Manage Keys... adds and revokes keys.
import assert from "node:assert/strict";
import fs from "node:fs";
import { after, before, test } from "node:test";
import { startProxy, until } from "./harness/index.mjs";

let proxy;
let window;

before(async () => {
	proxy = await startProxy({ settings: { "copilotProxy.apiKey": "sesame" } });
	window = await proxy.editor.open();
	await until(async () => (await status("sesame")) === 200, "the server");
});
after(() => proxy?.stop());

const status = async (key) => {
	const answer = await proxy.get("/v1/models", { authorization: `Bearer ${key}` }).catch(() => undefined);
	return answer?.status;
};

/** Clicks a row of the quick pick on screen by its label. */
async function choose(label) {
	const name = window.page.locator(".label-name").getByText(label, { exact: true });
	await window.page.locator(".quick-input-list .monaco-list-row").filter({ has: name }).click();
}

/** Answers the input box with this prompt. */
async function enter(prompt, text) {
	await window.page.locator(".quick-input-message").getByText(prompt).waitFor();
	await window.page.keyboard.type(text);
	await window.page.keyboard.press("Enter");
}

test("the key of the setting is moved to the secret storage and stays valid", async () => {
	await window.toast("was moved to VS Code's secret storage").waitFor();
	const settings = fs.readFileSync(proxy.editor.at("user/User/settings.json"), "utf8");
	assert.ok(!settings.includes("sesame") && !settings.includes("apiKey"), settings);
	assert.equal(await status("sesame"), 200);
	await until(async () => (await status("another")) === 401, "the key to be required");
});

test("a key is added with its models, and one is revoked at once", async () => {
	await window.press("was moved to VS Code's secret storage", "Manage Keys...");
	await choose("Add Key...");
	await enter("Name of the key", "ci");
	await choose("Models");
	await enter("Models, separated by commas", "none-*");
	await window.screenshot("key");
	await choose("Add and Copy");
	await window.toast("The key ci was copied.").waitFor();

	const open = await proxy.open("/v1/chat/completions", {
		headers: { authorization: "Bearer sesame" },
		body: { model: "scripted-1", messages: [{ role: "user", content: "say:half\nhang:" }] },
	});
	await window.command("Copilot Proxy: Manage Keys...");
	await choose("default");
	await choose("Revoke...");
	assert.match(await window.answer("Revoke"), /Revoke the key default\?/);
	let text = "";
	for await (const event of open.events) {
		text += JSON.stringify(event);
	}
	assert.match(text, /was revoked in VS Code/);
	assert.equal(await status("sesame"), 401);
	assert.equal(await status(""), 401, "there is another key");
});

test("keys survive a reload, and without any none is needed", async () => {
	window = await proxy.editor.reload(window);
	await until(async () => (await status("")) === 401, "the keys after the reload");
	await window.command("Copilot Proxy: Manage Keys...");
	await choose("ci");
	await choose("Revoke...");
	assert.match(await window.answer("Revoke"), /It is the last key/);
	await until(async () => (await status("")) === 200, "a server that needs no key");
});
