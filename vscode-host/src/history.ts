// The histories of requests: the server sends each message once and later its key, so they are kept here, decoded. Items are
// decoded in slices, since megabytes at once would block every extension in the window.

import type * as vscode from "vscode";
import { deferred } from "./deferred";
import { type DecodedItem, decodeItem } from "./history-items";

/** Longest time in milliseconds that is spent on decoding in one turn of the event loop. */
const SLICE = 1;
/** In bytes. The server keeps the sum lower; this holds if it doesn't. */
const MAX_HELD = 64 * 1024 * 1024;
/** In milliseconds. Providers forget a conversation sooner than that, so its next turn is dear in any case. */
const DROPPED_AFTER = 10 * 60_000;
/** Size of a key in bytes. */
const KEY = 4;

/** The messages and tools of a request, in VS Code's classes. */
export interface HistoryItems {
	messages: vscode.LanguageModelChatMessage[];
	tools: vscode.LanguageModelChatTool[];
}

/** Items of a request whose last message has arrived. */
export type TakenItems = { kind: "none" } | { kind: "missing" } | { kind: "items"; items: Item[] };

interface Item {
	readonly size: number;
	content: DecodedItem | Buffer;
}

export class History {
	readonly #held = new Map<number, Item>();
	#heldBytes = 0;
	/** Items of requests that are not complete yet, by stream; undefined if one of them is not held. */
	readonly #pending = new Map<number, Item[] | undefined>();
	/** Work that is left for later turns, in order. */
	readonly #work: (() => void)[] = [];
	#sliceEnd: number | undefined;
	#lastUse = 0;
	#timer: NodeJS.Timeout | undefined;

	constructor(private readonly onInvalid: (error: unknown) => void) {}

	/** Adds a new item to a request; keeps no reference to the payload. */
	addItem(stream: number, payload: Buffer): void {
		const key = payload.readUInt32LE(0);
		const bytes = payload.subarray(KEY);
		const item: Item = { size: bytes.length, content: bytes };
		if (this.#work.length === 0 && this.#hasTime()) {
			item.content = decodeItem(bytes);
		} else {
			const copy = Buffer.from(bytes);
			item.content = copy;
			this.#later(() => {
				item.content = decodeItem(copy);
			});
		}
		this.#hold(key, item);
		this.#add(stream, item);
	}

	/** Adds items to a request that are held. */
	addKnown(stream: number, payload: Buffer): void {
		for (let at = 0; at < payload.length; at += KEY) {
			this.#add(stream, this.#held.get(payload.readUInt32LE(at)));
		}
	}

	/** Forgets items; all of them if there is no key. */
	forget(payload: Buffer): void {
		if (payload.length === 0) {
			this.clear();
		}
		for (let at = 0; at < payload.length; at += KEY) {
			const key = payload.readUInt32LE(at);
			this.#heldBytes -= this.#held.get(key)?.size ?? 0;
			this.#held.delete(key);
		}
	}

	/** Takes the items of a request whose last message has arrived. */
	take(stream: number): TakenItems {
		if (!this.#pending.has(stream)) {
			return { kind: "none" };
		}
		const items = this.#pending.get(stream);
		this.#pending.delete(stream);
		return items ? { kind: "items", items } : { kind: "missing" };
	}

	/** The content of items: at once if they are decoded. */
	decoded(items: readonly Item[]): HistoryItems | Promise<HistoryItems> {
		if (this.#work.length === 0) {
			return contentOf(items);
		}
		const { promise, resolve } = deferred<HistoryItems>();
		this.#later(() => resolve(contentOf(items)));
		return promise;
	}

	/** Forgets everything that is held. */
	clear(): void {
		this.#held.clear();
		this.#heldBytes = 0;
	}

	dispose(): void {
		clearTimeout(this.#timer);
		this.clear();
	}

	#add(stream: number, item: Item | undefined): void {
		const items = this.#pending.has(stream) ? this.#pending.get(stream) : [];
		if (item) {
			items?.push(item);
		}
		this.#pending.set(stream, item ? items : undefined);
	}

	#hold(key: number, item: Item): void {
		if (this.#heldBytes + item.size > MAX_HELD) {
			this.clear();
		}
		this.#held.set(key, item);
		this.#heldBytes += item.size;
		this.#lastUse = performance.now();
		this.#timer ??= this.#dropLater(DROPPED_AFTER);
	}

	#dropLater(ms: number): NodeJS.Timeout {
		return setTimeout(() => {
			const left = this.#lastUse + DROPPED_AFTER - performance.now();
			this.#timer = left > 0 ? this.#dropLater(left) : undefined;
			if (left <= 0) {
				this.clear();
			}
		}, ms).unref();
	}

	/** Whether this turn has time left. */
	#hasTime(): boolean {
		const now = performance.now();
		if (this.#sliceEnd === undefined) {
			this.#sliceEnd = now + SLICE;
			setImmediate(() => {
				this.#sliceEnd = undefined;
			});
		}
		return now < this.#sliceEnd;
	}

	#later(work: () => void): void {
		this.#work.push(work);
		if (this.#work.length === 1) {
			setImmediate(() => this.#runSlice());
		}
	}

	#runSlice(): void {
		const end = performance.now() + SLICE;
		let done = 0;
		try {
			for (; done < this.#work.length && (done === 0 || performance.now() < end); done += 1) {
				this.#work[done]?.();
			}
		} catch (error) {
			this.onInvalid(error);
			done += 1;
		}
		this.#work.splice(0, done);
		if (this.#work.length > 0) {
			setImmediate(() => this.#runSlice());
		}
	}
}

function contentOf(items: readonly Item[]): HistoryItems {
	const all: HistoryItems = { messages: [], tools: [] };
	for (const { content } of items) {
		if (Buffer.isBuffer(content)) {
			throw new Error("an item that could not be decoded");
		}
		if (content.kind === "message") {
			all.messages.push(content.message);
		} else {
			all.tools = content.tools;
		}
	}
	return all;
}
