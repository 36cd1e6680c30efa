// A server as far as the extension sees one: a real socket, frames read and written by a second, plain implementation
// of the layout, so that a mistake in the extension's own is not made twice.

import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import * as net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { FromEditor, ToEditor } from "../../src/protocol";

/** What the extension said on a stream: words as they stand, prefixed thoughts, messages. */
export type Said = { text: string } | { thinking: string } | FromEditor;

export function frame(kind: number, stream: number, payload: Buffer | string): Buffer {
	const bytes = Buffer.from(payload);
	const head = Buffer.alloc(9);
	head.writeUInt32LE(bytes.length + 5, 0);
	head.writeUInt8(kind, 4);
	head.writeUInt32LE(stream, 5);
	return Buffer.concat([head, bytes]);
}

/** One connection, from the server's side. */
export class Peer {
	readonly said: { stream: number; said: Said }[] = [];
	readonly closed: Promise<unknown>;
	#bytes = Buffer.alloc(0);
	#pieces = new Map<number, Buffer>();
	#read = 0;
	#heard: () => void = () => undefined;

	constructor(readonly socket: net.Socket) {
		socket.on("error", () => undefined);
		socket.on("data", (chunk) => this.#take(chunk));
		this.closed = once(socket, "close");
	}

	say(stream: number, message: ToEditor): void {
		this.socket.write(frame(0, stream, JSON.stringify(message)));
	}

	/** The next thing said, whatever the stream. */
	async next(): Promise<{ stream: number; said: Said }> {
		for (;;) {
			const next = this.said[this.#read];
			if (next) {
				this.#read += 1;
				return next;
			}
			await new Promise<void>((resolve) => {
				this.#heard = resolve;
			});
		}
	}

	/** The next message of that type, skipping others. */
	async nextOf<T extends FromEditor["type"]>(type: T): Promise<Extract<FromEditor, { type: T }>> {
		for (;;) {
			const { said } = await this.next();
			if ("type" in said && said.type === type) {
				return said as Extract<FromEditor, { type: T }>;
			}
		}
	}

	/** All that is said on a stream, up to the message that ends it. CapturedBody that follow each other are joined. */
	async whole(stream: number): Promise<Said[]> {
		const all: Said[] = [];
		for (;;) {
			const next = await this.next();
			if (next.stream !== stream) {
				continue;
			}
			const { said } = next;
			const last = all.at(-1);
			if ("text" in said && last && "text" in last) {
				last.text += said.text;
			} else {
				all.push({ ...said });
			}
			if ("type" in said && ["end", "failed", "tools", "tool_output"].includes(said.type)) {
				return all;
			}
		}
	}

	#take(chunk: Buffer): void {
		this.#bytes = Buffer.concat([this.#bytes, chunk]);
		while (this.#bytes.length >= 4 && this.#bytes.length >= 4 + this.#bytes.readUInt32LE(0)) {
			const end = 4 + this.#bytes.readUInt32LE(0);
			this.#understand(this.#bytes.readUInt8(4), this.#bytes.readUInt32LE(5), this.#bytes.subarray(9, end));
			this.#bytes = this.#bytes.subarray(end);
		}
		this.#heard();
	}

	#understand(kind: number, stream: number, payload: Buffer): void {
		const held = this.#pieces.get(stream) ?? Buffer.alloc(0);
		switch (kind) {
			case 0:
				this.#pieces.delete(stream);
				this.said.push({ stream, said: JSON.parse(Buffer.concat([held, payload]).toString()) });
				return;
			case 1:
				this.said.push({ stream, said: { text: payload.toString() } });
				return;
			case 2:
				this.said.push({ stream, said: { thinking: payload.toString() } });
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

	/** Says where it is. */
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

	/** The next connection, welcomed. */
	async welcome(version = "0.1.0"): Promise<Peer> {
		const peer = await this.accept();
		await peer.nextOf("hello");
		peer.say(0, { type: "welcome", version, pid: process.pid });
		return peer;
	}

	close(): void {
		this.#server.close();
		rmSync(join(this.directory, "server.json"), { force: true });
	}
}

/** A directory that goes when the test ends, even while a window is still about to look into it. */
export function temporaryDirectory(test: { after(run: () => Promise<void>): void }): string {
	const directory = mkdtempSync(join(tmpdir(), "copilot-proxy-test-"));
	test.after(async () => {
		while (existsSync(directory)) {
			await rm(directory, { recursive: true, force: true }).catch(() => undefined);
		}
	});
	return directory;
}
