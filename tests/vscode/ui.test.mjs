// The inspector in a real browser at /ui, against the packaged server's demo: by eye, keyboard and mouse, at several sizes
// and in several themes.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";
import { violations } from "./harness/accessibility.mjs";
import { ask, freePort, openStream } from "./harness/http.mjs";
import { until } from "./harness/index.mjs";
import { chromium, chromiumPath } from "./harness/installed.mjs";

const PICTURES = process.env.COPILOT_PROXY_SCREENSHOTS;
const CHAT = "/v1/chat/completions";

const run = fs.mkdtempSync("/tmp/cp-");
let server;
let port;
let browser;
let page;
/** Errors and policy violations of the pages. */
const complaints = [];

before(async () => {
	const vsix = process.env.COPILOT_PROXY_VSIX;
	if (!vsix) throw new Error("COPILOT_PROXY_VSIX names no extension to test; see README.md");
	execFileSync("python3", ["-m", "zipfile", "-e", vsix, path.join(run, "extension")]);
	const program = path.join(run, "extension/extension/bin/copilot-proxy");
	fs.chmodSync(program, 0o755);
	port = await freePort();
	server = spawn(program, ["demo", "--port", String(port)], {
		stdio: "ignore",
		env: { ...process.env, HOME: run, XDG_STATE_HOME: run },
	});
	await until(
		() =>
			ask(port, "/health").then(
				() => true,
				() => false,
			),
		"the demo",
	);
	browser = await chromium.launch({ executablePath: chromiumPath, args: ["--no-sandbox", "--disable-gpu"] });
	page = await open("/ui");
});
after(async () => {
	await browser?.close();
	server?.kill();
	fs.rmSync(run, { recursive: true, force: true });
});

async function open(url, { width = 1280, height = 800, ...options } = {}) {
	const context = await browser.newContext({ viewport: { width, height }, ...options });
	const opened = await context.newPage();
	opened.on("console", (message) => {
		if (message.type() === "error") complaints.push(message.text());
	});
	opened.on("pageerror", (error) => complaints.push(error.stack));
	await opened.goto(`http://127.0.0.1:${port}${url}`);
	return opened;
}

async function screenshot(name, of = page) {
	if (!PICTURES) return;
	fs.mkdirSync(PICTURES, { recursive: true });
	await of.screenshot({ path: path.join(PICTURES, `ui-${name}.png`) });
}

const body = (script, more) => ({
	model: "scripted-1",
	messages: [{ role: "user", content: script }],
	...more,
});
const chat = (script, more) => ask(port, CHAT, { body: body(script, more) });
const rows = (of = page) => of.locator(".request");
const row = (text, of = page) => rows(of).filter({ hasText: text }).first();
const tab = (name, of = page) => of.getByRole("tab", { name });
const focused = () => page.evaluate(() => document.activeElement.dataset.number);

test("the first page tries a model and leads to the inspector", async () => {
	const first = await open("/");
	await first.getByLabel("Prompt").fill("say:hello from the first page");
	await first.getByRole("button", { name: "Send" }).click();
	await first.getByText("hello from the first page", { exact: true }).waitFor();
	await screenshot("first-page", first);
	assert.deepEqual(await violations(first.mainFrame()), []);
	await first.getByRole("link", { name: "Open the inspector" }).click();
	await row("Stop", first).waitFor();
	await first.context().close();
});

test("a button switches recording on; a conversation is then readable", async () => {
	await row("Stop").click();
	await page.getByRole("button", { name: "Record Requests and Responses" }).click();
	await until(async () => {
		await chat("call:get_time\nthen:\nsay:It is noon.", {
			stream: true,
			tool_execution: "auto",
			use_vscode_tools: true,
		});
		await rows().first().click();
		return page
			.getByText("It is noon.", { exact: true })
			.waitFor({ timeout: 2000 })
			.then(
				() => true,
				() => false,
			);
	}, "a recorded conversation");
	await page.getByRole("heading", { name: "User" }).waitFor();
	await tab("Timing").click();
	await page.getByRole("row").filter({ hasText: "get_time (round 1)" }).waitFor();
	await screenshot("timing");
	await tab("Wire").click();
	await page.getByText("POST /v1/chat/completions", { exact: true }).waitFor();
	await page.locator(".events li").first().waitFor();
	await tab("Conversation").click();
});

test("tool calls of a client stand with their results", async () => {
	const tools = [{ name: "look", description: "Looks.", input_schema: { type: "object" } }];
	const messages = [
		{ role: "user", content: "Look." },
		{ role: "assistant", content: [{ type: "tool_use", id: "t1", name: "look", input: { at: "the cat" } }] },
		{ role: "user", content: [{ type: "tool_result", tool_use_id: "t1", content: "a sleeping cat" }] },
	];
	const request = { model: "scripted-1", max_tokens: 100, stream: true, tools, messages };
	await ask(port, "/v1/messages", { body: request, headers: { "x-claude-code-session-id": "session-1" } });
	await row("anthropic").click();
	const call = page.locator(".call").filter({ hasText: "look" });
	await call.getByText("a sleeping cat").waitFor();
	assert.match(await call.textContent(), /the cat/);
	await screenshot("conversation");
});

test("a running request is on top and is cancelled", async () => {
	const stream = await openStream(port, CHAT, { body: body("say:Hello\nhang:", { stream: true }) });
	await stream.events.next();
	await chat("say:later");
	await until(async () => /Running/.test(await rows().first().textContent()), "the running request on top");
	await page.getByRole("button", { name: /^Cancel request/ }).click();
	await row("Cancelled").waitFor();
	const events = await Array.fromAsync(stream.events);
	assert.match(JSON.stringify(events), /the request was cancelled in Copilot Proxy/);
});

test("rows are one tab stop: arrow keys, Enter and Escape", async () => {
	await page.keyboard.press("Escape");
	await page.locator(".detail").waitFor({ state: "detached" });
	assert.equal(await page.locator('.request[tabindex="0"]').count(), 1);
	await page.locator('.request[tabindex="0"]').focus();
	const first = await focused();
	await page.keyboard.press("ArrowDown");
	await page.locator(".detail").waitFor();
	const second = await focused();
	assert.notEqual(second, first);
	assert.equal(await page.locator('.request[tabindex="0"]').getAttribute("data-number"), second);
	await page.keyboard.press("End");
	await page.keyboard.press("Home");
	assert.equal(await focused(), first);
	await page.keyboard.press("Enter");
	await until(() => page.evaluate(() => document.activeElement.role === "tab"), "the focus in the details");
	await page.keyboard.press("Escape");
	await page.locator(".detail").waitFor({ state: "detached" });
	await until(async () => (await focused()) === first, "the focus on the row again");
});

test("words and chips filter the list, Pause keeps it, Clear empties it", async () => {
	const all = await rows().count();
	await page.getByRole("searchbox").fill("session-1");
	await until(async () => (await rows().count()) === 1, "one request");
	await page.getByRole("searchbox").fill("");
	const chip = page
		.locator(".facet")
		.filter({ hasText: "Outcome" })
		.getByRole("button", { name: /Cancelled/ });
	await chip.click();
	await until(async () => (await rows().count()) === 1, "the cancelled request");
	assert.equal(await chip.getAttribute("aria-pressed"), "true");
	await page.getByRole("button", { name: "Clear Filters" }).click();
	await until(async () => (await rows().count()) === all, "all requests");

	await page.getByRole("button", { name: "Pause" }).click();
	await chat("say:unseen");
	await page.getByRole("button", { name: "Resume (1 new)" }).click();
	await until(async () => (await rows().count()) === all + 1, "the request of the pause");
	await page.getByRole("button", { name: "Clear", exact: true }).click();
	await page.getByText("No request").first().waitFor();
	await chat("say:again");
	await until(async () => (await rows().count()) === 1, "the next request");
});

test("a request is edited and sent again", async () => {
	await rows().first().click();
	await page.getByRole("button", { name: "Edit and Resend" }).click();
	const editor = page.getByRole("textbox", { name: "Body" });
	await editor.fill("{");
	await page.getByRole("button", { name: "Send", exact: true }).click();
	await page.getByRole("alert").getByText("The body is no JSON").waitFor();
	await editor.fill(JSON.stringify(body("say:edited words")));
	await page.getByRole("button", { name: "Send", exact: true }).click();
	await until(async () => (await rows().count()) === 2, "the request on top");
	await rows().first().click();
	await page.getByText("edited words", { exact: true }).waitFor();
});

test("requests are exported as JSON lines and as an HTTP archive", async () => {
	for (const [name, count] of [
		["JSONL", (text) => text.trimEnd().split("\n").map(JSON.parse).length],
		["HAR", (text) => JSON.parse(text).log.entries.length],
	]) {
		const downloads = page.waitForEvent("download");
		await page.getByRole("button", { name: `Export ${name}` }).click();
		const file = path.join(run, name);
		await (await downloads).saveAs(file);
		const text = fs.readFileSync(file, "utf8");
		assert.equal(count(text), 2);
		assert.ok(text.includes("edited words"), name);
	}
});

test("usage is summed by model, client, session and day", async () => {
	await tab("Usage").click();
	for (const name of ["Model", "Client", "Session", "Day"]) {
		await page.getByRole("button", { name, exact: true }).click();
		await page.getByRole("columnheader", { name, exact: true }).waitFor();
		assert.ok((await page.locator(".usage tbody tr").count()) > 0, name);
	}
	await screenshot("usage");
});

test("a tool's switch changes the setting, and shows its schema", async () => {
	await tab("Tools").click();
	const box = page.getByRole("checkbox", { name: "Auto mode may run get_time" });
	await box.uncheck();
	await until(async () => !(await box.isChecked()), "the switch off");
	const answer = await chat("call:get_time\nthen:\nsay:over", {
		tool_execution: "auto",
		use_vscode_tools: true,
	});
	assert.ok(!/2026-01-01/.test(answer.text), answer.text);
	await box.check();
	await page.getByText("Schema", { exact: true }).first().click();
	await page.locator("#tools-list pre").first().waitFor();
});

test("models have limits and are tried", async () => {
	await tab("Models").click();
	await page.getByRole("row").filter({ hasText: "scripted-mini" }).waitFor();
	await tab("Requests").click();
	await rows().first().waitFor();
	const before = await rows().count();
	await tab("Models").click();
	await page.getByRole("button", { name: "Try scripted-1", exact: true }).click();
	await page.getByRole("button", { name: "Send", exact: true }).click();
	await until(async () => (await rows().count()) === before + 1, "the tried request");
});

test("the state of the page survives a reload", async () => {
	await page.getByRole("searchbox").fill("edited");
	await page.getByRole("searchbox").fill("");
	await rows().first().click();
	await tab("Wire").click();
	await page.reload();
	await page.locator(".detail").waitFor();
	assert.equal(await tab("Wire").getAttribute("aria-selected"), "true");
	await tab("Conversation").click();
});

test("at 1280x800 the list shows at least 12 rows, beside the details, too", async () => {
	for (let count = 0; count < 20; count += 1) await chat(`say:${count}`);
	const visible = () =>
		rows().evaluateAll(
			(all) =>
				all.filter((element) => {
					const { top, bottom } = element.getBoundingClientRect();
					return top >= 0 && bottom <= innerHeight;
				}).length,
		);
	await until(async () => (await visible()) >= 12, "12 rows beside the details");
	await page.keyboard.press("Escape");
	await until(async () => (await visible()) >= 12, "12 rows");
	const head = await page.locator("header").boundingBox();
	assert.ok(head.height < 50, `${head.height}`);
	await screenshot("list");
});

for (const [title, size] of Object.entries({
	"400 pixels": { width: 400, height: 700 },
	"200 %": { width: 640, height: 400, deviceScaleFactor: 2 },
})) {
	test(`at ${title} the outcome stays visible, details are below`, async () => {
		const narrow = await open("/ui", size);
		await rows(narrow).first().waitFor();
		const inside = async (locator) => {
			const { x, width } = await locator.boundingBox();
			assert.ok(x >= 0 && x + width <= size.width, `${x} ${width}`);
		};
		await inside(rows(narrow).first().locator(".outcome"));
		assert.ok(await narrow.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
		await rows(narrow).first().click();
		const list = await narrow.locator(".scroller").boundingBox();
		const detail = await narrow.locator(".detail").boundingBox();
		assert.ok(detail.y >= list.y + list.height - 1);
		await inside(rows(narrow).first().locator(".outcome"));
		await inside(narrow.locator(".detail h2"));
		await screenshot(`narrow-${size.width}`, narrow);
		await narrow.context().close();
	});
}

for (const [theme, media] of Object.entries({
	light: { colorScheme: "light" },
	dark: { colorScheme: "dark" },
	"more contrast": { colorScheme: "dark", contrast: "more" },
	"more contrast, light": { colorScheme: "light", contrast: "more" },
})) {
	test(`axe finds nothing (${theme})`, async () => {
		const themed = await open("/ui", media);
		await rows(themed).first().click();
		for (const name of ["Conversation", "Timing", "Wire", "Usage", "Models", "Tools", "Requests"]) {
			await tab(name, themed).click();
			await themed.waitForFunction(
				(name) =>
					[...document.querySelectorAll('[role="tab"][aria-selected="true"]')].some((tab) =>
						tab.textContent.startsWith(name),
					),
				name,
			);
			assert.deepEqual(await violations(themed.mainFrame()), [], name);
		}
		await themed.getByRole("button", { name: "Connect" }).click();
		await themed.locator("#connect").waitFor();
		assert.deepEqual(await violations(themed.mainFrame()), []);
		await screenshot(theme.replaceAll(/\W+/g, "-"), themed);
		await themed.context().close();
	});
}

test("1,000 requests cost little script time, while they come and while they are scrolled", async (context) => {
	// The server keeps a hundred ended requests: of more between two updates the page doesn't learn.
	const batch = 25;
	await until(
		async () => {
			await Promise.all(Array.from({ length: batch }, () => chat("say:x")));
			return (await rows().count()) >= 1000;
		},
		"1,000 rows",
		60_000,
	);
	const session = await page.context().newCDPSession(page);
	await session.send("Performance.enable");
	const scriptTime = async () => {
		const { metrics } = await session.send("Performance.getMetrics");
		return 1000 * metrics.find(({ name }) => name === "ScriptDuration").value;
	};
	const draws = [];
	for (let count = 0; count < 10; count += 1) {
		await page.evaluate(() => {
			window.lastDraw = undefined;
		});
		await chat("say:x");
		draws.push(await page.waitForFunction(() => window.lastDraw).then((handle) => handle.jsonValue()));
	}
	const before = await scriptTime();
	const frames = await page.locator(".scroller").evaluate(async (scroller) => {
		let frames = 0;
		for (let top = 0; top < scroller.scrollHeight; top += 240) {
			scroller.scrollTop = top;
			await new Promise(requestAnimationFrame);
			frames += 1;
		}
		return frames;
	});
	const perFrame = ((await scriptTime()) - before) / frames;
	const median = draws.sort((one, other) => one - other)[5];
	context.diagnostic(`an update ${median.toFixed(1)} ms, a frame ${perFrame.toFixed(2)} ms of script`);
	assert.ok(median < 16, `${median} ms per update`);
	assert.ok(perFrame < 4, `${perFrame} ms per frame`);
});

test("the pages caused no errors or policy violations", () => assert.deepEqual(complaints, []));
