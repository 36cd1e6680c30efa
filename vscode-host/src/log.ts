// The output channel: log lines of the server at their own levels, and those of this window.

import * as vscode from "vscode";
import type { LogLine } from "./protocol";

/** Age in milliseconds from which a line counts as replayed; it is shown with its own time then. */
const LIVE = 2000;

export class Log implements vscode.Disposable {
	readonly #channel = vscode.window.createOutputChannel("Copilot Proxy", { log: true });

	info(text: string): void {
		this.#channel.info(`window: ${text}`);
	}

	error(text: string): void {
		this.#channel.error(`window: ${text}`);
	}

	warn(text: string): void {
		this.#channel.warn(`window: ${text}`);
	}

	/** Writes a log line of the server. */
	server({ level, time, text }: LogLine): void {
		const wasLive = Math.abs(Date.now() - time) < LIVE;
		this.#channel[level](wasLive ? text : `(${new Date(time).toISOString()}) ${text}`);
	}

	show(): void {
		this.#channel.show();
	}

	dispose(): void {
		this.#channel.dispose();
	}
}
