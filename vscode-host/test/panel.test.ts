import assert from "node:assert/strict";
import { join } from "node:path";
import { beforeEach, test } from "node:test";
import type * as vscode from "vscode";
import { Panel, type PanelHost } from "../src/panel";
import type { PanelView } from "../src/panel-messages";
import { fake, Uri } from "./fake/vscode";

const home = Uri.file(join(__dirname, "../..")) as unknown as vscode.Uri;
const view: PanelView = {
	title: "Off",
	detail: "No server is running.",
	tone: "idle",
	actions: ["start"],
	needsKey: false,
	models: [],
	settings: [],
};
const tools = { isRestricted: false, tools: [] };
const asked: unknown[] = [];
const behind: PanelHost = {
	view: () => view,
	async tools(startServers) {
		asked.push(["tools", startServers]);
		return tools;
	},
	watch: (on) => asked.push(["watch", on]),
	getExchange: (id) => asked.push(["get_exchange", id]),
	stopRequest: (id) => asked.push(["stop_request", id]),
	async set(name, value) {
		asked.push(["set", name, value]);
	},
};

beforeEach(() => {
	asked.length = 0;
	fake.webviews.length = 0;
	fake.executed.length = 0;
});

async function opened(): Promise<{ panel: Panel; webview: (typeof fake.webviews)[number] }> {
	const panel = new Panel(home, behind);
	await panel.show();
	const [webview] = fake.webviews;
	assert.ok(webview);
	return { panel, webview };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

test("the page loads two files only and runs only scripts with its nonce", async () => {
	const { webview } = await opened();
	assert.ok(!webview.html.includes("{{"));
	const [, nonce] = /script-src 'nonce-([0-9a-f]{32})'/.exec(webview.html) ?? [];
	assert.ok(nonce);
	assert.match(webview.html, /content="default-src 'none'; style-src SOURCE; script-src 'nonce-/);
	assert.ok(!/<style|style=|onclick=/.test(webview.html));
	assert.deepEqual(
		[...webview.html.matchAll(/<script[^>]*>/g)].map(([tag]) => tag.includes(`nonce="${nonce}"`)),
		[true],
	);
	assert.deepEqual(
		[...webview.html.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, url]) => url?.replace(/.*\//, "")),
		["panel.css", "panel.js"],
	);
});

test("there is one panel, and a new one after it was closed", async () => {
	const { panel, webview } = await opened();
	await panel.show();
	assert.equal(fake.webviews.length, 1);
	webview.close();
	await Promise.all([panel.show(), panel.show()]);
	assert.equal(fake.webviews.length, 2);
});

test("a ready page gets the full state, and the server a subscription", async () => {
	const { panel, webview } = await opened();
	webview.send({ type: "ready" });
	await settled();
	assert.deepEqual(webview.told, [
		{ type: "view", view },
		{ type: "tools", tools },
	]);
	assert.deepEqual(asked, [
		["watch", true],
		["tools", false],
	]);
	assert.equal(panel.isWatching, true);
	const activity = { reset: true, requests: [], models: [], minutes: [] };
	panel.activity(activity);
	panel.exchange({ id: "req_1", headers: [] });
	panel.modelCatalog([]);
	assert.deepEqual(webview.told.slice(2), [
		{ type: "activity", activity },
		{ type: "exchange", exchange: { id: "req_1", headers: [] } },
		{ type: "model_catalog", models: [] },
	]);
});

test("a hidden or closed page ends the subscription until it is ready again", async () => {
	const { panel, webview } = await opened();
	webview.send({ type: "ready" });
	webview.hide();
	webview.hide();
	webview.send({ type: "ready" });
	webview.close();
	await settled();
	assert.deepEqual(
		asked.filter((each) => Array.isArray(each) && each[0] === "watch"),
		[
			["watch", true],
			["watch", false],
			["watch", true],
			["watch", false],
		],
	);
	assert.equal(panel.isWatching, false);
});

test("messages of the page run known commands only, copy, set and request bodies", async () => {
	const { webview } = await opened();
	webview.send({ type: "run", command: "stop" });
	webview.send({ type: "run", command: "../workbench.action.quit" });
	webview.send({ type: "copy", text: "http://127.0.0.1:8080" });
	webview.send({ type: "get_exchange", id: "req_1" });
	webview.send({ type: "set", name: "port", value: 9000 });
	webview.send({ type: "readTools" });
	webview.send({ type: "unknown" });
	await settled();
	assert.deepEqual(fake.executed, [["copilotProxy.stop"]]);
	assert.equal(fake.clipboard, "http://127.0.0.1:8080");
	assert.deepEqual(asked, [
		["get_exchange", "req_1"],
		["set", "port", 9000],
		["tools", true],
	]);
});
