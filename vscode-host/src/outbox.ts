// The queue of frames for the server. The frames of one turn of the event loop are written together at its end; urgent
// ones are flushed immediately. A write costs more than all frames of a turn, and a timer would delay the client.

import type { Socket } from "node:net";
import { FrameBuffer, type TextKind } from "./frames";
import type { FromEditor } from "./protocol";

export class Outbox {
	readonly #frames = new FrameBuffer();
	#scheduled = false;
	#drained: Promise<void> | undefined;

	constructor(private readonly socket: Socket) {}

	message(stream: number, message: FromEditor): void {
		this.#frames.putMessage(stream, message);
		this.#schedule();
	}

	text(kind: TextKind, stream: number, text: string): void {
		this.#frames.putText(kind, stream, text);
		this.#schedule();
	}

	/** Writes all collected frames now. */
	flush(): void {
		if (this.#frames.isEmpty || !this.socket.writable) {
			return;
		}
		this.socket.write(this.#frames.take());
		// Node.js still refers to this buffer if the system didn't take all of it, so the next frames need another one.
		if (this.socket.writableLength > 0) {
			this.#frames.renew();
		}
	}

	/** Undefined while the server reads; else resolves when it reads again or the connection has closed. */
	get full(): Promise<void> | undefined {
		if (!this.socket.writableNeedDrain) {
			return undefined;
		}
		this.#drained ??= new Promise((resolve) => {
			const done = () => {
				this.#drained = undefined;
				this.socket.off("drain", done).off("close", done);
				resolve();
			};
			this.socket.on("drain", done).on("close", done);
		});
		return this.#drained;
	}

	#schedule(): void {
		if (this.#scheduled) {
			return;
		}
		this.#scheduled = true;
		setImmediate(() => {
			this.#scheduled = false;
			this.flush();
		});
	}
}
