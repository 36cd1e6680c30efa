// Makes docs/images: the inspector as a picture, and a first answer as an animation. Models and prompts are made up;
// window, server, requests and numbers are real. pictures.sh runs it.
import { spawn } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { gifOf } from "./harness/gif.mjs";
import { listening } from "./harness/http.mjs";
import { startProxy, until } from "./harness/index.mjs";

const PORT = 8080;
const images = path.join(import.meta.dirname, "../../docs/images");

/** Words at the pace of a model, as a script of the provider. */
const spoken = (text, ms) =>
	(text.match(/\S+\s*/g) ?? []).flatMap((word) => [`say:${word.replaceAll("\n", "\\n")}`, `wait:${ms}`]);

const ANSWER =
	"Air scatters short waves of light more than long ones. Blue reaches your eyes from all over the sky, " +
	"while red goes straight on. At sunset the way through the air is long, and red is what is left.";

const READ = "Why does the test for empty input fail?";
const SCRIPTS = {
	"Why is the sky blue?": [...spoken(ANSWER, 70), "usage:18 46"].join("\n"),
	"Name three rivers.": "wait:300\nsay:Danube, Nile, Amazon.\nusage:14 9",
	"Summarize the last five commits.":
		"wait:600\nsay:They add the parser, its tests, a fuzz target, and two fixes for empty input.\nusage:5230 84 4864",
	[READ]: [
		'think:The failing assertion names parse(""). I need to see how the parser treats an empty string.',
		"say:Let me look at the parser.\\n",
		'call:read_file {"path": "src/parser.ts"}',
		"usage:21480 61 19968",
		"then:",
		"wait:900",
		"say:`parse` reads `tokens[0]` before it checks the length, so that empty input throws. Return an empty list there:",
		"say:\\n\\n```ts\\nif (tokens.length === 0) return [];\\n```\\n\\nThe test passes with it.",
		"usage:22310 118 21376",
	].join("\n"),
	"Review this function.": `${["think:Short.", ...spoken(ANSWER, 400)].join("\n")}`,
};
const CODE = [
	"export function parse(text: string): Node[] {",
	"\tconst tokens = tokenize(text);",
	"\tlet at = tokens[0].start;",
	"\t// ...",
	"}",
].join("\n");
const READ_FILE = {
	name: "read_file",
	description: "Reads a file of the workspace.",
	input_schema: { type: "object", properties: { path: { type: "string" } }, required: ["path"] },
};

const AGENTS = {
	claude: "claude-cli/2.1.4 (external, cli)",
	codex: "codex_cli_rs/0.61.0 (Ubuntu 24.04; x86_64)",
	python: "OpenAI/Python 2.8.1",
	curl: "curl/8.14.1",
};

if (await listening(PORT)) throw new Error(`port ${PORT} is in use, and the pictures show it`);
fs.mkdirSync(images, { recursive: true });
const proxy = await startProxy({
	settings: {
		"copilotProxy.port": PORT,
		"copilotProxy.logRequestsToUI": true,
		"workbench.colorTheme": "Dark 2026",
		"workbench.layoutControl.enabled": false,
		"chat.commandCenter.enabled": false,
		"window.commandCenter": false,
		"terminal.integrated.fontSize": 13,
		"terminal.integrated.tabs.enabled": false,
	},
});
proxy.port = PORT;
try {
	const window = await proxy.editor.open(proxy.editor.folder({ "src/parser.ts": CODE }));
	await proxy.untilServing();
	await window.provider(({ state }, scripts) => {
		Object.assign(state, { scripts, nanoPerToken: 100_000 });
	}, SCRIPTS);
	await window.provider(({ vscode }) => vscode.commands.executeCommand("workbench.action.closeSidebar"));
	const first = chat("curl", "gpt-5-mini", "Name three rivers.");
	await window.answer("Allow");
	await first;
	await window.provider(({ vscode }) => vscode.commands.executeCommand("notifications.clearAll"));
	await window.command("Copilot Proxy: Show Status");
	await window
		.webview()
		.getByRole("heading", { name: `Running on port ${PORT}` })
		.waitFor();
	await picture(window);
	await animation(window);
} finally {
	await proxy.stop();
}

function chat(agent, model, prompt, more) {
	return proxy.ask("/v1/chat/completions", {
		headers: { "user-agent": AGENTS[agent] },
		body: { model, messages: [{ role: "user", content: prompt }], ...more },
	});
}

/** An agent's request with a tool, its result, and the answer. */
async function agentTurn() {
	const headers = {
		"user-agent": AGENTS.claude,
		"anthropic-version": "2023-06-01",
		"x-session-id": "fix-parser",
	};
	const body = {
		model: "claude-sonnet-4.5",
		max_tokens: 4096,
		system: "You are a coding agent.",
		tools: [READ_FILE],
		messages: [{ role: "user", content: READ }],
	};
	const { json } = await proxy.ask("/v1/messages", { headers, body });
	const call = json.content.find(({ type }) => type === "tool_use");
	body.messages.push(
		{ role: "assistant", content: json.content },
		{ role: "user", content: [{ type: "tool_result", tool_use_id: call.id, content: CODE }] },
	);
	return proxy.ask("/v1/messages", { headers, body });
}

async function picture(window) {
	const panel = window.webview();
	for (const [agent, model, prompt] of [
		["python", "gpt-5-mini", "Name three rivers."],
		["python", "no-such-model", "Name three rivers."],
		["codex", "gpt-5-mini", "Summarize the last five commits."],
		["curl", "claude-haiku-4.5", "Name three rivers."],
		["codex", "gpt-5-mini", "Summarize the last five commits."],
	]) {
		await chat(agent, model, prompt);
	}
	await agentTurn();
	const running = await proxy.open("/v1/chat/completions", {
		headers: { "user-agent": AGENTS.codex },
		body: { model: "claude-opus-4.6", messages: [{ role: "user", content: "Review this function." }] },
	});
	await running.events.next();
	await panel.locator(".request").getByText("Running").waitFor();
	await panel.locator(".request").nth(1).click();
	await panel.locator(".reply").getByText("The test passes with it.").waitFor();
	await window.page.mouse.move(640, 790);
	await save(window.page, "inspector.png", 1.5);
	running.hangUp();
	await panel.locator(".request").getByText("Disconnected").waitFor();
}

/** Saves a screenshot with more pixels than the page has. */
async function save(page, name, scale) {
	const session = await page.context().newCDPSession(page);
	const { width, height } = page.viewportSize();
	await session.send("Emulation.setDeviceMetricsOverride", {
		width,
		height,
		deviceScaleFactor: scale,
		mobile: false,
	});
	const { data } = await session.send("Page.captureScreenshot", { format: "png" });
	await session.send("Emulation.clearDeviceMetricsOverride");
	await session.detach();
	write(name, Buffer.from(data, "base64"));
}

async function animation(window) {
	const { page } = window;
	const panel = window.webview();
	await panel.getByRole("button", { name: "Close details" }).click();
	await panel.getByRole("button", { name: "Clear", exact: true }).click();
	await page.setViewportSize({ width: 1000, height: 640 });
	const shell = await openTerminal(window);
	await lowerBy(page, 110);
	await page.mouse.move(500, 630);

	const frames = [];
	const frame = async (delay) => frames.push({ png: await page.screenshot(), delay });
	const during = async (done, delay) => {
		let isDone = false;
		const waiting = done.then(() => {
			isDone = true;
		});
		while (!isDone) await frame(delay);
		return waiting;
	};
	await frame(900);
	for (const part of ["copilot-proxy ", 'ask "Why is ', 'the sky blue?"']) {
		await shell.type(part);
		await frame(250);
	}
	await during(shell.enter(), 140);
	await panel.locator(".request").first().getByText("Stop").waitFor();
	await frame(1500);
	await panel.locator(".request").first().click();
	await panel.locator(".reply").getByText("red is what is left").waitFor();
	await page.mouse.move(500, 630);
	await frame(4000);
	write("first-answer.gif", gifOf(frames));
}

/** Drags the upper border of the terminal down. */
async function lowerBy(page, pixels) {
	const { x, y } = await page.locator(".part.panel").boundingBox();
	await page.mouse.move(x + 300, y);
	await page.mouse.down();
	await page.mouse.move(x + 300, y + pixels, { steps: 5 });
	await page.mouse.up();
}

/** A terminal in the window. VS Code's shells need a native module that isn't built here, so that the program runs here. */
async function openTerminal(window) {
	await window.provider(({ vscode, state }) => {
		const written = new vscode.EventEmitter();
		const opened = new Promise((resolve) => {
			const pty = { onDidWrite: written.event, open: resolve, close() {} };
			vscode.window.createTerminal({ name: "bash", pty }).show(true);
		});
		state.terminal = written;
		return opened.then(() => written.fire("\x1b[32mproject\x1b[0m $ "));
	});
	const write = (text) => window.provider(({ state }, text) => state.terminal.fire(text), text);
	let line = "";
	return {
		type: (text) => {
			line += text;
			return write(text);
		},
		async enter() {
			await write("\r\n");
			const program = path.join(proxy.editor.installed("copilot-proxy.copilot-proxy"), "bin");
			const child = spawn("sh", ["-c", line], {
				env: { PATH: `${program}:${process.env.PATH}`, XDG_RUNTIME_DIR: proxy.editor.runtimeDir },
				stdio: ["ignore", "pipe", "inherit"],
			});
			for await (const chunk of child.stdout.setEncoding("utf8")) await write(chunk.replaceAll("\n", "\r\n"));
			await until(() => child.exitCode !== null, "the program to end");
			if (child.exitCode !== 0) throw new Error(`${line}: ${child.exitCode}`);
			await write("\x1b[32mproject\x1b[0m $ ");
		},
	};
}

function write(name, bytes) {
	fs.writeFileSync(path.join(images, name), bytes);
	process.stdout.write(`${name}: ${Math.round(bytes.length / 1000)} kB\n`);
}
