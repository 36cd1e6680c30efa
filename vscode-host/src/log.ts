// The output channel: the server's lines at their own levels, and our own among them.

import * as vscode from "vscode";
import type { LogLine } from "./protocol";

/** A line that arrives later than this was replayed, and is shown with its own time. In milliseconds. */
const LIVE = 2000;

export class Log implements vscode.Disposable {
	readonly #channel = vscode.window.createOutputChannel("Copilot Proxy", { log: true });

	info(text: string): void {
		this.#channel.info(`window: ${text}`);
	}

	warn(text: string): void {
		this.#channel.warn(`window: ${text}`);
	}

	/** A line of the server's. */
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
