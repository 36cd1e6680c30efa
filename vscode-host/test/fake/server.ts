// The server's side of the bridge for tests: a real socket with its own implementation of the frames, so that a mistake in
// the extension's implementation isn't repeated.

import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import * as net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { FromEditor, ToEditor } from "../../src/protocol";

/** A frame from the extension: text, thinking or a message. */
export type Item = { text: string } | { thinking: string } | FromEditor;

export function frame(kind: number, stream: number, payload: Buffer | string): Buffer {
	const bytes = Buffer.from(payload);
	const head = Buffer.alloc(9);
	head.writeUInt32LE(bytes.length + 5, 0);
	head.writeUInt8(kind, 4);
	head.writeUInt32LE(stream, 5);
	return Buffer.concat([head, bytes]);
}

/** One connection of an extension. */
export class Peer {
	readonly received: { stream: number; item: Item }[] = [];
	readonly closed: Promise<unknown>;
	#bytes = Buffer.alloc(0);
	#pieces = new Map<number, Buffer>();
	#read = 0;
	#wake: () => void = () => undefined;

	constructor(readonly socket: net.Socket) {
		socket.on("error", () => undefined);
		socket.on("data", (chunk) => this.#readFrames(chunk));
		this.closed = once(socket, "close");
	}

	send(stream: number, message: ToEditor): void {
		this.socket.write(frame(0, stream, JSON.stringify(message)));
	}

	/** The next item of any stream. */
	async next(): Promise<{ stream: number; item: Item }> {
		for (;;) {
			const next = this.received[this.#read];
			if (next) {
				this.#read += 1;
				return next;
			}
			await new Promise<void>((resolve) => {
				this.#wake = resolve;
			});
		}
	}

	/** The next message of a type; others are skipped. */
	async nextOf<T extends FromEditor["type"]>(type: T): Promise<Extract<FromEditor, { type: T }>> {
		for (;;) {
			const { item } = await this.next();
			if ("type" in item && item.type === type) {
				return item as Extract<FromEditor, { type: T }>;
			}
		}
	}

	/** All items of a stream up to the message that ends it; consecutive texts are joined. */
	async receiveAll(stream: number): Promise<Item[]> {
		const all: Item[] = [];
		for (;;) {
			const next = await this.next();
			if (next.stream !== stream) {
				continue;
			}
			const { item } = next;
			const last = all.at(-1);
			if ("text" in item && last && "text" in last) {
				last.text += item.text;
			} else {
				all.push({ ...item });
			}
			if ("type" in item && ["end", "failed", "tools", "tool_output"].includes(item.type)) {
				return all;
			}
		}
	}

	#readFrames(chunk: Buffer): void {
		this.#bytes = Buffer.concat([this.#bytes, chunk]);
		while (this.#bytes.length >= 4 && this.#bytes.length >= 4 + this.#bytes.readUInt32LE(0)) {
			const end = 4 + this.#bytes.readUInt32LE(0);
			this.#handleFrame(this.#bytes.readUInt8(4), this.#bytes.readUInt32LE(5), this.#bytes.subarray(9, end));
			this.#bytes = this.#bytes.subarray(end);
		}
		this.#wake();
	}

	#handleFrame(kind: number, stream: number, payload: Buffer): void {
		const held = this.#pieces.get(stream) ?? Buffer.alloc(0);
		switch (kind) {
			case 0:
				this.#pieces.delete(stream);
				this.received.push({ stream, item: JSON.parse(Buffer.concat([held, payload]).toString()) });
				return;
			case 1:
				this.received.push({ stream, item: { text: payload.toString() } });
				return;
			case 2:
				this.received.push({ stream, item: { thinking: payload.toString() } });
				return;
			case 3:
				this.#pieces.set(stream, Buffer.concat([held, payload]));
				return;
			default:
				throw new Error(`kind ${kind}`);
		}
	}
}

/** A listening server in a directory of its own. */
export class FakeServer {
	readonly #peers: Peer[] = [];
	readonly #server: net.Server;
	#waiting: ((peer: Peer) => void) | undefined;

	constructor(
		readonly directory: string,
		readonly endpoint = join(directory, `${Math.random().toString(16).slice(2, 10)}.sock`),
	) {
		this.#server = net.createServer((socket) => {
			const peer = new Peer(socket);
			if (this.#waiting) {
				this.#waiting(peer);
				this.#waiting = undefined;
			} else {
				this.#peers.push(peer);
			}
		});
	}

	async listen(): Promise<this> {
		await once(this.#server.listen(this.endpoint), "listening");
		return this;
	}

	/** Writes server.json. */
	publish(more: object = {}): void {
		const about = {
			pid: process.pid,
			version: "0.1.0",
			endpoint: this.endpoint,
			token: this.endpoint,
			...more,
		};
		writeFileSync(join(this.directory, "server.json"), JSON.stringify(about));
	}

	/** The next connection. */
	accept(): Promise<Peer> {
		const peer = this.#peers.shift();
		return peer
			? Promise.resolve(peer)
			: new Promise((resolve) => {
					this.#waiting = resolve;
				});
	}

	/** Accepts the next connection and sends the welcome. */
	async welcome(version = "0.1.0"): Promise<Peer> {
		const peer = await this.accept();
		await peer.nextOf("hello");
		peer.send(0, { type: "welcome", version, pid: process.pid });
		return peer;
	}

	close(): void {
		this.#server.close();
		rmSync(join(this.directory, "server.json"), { force: true });
	}
}

/** A directory that is removed when the test ends, even if a window is still reading it. */
export function temporaryDirectory(test: { after(run: () => Promise<void>): void }): string {
	const directory = mkdtempSync(join(tmpdir(), "copilot-proxy-test-"));
	test.after(async () => {
		while (existsSync(directory)) {
			await rm(directory, { recursive: true, force: true }).catch(() => undefined);
		}
	});
	return directory;
}
