// The inspector in a real VS Code: requests, its buttons and fields, a reload of the window, and its themes. ui.test.mjs has
// the rest of the page, which is the same in a browser.
import assert from "node:assert/strict";
import fs from "node:fs";
import { after, before, test } from "node:test";
import { violations } from "./harness/accessibility.mjs";
import { freePort } from "./harness/http.mjs";
import { attachFakeEditor, startProxy, until } from "./harness/index.mjs";

const THEMES = {
	light: "Light 2026",
	dark: "Dark 2026",
	contrast: "Default High Contrast",
	"contrast-light": "Default High Contrast Light",
};

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

const rows = () => panel.locator(".request");
const row = (at = 0) => rows().nth(at);
const cell = async (column, at = 0) => (await row(at).locator(`.c-${column}`).textContent()).trim();
const tab = (name) => panel.getByRole("tab", { name });

/** The document of the page. */
async function frame() {
	const handle = await panel.locator("body").elementHandle();
	return handle.ownerFrame();
}

test("a click on the status bar opens the panel; base URLs fold out", async () => {
	await proxy.untilStatus(window, `Copilot Proxy: ${proxy.port}`);
	await window.statusItem("copilot-proxy.copilot-proxy", "status").click();
	await panel.getByRole("heading", { name: `Running on port ${proxy.port}` }).waitFor();
	await panel.getByText("No requests yet.").waitFor();
	await window.screenshot("empty");
	await panel.getByRole("button", { name: "Connect" }).click();
	const urls = await panel.locator("#endpoints code").allInnerTexts();
	const url = `http://127.0.0.1:${proxy.port}`;
	assert.deepEqual(urls, [`${url}/v1`, url, url]);
	await panel.getByRole("button", { name: "Connect" }).click();
	await panel.locator("#endpoints").waitFor({ state: "detached" });
});

test("a request is shown while it runs and when it has ended; Cancel reaches the provider", async () => {
	const stream = await proxy.stream("say:Hello\nhang:");
	await stream.events.next();
	await row().getByText("Running").waitFor();
	assert.equal(await cell("model"), "scripted-1");
	await until(async () => (await cell("total")) !== "", "the time it takes so far");
	await window.screenshot("running");
	await panel.getByRole("button", { name: /^Cancel request/ }).click();
	await row().getByText("Cancelled").waitFor();
	const events = await Array.fromAsync(stream.events);
	assert.match(JSON.stringify(events), /the request was cancelled in Copilot Proxy/);

	await proxy.chat("usage:70 5 30\nsay:counted", { model: "scripted-usage" });
	await row().getByText("Stop").waitFor();
	assert.deepEqual([await cell("model"), await cell("in"), await cell("out")], ["scripted-usage", "70", "5"]);
	assert.equal(await rows().count(), 2);
});

test("a failed request shows its reason and a hint, until Escape closes it", async () => {
	await proxy.chat("say:nothing", { model: "no-such-model" });
	await row().getByText("Unknown model").waitFor();
	await row().click();
	await panel.locator(".failure").getByText("the model `no-such-model` does not exist").waitFor();
	await panel.locator(".failure .advice").getByText("Ask for one of the models").waitFor();
	await row().press("Escape");
	await panel.locator(".detail").waitFor({ state: "detached" });
});

test("rejected requests are shown", async () => {
	await proxy.get("/v2/chat/completions");
	await row().getByText("No such path").waitFor();
	await row().click();
	await panel.locator(".failure .advice").getByText("Check the base URL in the client").waitFor();
	await tab("Wire").click();
	await panel.getByText("GET /v2/chat/completions", { exact: true }).waitFor();
	await window.screenshot("turned-away");
	await tab("Conversation").click();
});

test("the usage of today is summed, and the chart has a text alternative", async () => {
	await tab("Usage").click();
	const group = panel.locator(".usage tbody tr").filter({ hasText: "scripted-usage" });
	await group.waitFor();
	assert.deepEqual((await group.locator("td").allInnerTexts()).slice(0, 4), ["1", "70", "5", "43 %"]);
	const said = await panel.locator("#hour").getByRole("img").getAttribute("aria-label");
	assert.match(said, /^In the last hour 4 requests, 3 failed, most at \d\d:\d\d: \d\.$/);
	await window.screenshot("usage");
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
	const name = await tools.first().locator(".tool code").textContent();
	await panel.getByRole("searchbox", { name: "Filter tools" }).fill(name);
	await until(async () => (await tools.count()) < all, "fewer tools");
	assert.ok((await tools.locator(".tool code").allInnerTexts()).includes(name));
	await panel.getByRole("searchbox").fill("");
	const chip = panel.locator(".facets .chip").first();
	await chip.click();
	await until(async () => (await chip.getAttribute("aria-pressed")) === "true", "the chip pressed");
	const tag = await chip.textContent();
	for (const tags of await tools.locator(".tags").allInnerTexts()) assert.ok(tags.includes(tag), tags);
	await chip.click();
	await window.screenshot("tools");
});

test("a tool's switch writes autoTools", async () => {
	const box = panel.locator("#tools-list input[type=checkbox]").first();
	await box.uncheck();
	const settings = () => fs.readFileSync(proxy.editor.at("user/User/settings.json"), "utf8");
	await until(() => settings().includes("autoTools"), "the setting in settings.json");
	await box.check();
	await until(() => !settings().includes("autoTools"), "the setting's default again");
});

test("a button switches recording on; a conversation and a command are then there", async () => {
	await tab("Requests").click();
	await proxy.chat("say:not kept");
	await row().getByText("Stop").waitFor();
	await row().click();
	await panel.getByRole("button", { name: "Record Requests and Responses" }).click();
	await until(
		() => fs.readFileSync(proxy.editor.at("user/User/settings.json"), "utf8").includes("logRequestsToUI"),
		"the setting in settings.json",
	);
	await until(async () => {
		const before = await rows().count();
		await proxy.chat("say:words to keep");
		await until(async () => (await rows().count()) === before + 1, "the row of this request");
		await row().click();
		return panel
			.getByRole("heading", { name: "Response" })
			.waitFor({ timeout: 2000 })
			.then(
				() => true,
				() => false,
			);
	}, "a request whose words are kept");
	await panel.locator(".reply").getByText("words to keep", { exact: true }).waitFor();
	await panel.getByRole("button", { name: /^Copy as curl/ }).waitFor();
	await panel.getByRole("button", { name: /^PowerShell/ }).waitFor();
	await window.screenshot("words");
});

test("a running request shows its words as soon as it is selected", async () => {
	const stream = await proxy.stream("say:so far\nhang:");
	await stream.events.next();
	await row().getByText("Running").waitFor();
	await until(async () => (await cell("out")) !== "", "the tokens so far");
	// The bodies of another request have just been read, and the running one will not change.
	await row(1).click();
	await row().click();
	await panel.locator(".reply").getByText("so far", { exact: true }).waitFor({ timeout: 10_000 });
	await panel.getByRole("button", { name: /^Cancel request/ }).click();
	await row().getByText("Cancelled").waitFor();
	await stream.events.return();
	await row(1).click();
});

test("a request is edited and sent again", async () => {
	const before = await rows().count();
	await panel.getByRole("button", { name: "Edit and Resend" }).click();
	const editor = panel.getByRole("textbox", { name: "Body" });
	await editor.fill((await editor.inputValue()).replace("words to keep", "other words"));
	await panel.getByRole("button", { name: "Send", exact: true }).click();
	await until(async () => (await rows().count()) === before + 1, "the request");
	await row().click();
	await panel.locator(".reply").getByText("other words", { exact: true }).waitFor();
	assert.equal(await cell("client"), "Copilot-Proxy-Inspector");
});

test("a hidden page is restored with its state", async () => {
	const before = await rows().count();
	await window.command("File: New Untitled Text File");
	await panel.locator("body").waitFor({ state: "detached" });
	await proxy.chat("say:meanwhile");
	await window.command("Copilot Proxy: Show Status");
	await until(async () => (await rows().count()) === before + 1, "all requests, and the new one");
	await until(async () => (await row(1).getAttribute("aria-selected")) === "true", "the selected request");
	await panel.locator(".reply").getByText("other words", { exact: true }).waitFor();
});

test("Stop closes the port, Start opens it", async () => {
	await panel.getByRole("button", { name: "Stop", exact: true }).click();
	await panel.getByRole("heading", { name: "Off" }).waitFor();
	await proxy.untilClosed();
	assert.equal(await panel.getByRole("button", { name: "Connect" }).count(), 0);
	await window.screenshot("off");
	await panel.getByRole("button", { name: "Start", exact: true }).click();
	await proxy.untilServing();
	await panel.getByRole("heading", { name: `Running on port ${proxy.port}` }).waitFor();
});

test("the port is changed in the panel's settings", async () => {
	const port = await freePort();
	await tab("Settings").click();
	await panel.getByLabel("Log Requests To UI").waitFor();
	await window.screenshot("settings");
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
	await tab("Requests").click();
});

/** The computed styles that tell a pressed or ticked element from another one. */
const look = (element) => {
	const styles = getComputedStyle(element);
	const { backgroundColor, borderColor, boxShadow, color, fontWeight } = styles;
	return JSON.stringify([backgroundColor, borderColor, boxShadow, color, fontWeight]);
};

test("in four themes chips and boxes show their state, and axe finds nothing", async () => {
	await proxy.chat("usage:12000 900 8000\nsay:cached", { model: "scripted-usage" });
	await proxy.chat("say:nothing", { model: "no-such-model" });
	const running = await proxy.stream("say:Hello\nhang:");
	await row().getByText("Running").waitFor();
	await row(1).click();
	const colours = new Set();
	for (const [name, theme] of Object.entries(THEMES)) {
		await window.configure("workbench.colorTheme", theme);
		await until(async () => {
			const body = panel.locator("body");
			const colour = await body.evaluate(
				({ dataset }) => dataset.vscodeThemeName ?? dataset.vscodeThemeId ?? "",
			);
			return colours.size < colours.add(colour).size;
		}, `the colors of ${theme}`);
		const chips = panel.locator(".facet").first().locator(".chip");
		await chips.first().click();
		await until(
			async () => (await chips.first().getAttribute("aria-pressed")) === "true",
			"the chip to be pressed",
		);
		assert.notEqual(await chips.first().evaluate(look), await chips.nth(1).evaluate(look), `${name}: chips`);
		await chips.first().click();
		await window.screenshot(name);
		for (const each of ["Timing", "Wire", "Conversation", "Usage", "Models", "Tools", "Settings"]) {
			await tab(each).click();
			assert.deepEqual(await violations(await frame()), [], `${name}: ${each}`);
		}
		await tab("Settings").click();
		const box = (label) => panel.getByLabel(label, { exact: true });
		assert.equal(await box("Log Requests To UI").isChecked(), true);
		assert.notEqual(
			await box("Log Requests To UI").evaluate(look),
			await box("Raw Logging").evaluate(look),
			`${name}: boxes`,
		);
		await tab("Requests").click();
		assert.deepEqual(await violations(await frame()), [], `${name}: requests`);
	}
	running.hangUp();
});

test("a reload of the window restores the panel and its state", async () => {
	await tab("Models").click();
	await panel.getByRole("row").filter({ hasText: "scripted-mini" }).waitFor();
	await window.command("Developer: Reload Window");
	await panel.locator("body").waitFor({ state: "detached" });
	await panel.getByRole("heading", { name: `Running on port ${proxy.port}` }).waitFor({ timeout: 60_000 });
	await until(
		async () => (await tab("Models").getAttribute("aria-selected")) === "true",
		"the tab of before the reload",
	);
});

test("the page caused no policy violations or errors", () => assert.deepEqual(complaints, []));
