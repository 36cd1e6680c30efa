// Hostile web pages in a real browser against the real server: whatever a page makes the browser send, no model and no tool
// of an editor is asked without the user's permission, and the page reads nothing but what is free for all.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";
import { attack } from "./harness/hostile-page.mjs";
import { ask } from "./harness/http.mjs";
import { attachFakeEditor, until } from "./harness/index.mjs";
import { startRelay } from "./harness/relay.mjs";
import { startWebBrowser, startWebSite } from "./harness/web-site.mjs";

/** Words of a private answer, of the editor's tool and of its folder: no page may read them. */
const ANSWER = "a private answer";
const TOOL = { name: "private_tool", description: "Reads.", input_schema: { type: "object" }, tags: [] };
const FOLDER = "private-folder";
const SECRETS = [ANSWER, TOOL.name, FOLDER, "copilot_proxy_", '"input_tokens"'];

const MODEL = {
	vendor: "scripted",
	id: "scripted-1",
	family: "scripted",
	version: "1",
	name: "Scripted",
	max_input_tokens: 100_000,
	tools: true,
	reports_usage: false,
	more: {},
};

const messages = [{ role: "user", content: "hello" }];
const POSTS = [
	{ path: "/v1/chat/completions", body: { model: "scripted-1", messages } },
	{
		path: "/mcp",
		body: { jsonrpc: "2.0", id: 1, method: "initialize", params: { protocolVersion: "2025-11-25" } },
	},
	{ path: "/v1/messages", body: { model: "scripted-1", max_tokens: 10, messages } },
	{ path: "/v1/responses", body: { model: "scripted-1", input: "hello" } },
	{ path: "/api/chat", body: { model: "scripted-1", messages, stream: false } },
];
/** Endpoints that any page may read. */
const FREE = ["/", "/health", "/v1/models"];

/** Endpoints that only pages of this machine may read, and those of the inspector, which only its own page may. */
const INSPECTOR = ["/ui", "/ui/api/usage", "/ui/api/tools", "/ui/api/requests/req_1", "/ui/api/events"];
const PRIVATE = ["/v1/tools", "/mcp", "/metrics", "/v1/usage", ...INSPECTOR];

/** Messages that only ask or inform an editor; all others run a model or a tool, or show its data. */
const HARMLESS = ["welcome", "status", "log", "ping", "ask_origin"];

const run = fs.mkdtempSync("/tmp/cp-");
let server;
let site;
let relay;
let editor;
let browser;
let protectingBrowser;
let stored;

before(async () => {
	const vsix = process.env.COPILOT_PROXY_VSIX;
	if (!vsix) throw new Error("COPILOT_PROXY_VSIX names no extension to test; see README.md");
	execFileSync("python3", ["-m", "zipfile", "-e", vsix, path.join(run, "extension")]);
	const program = path.join(run, "extension/extension/bin/copilot-proxy");
	fs.chmodSync(program, 0o755);
	const directory = path.join(run, "directory");
	fs.mkdirSync(directory, { mode: 0o700 });
	server = spawn(program, ["serve", "--port", "0", "--dir", directory], {
		stdio: "ignore",
		env: { ...process.env, HOME: run, XDG_STATE_HOME: run },
	});
	const serverFile = path.join(directory, "server.json");
	const file = await until(() => {
		const found = fs.existsSync(serverFile) && JSON.parse(fs.readFileSync(serverFile, "utf8"));
		return found.port && found;
	}, "the server");
	editor = await attachFakeEditor(file, {
		folders: [`/home/${FOLDER}`],
		answers: {
			list_tools: (editor, stream) => editor.say(stream, { type: "tools", tools: [TOOL] }),
			chat: (editor, stream) => {
				editor.words(stream, ANSWER);
				editor.say(stream, { type: "end" });
			},
			ask_origin: (editor, stream) => editor.say(stream, { type: "origin_answer", decision: "block" }),
		},
	});
	editor.say(0, { type: "models", models: [MODEL] });
	await until(async () => (await ask(file.port, "/health")).json.models_available === 1, "the model");
	const { json } = await ask(file.port, "/v1/responses", {
		body: POSTS.find(({ path }) => path === "/v1/responses").body,
	});
	stored = `/v1/responses/${json.id}`;
	relay = await startRelay(file.port);
	site = await startWebSite();
	browser = await startWebBrowser(site.port);
	protectingBrowser = await startWebBrowser(site.port, { protectsLoopback: true });
});
after(async () => {
	await browser?.close();
	await protectingBrowser?.close();
	site?.stop();
	relay?.stop();
	editor?.close();
	server?.kill();
	fs.rmSync(run, { recursive: true, force: true });
});

const serverUrl = () => `http://127.0.0.1:${relay.port}`;
const at = (host, port = site.port) => `http://${host}:${port}`;

async function open(url, { by = browser, permissions = [] } = {}) {
	const context = await by.newContext();
	await context.grantPermissions(permissions);
	const page = await context.newPage();
	await page.goto(url);
	return page;
}

/**
 * Attacks the server from a page named `name` and waits until no request runs any more. Gives what the page read, what
 * reached the server, and what the editor was sent.
 */
async function attackFrom(
	name,
	frame,
	{ target = serverUrl(), posts = POSTS.slice(0, 2), deletes = [stored] } = {},
) {
	const before = editor.heard.length;
	const gets = [...FREE, ...PRIVATE, stored, `${stored}/input_items`];
	const siteOrigin = await frame.evaluate(() => (self.origin.startsWith("http") ? self.origin : undefined));
	const isOnSite = siteOrigin?.endsWith(`:${site.port}`);
	const page = { page: name, target, site: isOnSite ? siteOrigin : at("127.0.0.1"), posts, gets, deletes };
	const read = await frame.evaluate(attack, page);
	await untilIdle();
	return { read, reached: reachedFrom(name), heard: editor.heard.slice(before).map(({ type }) => type) };
}

const untilIdle = () =>
	until(() => relay.exchanges.every(({ status }) => status !== undefined), "every answer");

/** The requests of a page that reached the server, but for the browser's questions about what it may send. */
const reachedFrom = (name) =>
	relay.exchanges
		.filter(({ method }) => method !== "OPTIONS")
		.map(({ method, url, status }) => ({ method, url, status, attempt: attemptOf({ url }) }))
		.filter(({ attempt }) => attempt.startsWith(`${name}:`));

const isServed = (status) => status >= 200 && status < 400;

const isFree = ({ url }) => FREE.includes(new URL(url, "http://relay").pathname);

const attemptOf = ({ url }) => new URL(url, "http://relay").searchParams.get("attempt") ?? "";

/** The names of the attempts whose answer had one of these words. */
const readers = (read, words) =>
	read.filter((attempt) => words.some((word) => attempt.read.includes(word))).map(({ name }) => name);

/** Fails if an attack got at a model, a tool, or anything that isn't free for all. */
function assertHarmless({ read, reached, heard }) {
	assert.deepEqual(
		heard.filter((type) => !HARMLESS.includes(type)),
		[],
		"sent to the editor",
	);
	assert.deepEqual(readers(read, SECRETS), [], "read by the page");
	const served = reached.filter((exchange) => isServed(exchange.status) && !isFree(exchange));
	assert.deepEqual(
		served.map(({ method, attempt, status }) => `${method} ${attempt} ${status}`),
		[],
		"served",
	);
}

test("a page of this machine shows that the attempts are real", async () => {
	const page = await open(at("localhost"));
	const { read, heard } = await attackFrom("local", page.mainFrame(), { posts: POSTS, deletes: [] });
	// Beacons, pings and reports leave when the browser has time. Some need a permission first: the headers of a program, which
	// no page gets for `/metrics`, and JSON with credentials, which no page gets at all.
	const needsMore = /^(fetch, like a program|json, no referrer|json, beacon)/;
	const wanted = read.map(({ name }) => name).filter((name) => !needsMore.test(name));
	const missing = () => {
		const names = new Set(reachedFrom("local").map(({ attempt }) => attempt.slice("local:".length)));
		return wanted.filter((name) => !names.has(name));
	};
	await until(() => missing().length === 0, "all attempts", 20_000).catch(() => {
		assert.deepEqual(missing(), [], "never reached the server");
	});
	for (const secret of [ANSWER, TOOL.name, FOLDER, '"input_tokens"'])
		assert.notDeepEqual(readers(read, [secret]), [], `${secret} can be read`);
	assert.ok(heard.includes("chat"));
	assert.ok(heard.includes("list_tools"));
	// Requests that browsers send without a preflight are refused even then.
	await untilIdle();
	const unasked = /^local:(no-cors|form, (text|url|multi|redir)|beacon|ping|report|simple)/;
	const served = reachedFrom("local").filter(
		({ attempt, status }) => unasked.test(attempt) && isServed(status),
	);
	assert.deepEqual(served, []);
	// The inspector is closed to other pages of this machine, too.
	const inspected = reachedFrom("local").filter(({ url }) => url.startsWith("/ui"));
	assert.ok(inspected.length > INSPECTOR.length);
	assert.deepEqual([...new Set(inspected.map(({ status }) => status))], [403]);
	await page.context().close();
});

const PAGES = {
	"a page of another origin": () => at("evil.test"),
	"a page of 0.0.0.0": () => at("0.0.0.0"),
	"a page whose name begins with localhost": () => at("localhost.evil.test"),
};
for (const [title, url] of Object.entries(PAGES)) {
	test(`${title} gets nothing without the user's permission`, async () => {
		const page = await open(url());
		const attacked = await attackFrom(title, page.mainFrame(), { posts: POSTS });
		assertHarmless(attacked);
		assert.ok(attacked.reached.length > 100, `${attacked.reached.length} attempts reached the server`);
		assert.deepEqual(
			attacked.heard.filter((type) => type === "ask_origin"),
			["ask_origin"],
		);
		await page.context().close();
	});
}

test("a file and a sandboxed frame are one foreign page", async () => {
	const file = path.join(run, "page.html");
	fs.writeFileSync(file, "<!doctype html><title>A file</title>");
	const page = await open(`file://${file}`);
	const attacked = await attackFrom("file", page.mainFrame());
	assertHarmless(attacked);
	assert.ok(attacked.reached.length > 100, `${attacked.reached.length} attempts reached the server`);
	await page.goto(`${at("evil.test")}/sandbox`);
	const sandbox = await until(() => page.frames().find((frame) => frame.parentFrame()), "the frame");
	await sandbox.waitForLoadState();
	const inFrame = await attackFrom("sandbox", sandbox);
	assertHarmless(inFrame);
	assert.ok(inFrame.reached.length > 100, `${inFrame.reached.length} attempts reached the server`);
	const questions = [...attacked.heard, ...inFrame.heard].filter((type) => type === "ask_origin");
	assert.deepEqual(questions, ["ask_origin"]);
	await page.context().close();
});

for (const name of ["rebound.test", "host.docker.internal"]) {
	test(`a page whose name ${name} now leads to the server gets nothing`, async () => {
		const page = await (await browser.newContext()).newPage();
		const origin = at(name, relay.port);
		await page.route(`${origin}/page`, (route) =>
			route.fulfill({ contentType: "text/html", body: "<!doctype html><title>Before</title>" }),
		);
		await page.goto(`${origin}/page`);
		const attacked = await attackFrom(name, page.mainFrame(), { target: origin });
		assertHarmless(attacked);
		assert.ok(attacked.reached.length > 100, `${attacked.reached.length} attempts reached the server`);
		await page.context().close();
	});
}

test("the address 0.0.0.0 leads to nothing", async () => {
	const page = await open(at("evil.test"));
	const attacked = await attackFrom("zero", page.mainFrame(), { target: at("0.0.0.0", relay.port) });
	assertHarmless(attacked);
	await page.context().close();
});

test("the browser's permission to reach loopback is not the user's to ask models", async () => {
	const page = await open(at("evil.test"), {
		by: protectingBrowser,
		permissions: ["local-network-access"],
	});
	const attacked = await attackFrom("permitted", page.mainFrame());
	assertHarmless(attacked);
	assert.ok(attacked.reached.length > 100, `${attacked.reached.length} attempts reached the server`);
	await page.context().close();
});

test("without that permission scripts reach nothing", async () => {
	const page = await open(at("evil.test"), { by: protectingBrowser });
	const attacked = await attackFrom("unpermitted", page.mainFrame());
	assertHarmless(attacked);
	assert.deepEqual(readers(attacked.read, ["scripted-1", "Copilot Proxy"]), []);
	await page.context().close();
});

test("the stored response is still there, and no late request has reached the editor", async () => {
	const { json } = await ask(relay.port, stored);
	assert.equal(json.output.at(-1).content[0].text, ANSWER);
	const foreign = relay.exchanges.filter((exchange) => !/^(local:|$)/.test(attemptOf(exchange)));
	const served = foreign.filter(
		(exchange) => exchange.method !== "OPTIONS" && isServed(exchange.status) && !isFree(exchange),
	);
	assert.deepEqual(served, []);
});
