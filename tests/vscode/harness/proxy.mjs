// The extension under test in a VS Code of its own, and its server as a client and as the system sees it.
import fs from "node:fs";
import path from "node:path";
import models from "../provider/models.js";
import { startEditor } from "./editor.mjs";
import { ask, freePort, listening, openStream, post } from "./http.mjs";
import { kill, proxiesOf } from "./processes.mjs";
import { PATIENCE_MS, until } from "./wait.mjs";

const EXTENSION = "copilot-proxy.copilot-proxy";
const STATUS_ITEM = "status";
const CHAT = "/v1/chat/completions";

const MODELS = Object.values(models.offered()).flat().length;

/** How much later than its grace a server may be gone: it looks at once, but the machine may be busy. */
const ENDED_MS = 5_000;

// What the extension takes on trust for GitHub's own provider it must be told of a stand-in's: these models end every
// answer with a count of its tokens, so that one without was cut short.
const REPORTING = ["scripted/scripted-usage", "copilot/gpt-4.1", "copilot/claude-sonnet-4.5"];

/**
 * Starts VS Code with the packaged extension and a port of its own; opens no window yet. `grace` is how long the server
 * stays when the last window has left, in milliseconds: here longer than a reload on the busiest machine takes, unless
 * the test is about the server's end.
 */
export async function startProxy({ settings = {}, grace = PATIENCE_MS, ...options } = {}) {
	const vsix = process.env.COPILOT_PROXY_VSIX;
	if (!vsix) throw new Error("COPILOT_PROXY_VSIX names no extension to test; see README.md");
	const port = await freePort();
	const editor = await startEditor({
		extensions: [vsix],
		settings: { "copilotProxy.port": port, ...settings },
		environment: {
			COPILOT_PROXY_TEST_GRACE: String(grace),
			COPILOT_PROXY_TEST_REPORTS_USAGE: REPORTING.join(","),
		},
		...options,
	});
	return new RunningProxy(editor, port, grace);
}

export class RunningProxy {
	constructor(editor, port, grace) {
		Object.assign(this, { editor, port, grace });
	}

	/** The directory where the server and the windows find each other. */
	get directory() {
		return path.join(this.editor.runtimeDir, "copilot-proxy");
	}

	/** What `server.json` says, or undefined while there is none. */
	get file() {
		try {
			return JSON.parse(fs.readFileSync(path.join(this.directory, "server.json"), "utf8"));
		} catch (error) {
			if (error.code === "ENOENT") return undefined;
			throw error;
		}
	}

	/** The pids of every server process of this run. */
	get pids() {
		return proxiesOf(this.editor.run).map(({ pid }) => pid);
	}

	/** Ends every server there is just now, as a crash would. */
	killServers() {
		kill(proxiesOf(this.editor.run));
	}

	get(path, headers) {
		return ask(this.port, path, { headers });
	}

	/** The answer to a request at any door: see `ask` in http.mjs. */
	ask(path, options) {
		return ask(this.port, path, options);
	}

	/** The answer to a request at any door, as it comes. */
	open(path, { body, ...options }) {
		return openStream(this.port, path, { body: { ...body, stream: true }, ...options });
	}

	/** A whole chat completion for `script`, or for a whole request body. */
	chat(script, more) {
		return ask(this.port, CHAT, { body: request(script, more) });
	}

	/** What a model answers to `script`: the text alone. */
	async said(script, more) {
		const { status, json, text } = await this.chat(script, more);
		if (status !== 200) throw new Error(`${status}: ${text}`);
		return json.choices[0].message.content;
	}

	/** The same, streamed: see `openStream`. */
	stream(script, more) {
		return this.open(CHAT, { body: request(script, more) });
	}

	/** The same, only sent. */
	post(script, more) {
		return post(this.port, CHAT, { body: request(script, more) });
	}

	/** The provider's own count of requests. */
	async stats() {
		return JSON.parse(await this.said("stats:"));
	}

	/** Waits until the server answers, these windows are attached to it, and the models are there. */
	async untilServing({ windows = 1 } = {}) {
		const serves = ({ json }) => json?.editors === windows && json.models_available >= MODELS;
		await until(
			() => this.get("/health").then(serves, () => false),
			`${windows} windows with ${MODELS} models at port ${this.port}`,
		);
	}

	untilClosed() {
		return until(async () => !(await listening(this.port)), `port ${this.port} to close`);
	}

	/** Waits until no server process is left: its grace has passed. */
	untilGone() {
		return until(() => this.pids.length === 0, "the server to end by itself", this.grace + ENDED_MS);
	}

	/** Waits until the window's status bar item says this. */
	untilStatus(window, text) {
		return window.untilStatus(EXTENSION, STATUS_ITEM, text);
	}

	/** Closes VS Code, and does not wait for a long grace to pass. Gives what was left running beside the server. */
	async stop() {
		await this.editor.closeAll();
		for (const pid of this.pids) process.kill(pid, "SIGTERM");
		return this.editor.stop();
	}

	/** The extension's output channel, of each window that was opened, in that order. */
	get logs() {
		return this.editor.logs(EXTENSION, "Copilot Proxy");
	}
}

const request = (script, more) => ({
	model: "scripted-1",
	messages: [{ role: "user", content: script }],
	...more,
});
