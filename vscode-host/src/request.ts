// A running request of the server: sends its response, can be paused and cancelled.

import * as vscode from "vscode";
import { deferred } from "./deferred";
import type { TextKind } from "./frames";
import type { Outbox } from "./outbox";
import type { FromEditor } from "./protocol";

export class Request {
	readonly #cancellation = new vscode.CancellationTokenSource();
	#paused: { until: Promise<void>; end: () => void } | undefined;
	#spoke = false;

	constructor(
		private readonly stream: number,
		private readonly outbox: Outbox,
	) {}

	get token(): vscode.CancellationToken {
		return this.#cancellation.token;
	}

	/** Cancels it: nothing is sent from now on. */
	get isCancelled(): boolean {
		return this.#cancellation.token.isCancellationRequested;
	}

	say(message: FromEditor): void {
		if (!this.isCancelled) {
			this.outbox.message(this.stream, message);
			this.#first();
		}
	}

	words(kind: TextKind, text: string): void {
		if (!this.isCancelled) {
			this.outbox.words(kind, this.stream, text);
			this.#first();
		}
	}

	/** Undefined while more may be sent; else resolves when that may have changed. */
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

	/** The client waits for the first part: it is written soon, not at the end of the turn. */
	#first(): void {
		if (!this.#spoke) {
			this.#spoke = true;
			process.nextTick(() => this.outbox.flush());
		}
	}
}
