// A running request of the server: it sends its response, and can be paused and cancelled.

import * as vscode from "vscode";
import { deferred } from "./deferred";
import type { TextKind } from "./frames";
import type { Outbox } from "./outbox";
import type { FromEditor } from "./protocol";

export class Request {
	readonly #cancellation = new vscode.CancellationTokenSource();
	#paused: { until: Promise<void>; end: () => void } | undefined;
	#hasSent = false;

	constructor(
		private readonly stream: number,
		private readonly outbox: Outbox,
	) {}

	get token(): vscode.CancellationToken {
		return this.#cancellation.token;
	}

	/** Whether the request is cancelled; nothing more is sent then. */
	get isCancelled(): boolean {
		return this.#cancellation.token.isCancellationRequested;
	}

	send(message: FromEditor): void {
		if (!this.isCancelled) {
			this.outbox.message(this.stream, message);
			this.#flushFirst();
		}
	}

	sendText(kind: TextKind, text: string): void {
		if (!this.isCancelled) {
			this.outbox.text(kind, this.stream, text);
			this.#flushFirst();
		}
	}

	/** Undefined while more may be sent; else resolves when it should be checked again. */
	get blocked(): Promise<void> | undefined {
		return this.#paused?.until ?? this.outbox.full;
	}

	pause(): void {
		if (!this.#paused) {
			const { promise, resolve } = deferred();
			this.#paused = { until: promise, end: resolve };
		}
	}

	resume(): void {
		this.#paused?.end();
		this.#paused = undefined;
	}

	cancel(): void {
		this.#cancellation.cancel();
		this.resume();
	}

	dispose(): void {
		this.#cancellation.dispose();
	}

	/** Writes the first part before the turn ends, since the client waits for it. */
	#flushFirst(): void {
		if (!this.#hasSent) {
			this.#hasSent = true;
			process.nextTick(() => this.outbox.flush());
		}
	}
}
