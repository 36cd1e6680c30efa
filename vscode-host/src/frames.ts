// The frames of the bridge: encodes messages and text, and decodes messages. It uses no sockets.
// The server's src/bridge/frames.rs describes the layout.

import { HEAD, Kind, LENGTH, MAX_MESSAGE, MAX_PAYLOAD, PIECE } from "./generated";
import type { FromEditor, ToEditor } from "./protocol";

/** The kinds whose payload is text. */
export type TextKind = typeof Kind.text | typeof Kind.thinking;

const HEADER = LENGTH + HEAD;

/** A UTF-16 unit is at most three bytes of UTF-8 (a pair of them is four). */
const MAX_UNIT_BYTES = 3;
const PIECE_UNITS = Math.floor(PIECE / MAX_UNIT_BYTES);

/** Copilot sends it before a tool call. The server can drop it then only if it has a frame of its own. */
const BLANK = " ";

/**
 * Collects outgoing frames in one growing buffer. Consecutive texts of one stream share a frame; a lone blank has a frame
 * of its own.
 */
export class FrameBuffer {
	#bytes = Buffer.allocUnsafeSlow(64 * 1024);
	#length = 0;
	#openText: { at: number; kind: TextKind; stream: number } | undefined;

	get isEmpty(): boolean {
		return this.#length === 0;
	}

	putMessage(stream: number, message: FromEditor): void {
		const text = wellFormed(JSON.stringify(message));
		if (text.length <= PIECE_UNITS) {
			this.#putString(Kind.json, stream, text);
			this.#openText = undefined;
			return;
		}
		const json = Buffer.from(text);
		let at = 0;
		for (; json.length - at > PIECE; at += PIECE) {
			this.#putBytes(Kind.piece, stream, json.subarray(at, at + PIECE));
		}
		this.#putBytes(Kind.json, stream, json.subarray(at));
	}

	putText(kind: TextKind, stream: number, text: string): void {
		for (let at = 0; at < text.length; ) {
			let end = Math.min(at + PIECE_UNITS, text.length);
			if (end < text.length && isHighSurrogate(text.charCodeAt(end - 1))) {
				end -= 1;
			}
			this.#putPiece(kind, stream, at === 0 && end === text.length ? text : text.slice(at, end));
			at = end;
		}
	}

	/** The collected bytes, valid until something is added again. */
	take(): Buffer {
		const taken = this.#bytes.subarray(0, this.#length);
		this.#length = 0;
		this.#openText = undefined;
		return taken;
	}

	/** Allocates a new buffer, since the last one is still being written. */
	renew(): void {
		this.#bytes = Buffer.allocUnsafeSlow(64 * 1024);
	}

	#putPiece(kind: TextKind, stream: number, text: string): void {
		this.#reserve(HEADER + text.length * MAX_UNIT_BYTES);
		const isBlank = text === BLANK;
		const last = isBlank ? undefined : this.#openText;
		if (last?.kind === kind && last.stream === stream) {
			const held = this.#bytes.readUInt32LE(last.at);
			if (held + text.length * MAX_UNIT_BYTES <= PIECE) {
				const written = this.#bytes.write(text, this.#length);
				this.#bytes.writeUInt32LE(held + written, last.at);
				this.#length += written;
				return;
			}
		}
		const at = this.#putString(kind, stream, text);
		this.#openText = isBlank ? undefined : { at, kind, stream };
	}

	/** Adds a frame and returns its place. */
	#putString(kind: number, stream: number, text: string): number {
		this.#reserve(HEADER + text.length * MAX_UNIT_BYTES);
		const at = this.#length;
		const written = this.#bytes.write(text, at + HEADER);
		this.#putHeader(kind, stream, written);
		this.#length += written;
		return at;
	}

	#putBytes(kind: number, stream: number, payload: Buffer): void {
		this.#reserve(HEADER + payload.length);
		this.#putHeader(kind, stream, payload.length);
		payload.copy(this.#bytes, this.#length);
		this.#length += payload.length;
		this.#openText = undefined;
	}

	#putHeader(kind: number, stream: number, length: number): void {
		let at = this.#length;
		at = this.#bytes.writeUInt32LE(HEAD + length, at);
		at = this.#bytes.writeUInt8(kind, at);
		this.#length = this.#bytes.writeUInt32LE(stream, at);
	}

	#reserve(more: number): void {
		const needed = this.#length + more;
		if (needed > this.#bytes.length) {
			const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.#bytes.length * 2));
			this.#bytes.copy(larger, 0, 0, this.#length);
			this.#bytes = larger;
		}
	}
}

/** Receives the frames of histories; the payloads are valid during the call only. */
export interface HistoryFrames {
	addItem(stream: number, payload: Buffer): void;
	addKnown(stream: number, payload: Buffer): void;
	forget(payload: Buffer): void;
}

/** Decodes the server's bytes, which arrive in chunks of any size, to messages. */
export class FrameReader {
	readonly #header = Buffer.allocUnsafeSlow(HEADER);
	#headerHeld = 0;
	#payload: { kind: number; stream: number; bytes: Buffer; held: number } | undefined;
	readonly #pieces = new Map<number, Buffer[]>();
	#piecesHeld = 0;

	constructor(
		private readonly onMessage: (stream: number, message: ToEditor) => void,
		private readonly history: HistoryFrames,
	) {}

	/** Decodes the next bytes and keeps no reference to them. Throws if they are not valid frames. */
	push(chunk: Buffer): void {
		for (let at = 0; at < chunk.length; ) {
			at = this.#payload ? this.#fillPayload(chunk, at) : this.#fillHeader(chunk, at);
		}
	}

	#fillHeader(chunk: Buffer, at: number): number {
		if (this.#headerHeld === 0 && chunk.length - at >= HEADER) {
			return this.#startFrame(chunk, at, at + HEADER);
		}
		const taken = chunk.copy(this.#header, this.#headerHeld, at);
		this.#headerHeld += taken;
		if (this.#headerHeld < HEADER) {
			return at + taken;
		}
		this.#headerHeld = 0;
		return this.#startFrame(this.#header, 0, at + taken, chunk);
	}

	/** Handles a frame whose header is at `at` in `header` and whose payload begins at `start` in the chunk. */
	#startFrame(header: Buffer, at: number, start: number, chunk = header): number {
		const { kind, stream, length } = readHeader(header, at);
		if (chunk.length - start >= length) {
			this.#handleFrame(kind, stream, chunk.subarray(start, start + length));
			return start + length;
		}
		this.#payload = { kind, stream, bytes: Buffer.allocUnsafeSlow(length), held: 0 };
		return start;
	}

	#fillPayload(chunk: Buffer, at: number): number {
		const payload = this.#payload;
		if (!payload) {
			return at;
		}
		const taken = chunk.copy(payload.bytes, payload.held, at);
		payload.held += taken;
		if (payload.held === payload.bytes.length) {
			this.#payload = undefined;
			this.#handleFrame(payload.kind, payload.stream, payload.bytes);
		}
		return at + taken;
	}

	#handleFrame(kind: number, stream: number, payload: Buffer): void {
		switch (kind) {
			case Kind.piece:
				return this.#addPiece(stream, payload);
			case Kind.json:
				return this.onMessage(stream, parseMessage(this.#joined(stream, payload)));
			case Kind.item:
				return this.history.addItem(stream, this.#joined(stream, payload));
			case Kind.known:
				return this.history.addKnown(stream, payload);
			case Kind.forget:
				return this.history.forget(payload);
			default:
				throw new Error(`a frame of kind ${kind}, expected ${Kind.json} or ${Kind.piece} to ${Kind.forget}`);
		}
	}

	#addPiece(stream: number, piece: Buffer): void {
		if (this.#piecesHeld + piece.length > MAX_MESSAGE) {
			throw new Error(`a message longer than ${MAX_MESSAGE} bytes`);
		}
		this.#piecesHeld += piece.length;
		const pieces = this.#pieces.get(stream) ?? [];
		pieces.push(Buffer.from(piece));
		this.#pieces.set(stream, pieces);
	}

	/** The payload together with the pieces before it, if there were any. */
	#joined(stream: number, last: Buffer): Buffer {
		const pieces = this.#pieces.get(stream);
		if (!pieces) {
			return last;
		}
		this.#pieces.delete(stream);
		for (const piece of pieces) {
			this.#piecesHeld -= piece.length;
		}
		return Buffer.concat([...pieces, last]);
	}
}

function readHeader(bytes: Buffer, at: number): { kind: number; stream: number; length: number } {
	const length = bytes.readUInt32LE(at);
	if (length < HEAD || length > HEAD + MAX_PAYLOAD) {
		throw new Error(`a frame of ${length} bytes, expected ${HEAD} to ${HEAD + MAX_PAYLOAD} bytes`);
	}
	return {
		kind: bytes.readUInt8(at + LENGTH),
		stream: bytes.readUInt32LE(at + LENGTH + 1),
		length: length - HEAD,
	};
}

function parseMessage(json: Buffer): ToEditor {
	const message: unknown = JSON.parse(json.toString());
	if (typeof message === "object" && message !== null && "type" in message) {
		return message as ToEditor; // not validated: both ends ship together, and the handshake has compared the protocol versions
	}
	throw new Error("a message without a type");
}

/** Replaces escaped lone surrogates, which `JSON.stringify` writes and the server's parser rejects. */
function wellFormed(json: string): string {
	return json.includes("\\ud")
		? json.replace(/(\\\\)|\\ud[89a-f][0-9a-f]{2}/g, (found, backslash) => (backslash ? found : "\ufffd"))
		: json;
}

export function isHighSurrogate(unit: number): boolean {
	return unit >= 0xd800 && unit <= 0xdbff;
}
