// The extension under test in its own VS Code, with its server from the sides of a client and of the system.
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

/** Tolerance after the grace period in which a server must have ended, for busy machines. */
const ENDED_MS = 5_000;

// The extension knows that GitHub's provider reports usage; the scripted one needs this list: these models end every
// response with its usage, so that one without was truncated.
const REPORTING = ["scripted/scripted-usage", "copilot/gpt-4.1", "copilot/claude-sonnet-4.5"];

/**
 * Starts VS Code with the packaged extension and its own port, without a window. `grace` is the server's grace period after
 * the last window in milliseconds: longer than a reload on a busy machine, unless the test is about the server's end.
 */
export async function startProxy({
	settings = {},
	grace = PATIENCE_MS,
	environment = {},
	port: wanted,
	...options
} = {}) {
	const vsix = process.env.COPILOT_PROXY_VSIX;
	if (!vsix) throw new Error("COPILOT_PROXY_VSIX names no extension to test; see README.md");
	const port = wanted ?? (await freePort());
	const editor = await startEditor({
		extensions: [vsix],
		settings: { "copilotProxy.port": port, ...settings },
		environment: {
			COPILOT_PROXY_TEST_GRACE: String(grace),
			COPILOT_PROXY_TEST_REPORTS_USAGE: REPORTING.join(","),
			...environment,
		},
		...options,
	});
	return new RunningProxy(editor, port, grace);
}

export class RunningProxy {
	constructor(editor, port, grace) {
		Object.assign(this, { editor, port, grace });
	}

	/** The directory through which the windows find the server. */
	get directory() {
		return path.join(this.editor.runtimeDir, "copilot-proxy");
	}

	/** The content of `server.json`, or undefined while there is none. */
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

	/** Kills every running server. */
	killServers() {
		kill(proxiesOf(this.editor.run));
	}

	get(path, headers) {
		return ask(this.port, path, { headers });
	}

	/** The response of any endpoint: see `ask` in http.mjs. */
	ask(path, options) {
		return ask(this.port, path, options);
	}

	/** The response of any endpoint as a stream. */
	open(path, { body, ...options }) {
		return openStream(this.port, path, { body: { ...body, stream: true }, ...options });
	}

	/** A whole chat completion for `script`, or for a whole request body. */
	chat(script, more) {
		return ask(this.port, CHAT, { body: request(script, more) });
	}

	/** The text of a model's response to `script`. */
	async textFor(script, more) {
		const { status, json, text } = await this.chat(script, more);
		if (status !== 200) throw new Error(`${status}: ${text}`);
		return json.choices[0].message.content;
	}

	/** A streamed chat completion: see `openStream`. */
	stream(script, more) {
		return this.open(CHAT, { body: request(script, more) });
	}

	/** A chat completion that is sent without waiting for the response. */
	post(script, more) {
		return post(this.port, CHAT, { body: request(script, more) });
	}

	/** The provider's own count of requests. */
	async stats() {
		return JSON.parse(await this.textFor("stats:"));
	}

	/** Waits until the server runs, these windows are attached, and the models are listed. */
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

	/** Waits until no server process is left after the grace period. */
	untilGone() {
		return until(() => this.pids.length === 0, "the server to end by itself", this.grace + ENDED_MS);
	}

	/** Waits until the window's status bar item has this text. */
	untilStatus(window, text) {
		return window.untilStatus(EXTENSION, STATUS_ITEM, text);
	}

	/** Closes VS Code without waiting for a long grace period. Returns remaining processes other than the server. */
	async stop() {
		await this.editor.closeAll();
		for (const pid of this.pids) process.kill(pid, "SIGTERM");
		return this.editor.stop();
	}

	/** The extension's output channel of each window, in the order in which they were opened. */
	get logs() {
		return this.editor.logs(EXTENSION, "Copilot Proxy");
	}
}

const request = (script, more) => ({
	model: "scripted-1",
	messages: [{ role: "user", content: script }],
	...more,
});
