import assert from "node:assert/strict";
import { join } from "node:path";
import { beforeEach, test } from "node:test";
import type * as vscode from "vscode";
import { Panel, type PanelHost } from "../src/panel";
import type { PanelView } from "../src/panel-messages";
import { fake, Uri, window } from "./fake/vscode";

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
	getUsage: (query) => asked.push(["get_usage", query]),
	async resend(path, headers, body) {
		asked.push(["resend", path, headers, body]);
		if (path === "/nowhere") {
			throw new Error("no such endpoint");
		}
	},
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

test("the page gets the translations, escaped", async (context) => {
	context.after(() => {
		fake.translations = {};
	});
	fake.translations = { '{count} "requests"': "{count} <b>&quot;$&" };
	const { webview } = await opened();
	const [, content = ""] = /<meta name="l10n" content="([^"]*)">/.exec(webview.html) ?? [];
	const text = content.replaceAll("&quot;", '"').replaceAll("&amp;", "&");
	assert.deepEqual(JSON.parse(text), fake.translations);
	assert.match(webview.html, /<html lang="en">/);
});

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
	webview.send({ type: "stop_request", id: "req_2" });
	const query = { from: "2026-11-01", to: "2026-11-26", by: "model" } as const;
	webview.send({ type: "get_usage", ...query });
	webview.send({ type: "resend", path: "/v1/messages", headers: [], body: "{}" });
	webview.send({ type: "unknown" });
	await settled();
	assert.deepEqual(fake.executed, [["copilotProxy.stop"]]);
	assert.equal(fake.clipboard, "http://127.0.0.1:8080");
	assert.deepEqual(asked, [
		["get_exchange", "req_1"],
		["set", "port", 9000],
		["tools", true],
		["stop_request", "req_2"],
		["get_usage", query],
		["resend", "/v1/messages", [], "{}"],
	]);
});

test("a request that could not be sent again is a problem on the page", async () => {
	const { webview } = await opened();
	webview.send({ type: "resend", path: "/nowhere", headers: [], body: "{}" });
	await settled();
	assert.deepEqual(webview.told, [
		{ type: "problem", message: "The request could not be sent: no such endpoint" },
	]);
});

test("a panel that VS Code restored gets the page; beside an open one it is closed", async () => {
	const panel = new Panel(home, behind);
	await panel.deserializeWebviewPanel(window.createWebviewPanel() as unknown as vscode.WebviewPanel);
	const [restored] = fake.webviews;
	assert.match(restored?.html ?? "", /panel\.js/);
	let isDisposed = false;
	const second = Object.assign(window.createWebviewPanel(), {
		dispose() {
			isDisposed = true;
		},
	});
	await panel.deserializeWebviewPanel(second as unknown as vscode.WebviewPanel);
	assert.equal(isDisposed, true);
});
