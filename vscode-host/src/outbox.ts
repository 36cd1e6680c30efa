// What waits to be written to the server. A turn's frames are collected and written once, at its end; what is urgent
// is written at once. There is no timer: a write costs more than all frames of a turn, and waiting costs the reader.

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

	words(kind: TextKind, stream: number, text: string): void {
		this.#frames.putWords(kind, stream, text);
		this.#schedule();
	}

	/** Writes what there is, now. */
	flush(): void {
		if (this.#frames.isEmpty || !this.socket.writable) {
			return;
		}
		this.socket.write(this.#frames.take());
		// The system usually takes all of it at once; the rest still lies in our buffer.
		if (this.socket.writableLength > 0) {
			this.#frames.renew();
		}
	}

	/** Undefined while the server takes what is written; else done when it does again, or is gone. */
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
