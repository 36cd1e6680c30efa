// A new user's first minutes: a taken port, the greeting, a first request by curl, consent, the walkthrough, the command in
// terminals, and a window without models.
import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import fs from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { freePort, startProxy, until } from "./harness/index.mjs";

/** Stands in for Claude Code: writes the address that it was given. */
const CLAUDE = '#!/bin/sh\necho "$ANTHROPIC_BASE_URL" > "$HOME/claude-ran"\n';

let holder;
let programs;
let proxy;
let window;

before(async () => {
	const port = await freePort();
	holder = net.createServer().listen(port, "127.0.0.1");
	programs = fs.mkdtempSync(path.join(os.tmpdir(), "cp-programs-"));
	fs.writeFileSync(path.join(programs, "claude"), CLAUDE, { mode: 0o755 });
	proxy = await startProxy({ port });
	// Login shells replace the PATH.
	for (const name of [".profile", ".bashrc"])
		fs.writeFileSync(proxy.editor.at("home", name), `PATH="${programs}:$PATH"\n`);
	window = await proxy.editor.open();
});
after(async () => {
	await proxy?.stop();
	holder?.close();
	fs.rmSync(programs, { recursive: true, force: true });
});

const clipboard = () => window.provider(({ vscode }) => vscode.env.clipboard.readText());

/** Runs a command line as a terminal does. */
const shell = (line) => promisify(execFile)("sh", ["-c", line]).then(({ stdout }) => JSON.parse(stdout));

/** The item of an open quick pick. */
const item = (label) =>
	window.page.locator(
		`.quick-input-list .monaco-list-row:is([aria-label="${label}"], [aria-label^="${label},"])`,
	);

test("a taken port names its program, and one click moves the server to the next one", async () => {
	await proxy.untilStatus(window, `Copilot Proxy: ${proxy.port} taken`);
	const toast = `Port ${proxy.port} is in use by node (pid ${process.pid}). Use `;
	await window.toast(toast).waitFor();
	await window.screenshot("port-taken");
	const [, next] = /Use (\d+), or stop that program/.exec(await window.toast(toast).innerText());
	await window.press(toast, `Use ${next}`);
	await proxy.untilStatus(window, `Copilot Proxy: ${next}`);
	proxy.port = Number(next);
	await proxy.untilServing();
});

test("the greeting copies a request that works; its dialog names the program, and a refusal is remembered", async () => {
	await window.toast("Copilot Proxy is ready").waitFor();
	await window.screenshot("greeting");
	await window.press("Copilot Proxy is ready", "Copy curl Command");
	await window.toast(`Copied a request to http://127.0.0.1:${proxy.port}.`).waitFor();
	const line = await clipboard();

	const first = shell(line);
	assert.match(await window.answer("Cancel"), /The program "curl\/[\d.]+" on this machine wants to use/);
	assert.match((await first).error.message, /^Allow Copilot Proxy in VS Code:/);
	for (let again = 0; again < 3; again += 1) {
		assert.match((await shell(line)).error.message, /^Allow Copilot Proxy in VS Code:/);
	}
	assert.equal(await window.dialogs().count(), 0);
	await proxy.untilStatus(window, "Copilot Proxy: Allow models");

	await window.command("Copilot Proxy: Allow Models...");
	await window.answer("Allow");
	const { choices } = await until(async () => {
		const answer = await shell(line);
		return answer.choices && answer;
	}, "an answer");
	assert.equal(typeof choices[0].message.content, "string");
	await proxy.untilStatus(window, `Copilot Proxy: ${proxy.port}`);
});

test("Copy Endpoint asks for the API and says what it copied", async () => {
	await window.command("Copilot Proxy: Copy Endpoint");
	await item("Anthropic").click();
	await window
		.toast(`Copied http://127.0.0.1:${proxy.port}, the base URL for programs that use the API of Anthropic.`)
		.waitFor();
	assert.equal(await clipboard(), `http://127.0.0.1:${proxy.port}`);
});

test("the walkthrough has pictures, and the steps that were taken are ticked", async () => {
	await window.provider(({ vscode }) =>
		vscode.commands.executeCommand("workbench.action.openWalkthrough", "copilot-proxy.copilot-proxy#start"),
	);
	const steps = window.page.locator(".gettingStartedContainer .getting-started-step");
	await until(async () => (await steps.count()) === 5, "five steps");
	await window.screenshot("walkthrough");
	const ticked = async (id) =>
		(await window.page.locator(`[data-done-step-id$="#${id}"]`).getAttribute("aria-checked")) === "true";
	for (const id of ["copilot", "allow", "ask"]) await until(() => ticked(id), `the step ${id} to be ticked`);
	assert.equal(await ticked("panel"), false);
	await window.command("View: Close Editor");
});

test("terminals of VS Code have the command, and an agent starts with one", async () => {
	await window.provider(({ vscode }) => {
		const terminal = vscode.window.createTerminal("mine");
		terminal.sendText("copilot-proxy --version > ~/version");
	});
	const read = (name) => {
		const file = proxy.editor.at("home", name);
		return fs.existsSync(file) ? fs.readFileSync(file, "utf8") : "";
	};
	await until(() => read("version") === "copilot-proxy 0.1.0\n", "the command in a terminal");
	await window.command("Copilot Proxy: Run Claude Code in a Terminal");
	await until(
		() => read("claude-ran") === `http://127.0.0.1:${proxy.port}\n`,
		"the agent with the server's address",
	);
	await window.screenshot("agent");
});

test("the command is installed for other terminals", async () => {
	await window.command("Copilot Proxy: Install 'copilot-proxy' Command");
	await window.toast("That folder is not on your PATH").waitFor();
	const program = proxy.editor.at("home/.local/bin/copilot-proxy");
	assert.equal(execFileSync(program, ["--version"], { encoding: "utf8" }), "copilot-proxy 0.1.0\n");
	const page = proxy.editor.at("home/.local/share/man/man1/copilot-proxy.1");
	assert.match(fs.readFileSync(page, "utf8"), /\.TH copilot-proxy 1/);
});

test("the default model is chosen from the models there are", async () => {
	await window.command("Copilot Proxy: Choose Default Model...");
	await item("scripted-mini (scripted)").click();
	await until(async () => {
		const { json } = await proxy.chat("say:hi", { model: undefined });
		return json.model === "scripted-mini";
	}, "the default model to answer");
});

test("the palette offers only commands that make sense now", async () => {
	const offered = async (title) => {
		await window.page.keyboard.press("F1");
		await window.page.locator(".quick-input-widget input").first().fill(`>Copilot Proxy: S`);
		await window.page
			.locator(".label-name")
			.getByText("Copilot Proxy: Show Status", { exact: true })
			.waitFor();
		const found = await window.page.locator(".label-name").getByText(title, { exact: true }).count();
		await window.page.keyboard.press("Escape");
		return found > 0;
	};
	assert.equal(await offered("Copilot Proxy: Stop Server"), true);
	assert.equal(await offered("Copilot Proxy: Start Server"), false);
});

test("a window without models says why, and the button does that very thing", async () => {
	await window.command("Notifications: Clear All Notifications");
	await window.provider(({ state }) => {
		state.models = { copilot: [], scripted: [] };
		state.changed.fire();
	});
	await proxy.untilStatus(window, "Copilot Proxy: No models");
	await window.command("Copilot Proxy: Allow Models...");
	const reason = "GitHub Copilot is not installed, or not enabled.";
	await window.toast(reason).waitFor();
	await window.statusItem("copilot-proxy.copilot-proxy", "status").click();
	await window.webview().getByText(reason).waitFor();
	await window.screenshot("no-models");
	await window.webview().getByRole("button", { name: "Install GitHub Copilot" }).click();
	await window.answer("Enable Extension");
	await window.webview().getByText("GitHub Copilot is not signed in.").waitFor();
	await window.webview().getByRole("button", { name: "Sign In" }).click();
	await window
		.dialogs()
		.getByRole("button", { name: /GitHub/ })
		.first()
		.waitFor();
	await window.screenshot("sign-in");
	await window.page.keyboard.press("Escape");
});

test("a diagnosis offers the remedy of the first problem", async () => {
	await window.command("Copilot Proxy: Diagnose");
	await window.toast("1 problem found").waitFor();
	await window.press("1 problem found", "Copy Report");
	await until(async () => (await clipboard()).startsWith("# Copilot Proxy: 1 problem found"), "the report");
});
