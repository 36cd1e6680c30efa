import assert from "node:assert/strict";
import { join } from "node:path";
import { beforeEach, test } from "node:test";
import type * as vscode from "vscode";
import { Panel, type View } from "../src/panel";
import type { ModelInfo } from "../src/protocol";
import { fake, Uri } from "./fake/vscode";

const home = Uri.file(join(__dirname, "../..")) as unknown as vscode.Uri;
const gpt: ModelInfo = {
	vendor: "copilot",
	id: "gpt",
	family: "gpt",
	version: "1",
	name: "GPT",
	max_input_tokens: 1000,
	tools: true,
	reports_usage: true,
	more: {},
};
const off: View = { state: { kind: "off" }, models: [] };
const running: View = {
	models: [gpt],
	state: {
		kind: "attached",
		version: "0.1.0",
		startedHere: true,
		status: {
			http: { state: "running", port: 8080 },
			in_flight: 1,
			editors: 2,
			models: 1,
			consent_needed: false,
			requests: 3,
			tokens_in: 4,
			tokens_out: 5,
			started_at: 0,
		},
	},
};

let view: View;

beforeEach(() => {
	view = off;
	fake.webviews.length = 0;
	fake.executed.length = 0;
});

async function opened(): Promise<{ panel: Panel; webview: (typeof fake.webviews)[number] }> {
	const panel = new Panel(home, () => view);
	await panel.show();
	const [webview] = fake.webviews;
	assert.ok(webview);
	return { panel, webview };
}

test("the page loads its own files and nothing else", async () => {
	const { webview } = await opened();
	assert.ok(!webview.html.includes("{{"));
	assert.match(
		webview.html,
		/content="default-src 'none'; img-src SOURCE; style-src SOURCE; script-src SOURCE"/,
	);
	assert.ok(!/<script>|<style|style=|onclick=/.test(webview.html));
	assert.deepEqual(
		[...webview.html.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, url]) => url?.replace(/.*\//, "")),
		["panel.css", "panel.js", "icon.png"],
	);
});

test("it is shown once, and anew when it was closed", async () => {
	const { panel, webview } = await opened();
	await panel.show();
	assert.equal(fake.webviews.length, 1);
	webview.close();
	await panel.show();
	assert.equal(fake.webviews.length, 2);
});

test("it is told how things stand when it is ready, and when they change", async () => {
	const { panel, webview } = await opened();
	webview.says({ type: "ready" });
	view = running;
	panel.update();
	assert.deepEqual(webview.told, [
		{
			title: "Off",
			more: "No server is running.",
			tone: "idle",
			actions: ["start"],
			endpoints: [],
			figures: undefined,
			models: [],
		},
		{
			title: "Running on port 8080",
			more: "Programs on this machine can use 1 model at http://127.0.0.1:8080.",
			tone: "running",
			actions: ["stop", "restart"],
			endpoints: [
				{ name: "OpenAI", url: "http://127.0.0.1:8080/v1" },
				{ name: "Anthropic", url: "http://127.0.0.1:8080" },
			],
			figures: { "Requests now": 1, Requests: 3, "Tokens in": 4, "Tokens out": 5, Windows: 2 },
			models: [{ id: "gpt", name: "GPT", vendor: "copilot", limit: 1000, tools: true, images: false }],
		},
	]);
});

test("its buttons run our commands and copy, no others", async () => {
	const { webview } = await opened();
	webview.says({ type: "run", command: "stop" });
	webview.says({ type: "run", command: "../workbench.action.quit" });
	webview.says({ type: "copy", text: "http://127.0.0.1:8080" });
	webview.says({ type: "unknown" });
	assert.deepEqual(fake.executed, [["copilotProxy.stop"]]);
	assert.equal(fake.clipboard, "http://127.0.0.1:8080");
});
