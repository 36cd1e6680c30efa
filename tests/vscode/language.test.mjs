// The extension in a VS Code of another language: commands, status bar, panel and its settings speak it.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startProxy } from "./harness/index.mjs";

let proxy;
let window;
let panel;

before(async () => {
	proxy = await startProxy({ locale: "de" });
	window = await proxy.editor.open();
	await proxy.untilServing();
	panel = window.webview();
});
after(() => proxy?.stop());

test("commands have German titles, which open the panel in German", async () => {
	await proxy.untilStatus(window, `Copilot Proxy: ${proxy.port}`);
	await window.command("Copilot Proxy: Status anzeigen");
	await panel.getByRole("heading", { name: `Läuft auf Port ${proxy.port}` }).waitFor();
	await panel.getByText("Noch keine Anforderungen.").waitFor();
	assert.equal(await panel.locator("html").getAttribute("lang"), "de");
	await window.screenshot("german");
});

test("requests and settings are described in German", async () => {
	await proxy.chat("say:Hallo");
	await panel.getByRole("grid", { name: "Anforderungen" }).waitFor();
	await panel.locator(".request").click();
	await panel.getByRole("button", { name: "Anforderungen und Antworten aufzeichnen" }).waitFor();
	await panel.getByRole("tab", { name: "Einstellungen" }).click();
	await panel.getByText("auf dem der Server lauscht").waitFor();
});

test("the status bar tells in German that the server was stopped", async () => {
	await window.command("Copilot Proxy: Server beenden");
	await proxy.untilStatus(window, "Copilot Proxy: Aus");
	await panel.getByRole("heading", { name: "Aus" }).waitFor();
});
