// The panel in a real VS Code: running requests, its buttons and fields, and its themes.
import assert from "node:assert/strict";
import fs from "node:fs";
import { after, before, test } from "node:test";
import { freePort } from "./harness/http.mjs";
import { attachFakeEditor, startProxy, until } from "./harness/index.mjs";

const THEMES = { light: "Light 2026", dark: "Dark 2026", contrast: "Default High Contrast" };

/** A model of another window, whose id this one has too. */
const THEIRS = {
	vendor: "elsewhere",
	id: "scripted-1",
	family: "gemini",
	version: "1",
	name: "Gemini",
	max_input_tokens: 1_000_000,
	tools: true,
	reports_usage: false,
	more: {},
};

let proxy;
let window;
let panel;
/** Policy violations and errors of the page. */
const complaints = [];

before(async () => {
	proxy = await startProxy();
	window = await proxy.editor.open();
	window.page.on("console", (message) => {
		const text = message.text();
		if (/Content Security Policy/.test(text) && /panel/.test(text + message.location().url))
			complaints.push(text);
	});
	window.page.on("pageerror", (error) => {
		if (/out\/panel\.js/.test(error.stack ?? "")) complaints.push(error.stack);
	});
	await proxy.untilServing();
	panel = window.webview();
});
after(() => proxy?.editor.stop());

const rows = () => panel.locator("tr.request");
const row = (at = 0) => rows().nth(at);
const cell = async (column, at = 0) =>
	(
		await row(at)
			.locator("td")
			.nth(column - 1)
			.textContent()
	).trim();
const tab = (name) => panel.getByRole("tab", { name });

test("a click on the status bar opens the panel", async () => {
	await proxy.untilStatus(window, `Copilot Proxy: ${proxy.port}`);
	await window.statusItem("copilot-proxy.copilot-proxy", "status").click();
	await panel.getByRole("heading", { name: `Running on port ${proxy.port}` }).waitFor();
	const urls = await panel.locator("#endpoints code").allInnerTexts();
	const url = `http://127.0.0.1:${proxy.port}`;
	assert.deepEqual(urls, [`${url}/v1`, url, url]);
	await panel.getByText("No requests yet.").waitFor();
	await window.screenshot("empty");
});

test("a request is shown while it runs and when it has ended", async () => {
	const stream = await proxy.stream("say:Hello\nhang:");
	await stream.events.next();
	await row().getByText("Running").waitFor();
	assert.equal(await cell(3), "openai-chat");
	assert.equal(await cell(4), "scripted-1");
	await until(async () => (await cell(8)) !== "", "the time it takes so far");
	await window.screenshot("running");
	stream.hangUp();
	await row().getByText("Disconnected").waitFor();

	await proxy.chat("usage:70 5 30\nsay:counted", { model: "scripted-usage" });
	await row().getByText("Stop").waitFor();
	assert.deepEqual([await cell(4), await cell(5), await cell(6)], ["scripted-usage", "70", "5"]);
	assert.equal(await rows().count(), 2);
});

test("a failed request shows its reason and a hint", async () => {
	await proxy.chat("say:nothing", { model: "no-such-model" });
	await row().getByText("Unknown model").waitFor();
	await row().getByRole("button").press("Enter");
	await panel.locator(".failure").getByText("the model `no-such-model` does not exist").waitFor();
	await panel.locator(".failure .advice").getByText("Ask for one of the models").waitFor();
	assert.equal(await row().getByRole("button").getAttribute("aria-expanded"), "true");
	await row().getByRole("button").press("Enter");
	assert.equal(await panel.locator(".failure:visible").count(), 0);
});

test("rejected requests are shown", async () => {
	await proxy.get("/v2/chat/completions");
	await row().getByText("No such path").waitFor();
	assert.deepEqual([await cell(3), await cell(4)], ["/v2/chat/completions", ""]);
	await row().click();
	await panel.locator(".failure:visible .advice").getByText("Check the base URL in the client").waitFor();
	await panel.getByText("GET /v2/chat/completions", { exact: true }).waitFor();
	await panel.locator(".failure:visible").scrollIntoViewIfNeeded();
	await window.screenshot("turned-away");
	await row().click();
});

test("the charts have text alternatives", async () => {
	const totals = panel.locator("#model-totals tbody tr").filter({ hasText: "scripted-usage" });
	await totals.waitFor();
	assert.deepEqual(await totals.locator("td").allInnerTexts(), ["1", "70", "5"]);
	const said = await panel.locator("#hour").getByRole("img").getAttribute("aria-label");
	assert.match(said, /^In the last hour 4 requests, 2 failed, most at \d\d:\d\d: \d\.$/);
});

test("models and tools are listed, and tools are filtered by text and tag", async () => {
	await tab("Models").click();
	const model = panel.getByRole("row").filter({ hasText: "scripted-mini" });
	await model.waitFor();
	await model.getByText("16,384").waitFor();
	const other = await attachFakeEditor(proxy.file);
	other.say(0, { type: "models", models: [THEIRS] });
	const theirs = panel.getByRole("row").filter({ hasText: "Gemini" });
	await theirs.getByText("elsewhere/scripted-1", { exact: true }).waitFor();
	await theirs.getByText("other window").waitFor();
	await window.screenshot("models");
	other.close();
	await theirs.waitFor({ state: "detached" });
	assert.equal(await panel.getByText("other window").count(), 0);
	await tab("Models").press("ArrowRight");
	const tools = panel.locator("#tools-list li");
	await tools.first().waitFor();
	const all = await tools.count();
	const name = await tools.first().locator("code").textContent();
	await panel.getByRole("searchbox", { name: "Filter tools" }).fill(name);
	await until(async () => (await tools.count()) < all, "fewer tools");
	assert.ok((await tools.locator("code").allInnerTexts()).includes(name));
	await panel.getByRole("searchbox").fill("");
	await panel.locator(".chip").first().click();
	const tag = await panel.locator(".chip").first().textContent();
	for (const tags of await tools.locator(".tags").allInnerTexts()) assert.ok(tags.includes(tag), tags);
	await panel.locator(".chip").first().click();
	await window.screenshot("tools");
});

test("bodies are shown once logRequestsToUI is on, also as a curl command", async () => {
	await tab("Settings").click();
	await panel.getByLabel("Log Requests To UI").check();
	await window.screenshot("settings");
	await until(
		() => fs.readFileSync(proxy.editor.at("user/User/settings.json"), "utf8").includes("logRequestsToUI"),
		"the setting in settings.json",
	);
	await until(async () => {
		await tab("Activity").click();
		const before = await rows().count();
		await proxy.chat("say:words to keep");
		await until(async () => (await rows().count()) === before + 1, "the row of this request");
		await row().getByRole("button").click();
		const isKept = await panel.getByRole("heading", { name: "Response" }).isVisible({ timeout: 2000 });
		return (
			isKept ||
			panel
				.getByRole("heading", { name: "Response" })
				.waitFor({ timeout: 2000 })
				.then(
					() => true,
					() => false,
				)
		);
	}, "a request whose words are kept");
	await panel.locator("pre").getByText('"say:words to keep"').waitFor();
	await panel.getByRole("button", { name: "Copy the request as a curl command" }).waitFor();
	await panel.locator(".bodies pre").first().scrollIntoViewIfNeeded();
	await window.screenshot("words");
});

test("a hidden page is restored with its state", async () => {
	const before = await rows().count();
	await window.command("File: New Untitled Text File");
	await panel.locator("body").waitFor({ state: "detached" });
	await proxy.chat("say:meanwhile");
	await window.command("Copilot Proxy: Show Status");
	await until(async () => (await rows().count()) === before + 1, "all requests, and the new one");
	assert.equal(await row(1).getByRole("button").getAttribute("aria-expanded"), "true");
});

test("Stop closes the port, Start opens it", async () => {
	await panel.getByRole("button", { name: "Stop", exact: true }).click();
	await panel.getByRole("heading", { name: "Off" }).waitFor();
	await proxy.untilClosed();
	assert.equal(await panel.locator("#connect").isVisible(), false);
	await window.screenshot("off");
	await panel.getByRole("button", { name: "Start", exact: true }).click();
	await proxy.untilServing();
	await panel.getByRole("heading", { name: `Running on port ${proxy.port}` }).waitFor();
});

test("the port is changed in the panel's settings", async () => {
	const port = await freePort();
	await tab("Settings").click();
	const field = panel.getByLabel("Port", { exact: true });
	await field.fill("70000");
	await field.press("Enter");
	assert.equal(await field.evaluate((input) => input.validity.valid), false);
	await field.fill(String(port));
	await field.press("Enter");
	await panel.getByRole("heading", { name: `Running on port ${port}` }).waitFor();
	proxy.port = port;
	await proxy.untilServing();
	assert.equal(await proxy.textFor("say:here"), "here");
});

test("the panel follows light, dark and high-contrast themes", async () => {
	await proxy.chat("say:a longer answer for the picture", { model: "scripted-1" });
	await proxy.chat("usage:12000 900 8000\nsay:cached", { model: "scripted-usage" });
	await fetch(`http://127.0.0.1:${proxy.port}/v1/messages`, {
		method: "POST",
		headers: { "content-type": "application/json", "user-agent": "claude-cli/2.1.0 (external, cli)" },
		body: JSON.stringify({
			model: "scripted-1",
			max_tokens: 100,
			messages: [{ role: "user", content: "slow:20 20" }],
		}),
	}).then((answer) => answer.text());
	await proxy.chat("say:nothing", { model: "no-such-model" });
	const running = await proxy.stream("say:Hello\nhang:");
	await tab("Activity").click();
	await row().getByText("Running").waitFor();
	assert.equal(await cell(2, 2), "claude-cli/2.1.0");
	await row(1).getByRole("button").click();
	const colours = new Set();
	for (const [name, theme] of Object.entries(THEMES)) {
		await window.provider(
			({ vscode }, chosen) =>
				vscode.workspace.getConfiguration().update("workbench.colorTheme", chosen, true),
			theme,
		);
		await until(async () => {
			const colour = await panel.locator("body").evaluate((body) => getComputedStyle(body).backgroundColor);
			return colours.size < colours.add(colour).size;
		}, `the colours of ${theme}`);
		await panel.locator("body").evaluate(() => scrollTo(0, 0));
		await window.screenshot(name);
		await panel.locator("#requests").scrollIntoViewIfNeeded();
		await panel.locator("body").evaluate(() => scrollTo(0, 360));
		await window.screenshot(`${name}-requests`);
	}
	running.hangUp();
});

test("the page caused no policy violations or errors", () => assert.deepEqual(complaints, []));
