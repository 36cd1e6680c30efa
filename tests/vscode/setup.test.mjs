// Setting up a client from VS Code: review, apply, undo; and the diagnosis.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";
import { startProxy, until } from "./harness/index.mjs";

const MINE = "# Mine.\r\ncheck_for_update_on_startup = false";

let proxy;
let window;
let config;

before(async () => {
	proxy = await startProxy();
	config = proxy.editor.at("home/.codex/config.toml");
	fs.mkdirSync(path.dirname(config));
	fs.writeFileSync(config, MINE);
	window = await proxy.editor.open();
	await proxy.untilServing();
	await until(async () => (await window.notifications()).length > 0, "the greeting");
	await window.command("Notifications: Clear All Notifications");
});
after(() => proxy?.stop());

const read = (file) => (fs.existsSync(file) ? fs.readFileSync(file, "utf8") : undefined);
const shown = (side) => window.page.locator(`.monaco-diff-editor .editor.${side}`);

/** Waits for a diff of this file with this text on one side. */
async function seesDiff(title, text, side = "modified") {
	await window.page.getByRole("tab", { name: title }).waitFor();
	await shown(side).getByText(text).first().waitFor();
}

/** Picks a client by its label and, if several have it, its description. */
async function pick(label, description = "") {
	await window.command("Copilot Proxy: Set up a Client...");
	// The list draws only the rows in sight.
	await window.page.getByPlaceholder("Select the program that should use Copilot's models").fill(label);
	const row = window.page
		.locator(`.quick-input-list .monaco-list-row:is([aria-label="${label}"], [aria-label^="${label},"])`)
		.filter({ hasText: description });
	await row.waitFor();
	if (label === "Codex") await window.screenshot("clients");
	await row.click();
}

test("a client is set up as the diff shows, and undo restores the file byte for byte", async () => {
	await pick("Codex");
	await seesDiff("~/.codex/config.toml: now ↔ with Copilot Proxy", "[model_providers.copilot-proxy]");
	await window.toast("write ~/.codex/config.toml as shown").waitFor();
	await window.screenshot("diff");
	assert.equal(read(config), MINE, "before anybody agreed");
	await window.press("write ~/.codex/config.toml as shown", "Write");
	await window.toast("Codex is set up. Next: start it as usual: codex.").waitFor();
	const written = read(config);
	assert.match(written, /^# Mine\./m);
	assert.ok(written.includes(`base_url = "http://127.0.0.1:${proxy.port}/v1"`), written);

	await window.press("Codex is set up", "Undo");
	await seesDiff("~/.codex/config.toml: now ↔ as before", "# Mine.");
	await window.press("put ~/.codex/config.toml back", "Put Back");
	await window.toast("~/.codex/config.toml was restored.").waitFor();
	assert.equal(read(config), MINE);
	assert.equal(await window.page.locator(".monaco-diff-editor").count(), 0);
});

test("the diff's buttons apply the change, and undo removes a new file", async () => {
	const env = path.join(await window.folder(), ".env");
	await pick(".env");
	await seesDiff(/\.env: now ↔ with Copilot Proxy/, "ANTHROPIC_BASE_URL");
	await window.page.getByRole("button", { name: "Apply Change" }).click();
	await window.toast(".env is set up").waitFor();
	assert.match(read(env), /^OPENAI_API_KEY=cp-setup-[\w-]{32}$/m);

	fs.appendFileSync(env, "MINE=1\n");
	await pick("Undo: .env");
	await seesDiff(/\.env: now ↔ as before/, "MINE=1", "original");
	await window.toast("these changes would be lost").waitFor();
	await window.press("these changes would be lost", "Remove");
	await until(() => read(env) === undefined, "the file to go");
});

test("closing the diff discards the change", async () => {
	await pick("Claude Code");
	await seesDiff(/settings\.json: now ↔ with Copilot Proxy/, "ANTHROPIC_BASE_URL");
	await window.command("View: Close Editor");
	await window.page.locator(".monaco-diff-editor").waitFor({ state: "detached" });
	await pick("Claude Code");
	await seesDiff(/settings\.json: now ↔ with Copilot Proxy/, "ANTHROPIC_BASE_URL");
	await window.page.getByRole("button", { name: "Discard Change" }).click();
	await window.page.locator(".monaco-diff-editor").waitFor({ state: "detached" });
	assert.equal(read(proxy.editor.at("home/.claude/settings.json")), undefined);
});

test("a client with two files is set up after a look at each, for this folder or for all", async () => {
	await pick("Gemini CLI");
	await seesDiff(/settings\.json: now ↔ with Copilot Proxy/, "gemini-api-key");
	await window.page.getByRole("button", { name: "Apply Change" }).click();
	await seesDiff(/\.env: now ↔ with Copilot Proxy/, "GOOGLE_GEMINI_BASE_URL");
	assert.equal(read(proxy.editor.at("home/.gemini/settings.json")), undefined, "before all were seen");
	await window.page.getByRole("button", { name: "Apply Change" }).click();
	await window.toast("Gemini CLI is set up").waitFor();
	assert.match(read(proxy.editor.at("home/.gemini/.env")), /^GEMINI_API_KEY=cp-setup-/m);

	const local = path.join(await window.folder(), ".claude/settings.local.json");
	await pick("Claude Code in This Folder");
	await seesDiff(/settings\.local\.json: now ↔ with Copilot Proxy/, "ANTHROPIC_BASE_URL");
	await window.page.getByRole("button", { name: "Apply Change" }).click();
	await until(() => read(local), "the folder's file");
});

test("a client without a file gets a text to copy", async () => {
	await pick("LangChain");
	await window.page.getByRole("tab", { name: "langchain.py" }).waitFor();
	await window.page.locator(".monaco-editor").getByText(`http://127.0.0.1:${proxy.port}/v1`).waitFor();
	await window.toast("Set up LangChain by hand").waitFor();
	await window.command("View: Close Editor");
});

test("uninstalling the extension undoes what it has set up", async () => {
	const settings = proxy.editor.at("home/.gemini/settings.json");
	assert.notEqual(read(settings), undefined);
	const extensions = proxy.editor.at("extensions");
	const folder = fs.readdirSync(extensions).find((name) => name.startsWith("copilot-proxy.copilot-proxy-"));
	const { scripts } = JSON.parse(read(path.join(extensions, folder, "package.json")));
	const [node, script] = scripts["vscode:uninstall"].split(" ");
	assert.equal(node, "node");
	const env = { HOME: proxy.editor.at("home"), PATH: process.env.PATH };
	execFileSync(process.execPath, [path.join(extensions, folder, script)], { env, stdio: "pipe" });
	for (const file of [settings, proxy.editor.at("home/.gemini/.env")]) assert.equal(read(file), undefined);
	assert.equal(read(config), MINE);
});

test("the panel opens the list of clients", async () => {
	await window.statusItem("copilot-proxy.copilot-proxy", "status").click();
	await window.webview().getByRole("button", { name: "Set up a Client..." }).click();
	await window.page.locator(".quick-input-list").getByText("Claude Code", { exact: true }).waitFor();
	await window.page.keyboard.press("Escape");
	await window.webview().getByRole("button", { name: "Diagnose" }).click();
	await window.answer("Allow"); // the diagnosis sends a request, which needs consent
	await window.page.getByRole("tab", { name: "Preview Copilot Proxy Diagnosis.md" }).waitFor();
});

test("a diagnosis names the server, the window and the models", async () => {
	const { pid } = proxy.file;
	const found = window.page
		.frameLocator("iframe.webview")
		.last()
		.frameLocator("#active-frame")
		.locator("body");
	await found.getByRole("heading", { name: "Copilot Proxy: No problems found" }).waitFor();
	const text = await found.textContent();
	for (const line of [
		`server: version 0.1.0 is running (pid ${pid})`,
		`port: the base URL is http://127.0.0.1:${proxy.port}/v1`,
		`windows: 1 attached: ${path.basename(await window.folder())}`,
		"scripted-1",
		"consent is given",
	])
		assert.ok(text.includes(line), `${line} in ${text}`);
	await window.screenshot("diagnosis");
});

test("each workspace folder has its own .env", async () => {
	const folders = [proxy.editor.folder(), proxy.editor.folder({ ".env": "MINE=1\n" })];
	const workspace = path.join(proxy.editor.folder(), "two.code-workspace");
	fs.writeFileSync(workspace, JSON.stringify({ folders: folders.map((folder) => ({ path: folder })) }));
	window = await proxy.editor.open(workspace);
	const [one, other] = folders.map((folder) => path.join(folder, ".env"));
	await pick(".env", other);
	await seesDiff(/\.env: now ↔ with Copilot Proxy/, "ANTHROPIC_BASE_URL");
	await window.press(`write ${other} as shown`, "Write");
	await window.toast(".env is set up").waitFor();
	assert.match(read(other), /^MINE=1\n(.*\n)*OPENAI_API_KEY=cp-setup-[\w-]{32}$/m);
	assert.equal(read(one), undefined);

	await pick("Undo: .env", other);
	await window.press(`put ${other} back`, "Put Back");
	await until(() => read(other) === "MINE=1\n", "the file as it was");
	await pick(".env", one);
	await window.press(`make ${one} as shown`, "Write");
	await until(() => read(one), "the other folder's file");
	assert.equal(read(other), "MINE=1\n");
});
