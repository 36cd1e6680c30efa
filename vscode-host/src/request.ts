// A request of the server that is being worked on: its way to answer, to be paused and to be cancelled.

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

	/** Nobody waits for it any more: what is said from now on is not heard. */
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

	/** Undefined while more may be said; else done when it is worth looking again. */
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

	/** A person waits for the first word: it leaves with what comes in the same breath, not at the end of the turn. */
	#first(): void {
		if (!this.#spoke) {
			this.#spoke = true;
			process.nextTick(() => this.outbox.flush());
		}
	}
}
