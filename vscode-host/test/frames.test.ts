import assert from "node:assert/strict";
import { test } from "node:test";
import { FrameBuffer, FrameReader } from "../src/frames";
import { Kind, MAX_PAYLOAD, PIECE } from "../src/generated";
import type { ToEditor } from "../src/protocol";
import { frame } from "./fake/server";

/** The frames in bytes: kind, stream, payload. */
function frames(bytes: Buffer): [kind: number, stream: number, payload: Buffer][] {
	const all: [number, number, Buffer][] = [];
	for (let at = 0; at < bytes.length; ) {
		const end = at + 4 + bytes.readUInt32LE(at);
		all.push([bytes.readUInt8(at + 4), bytes.readUInt32LE(at + 5), bytes.subarray(at + 9, end)]);
		at = end;
	}
	return all;
}

function fail(): never {
	throw new Error("an unexpected frame of a history");
}

function read(bytes: Buffer, chunk = bytes.length): [number, ToEditor][] {
	const all: [number, ToEditor][] = [];
	const history = { addItem: fail, addKnown: fail, forget: fail };
	const reader = new FrameReader((stream, message) => all.push([stream, message]), history);
	for (let at = 0; at < bytes.length; at += chunk) {
		const window = Buffer.from(bytes.subarray(at, at + chunk));
		reader.push(window);
		window.fill(0xff); // the reader must not keep a reference to it
	}
	return all;
}

const log = (text: string): ToEditor => ({ type: "log", level: "info", time: 0, text });

test("text and messages are encoded as the layout describes", () => {
	const out = new FrameBuffer();
	out.putText(Kind.text, 7, "hé");
	out.putMessage(258, { type: "end" });
	assert.equal(
		out.take().toString("latin1"),
		'\x08\0\0\0\x01\x07\0\0\0h\xc3\xa9\x13\0\0\0\0\x02\x01\0\0{"type":"end"}',
	);
	assert.ok(out.isEmpty);
});

test("consecutive texts of one stream share a frame", () => {
	const out = new FrameBuffer();
	out.putText(Kind.text, 1, "a");
	out.putText(Kind.text, 1, "é");
	out.putText(Kind.text, 2, "b");
	out.putText(Kind.text, 1, "c");
	out.putText(Kind.thinking, 1, "d");
	out.putMessage(1, { type: "end" });
	out.putText(Kind.thinking, 1, "e");
	assert.deepEqual(
		frames(out.take()).map(([kind, stream, payload]) => [kind, stream, payload.toString()]),
		[
			[1, 1, "aé"],
			[1, 2, "b"],
			[1, 1, "c"],
			[2, 1, "d"],
			[0, 1, '{"type":"end"}'],
			[2, 1, "e"],
		],
	);
});

test("a lone blank has a frame of its own", () => {
	const out = new FrameBuffer();
	for (const text of ["a", "b", " ", "c", "d", " "]) {
		out.putText(Kind.text, 1, text);
	}
	assert.deepEqual(
		frames(out.take()).map(([, , payload]) => payload.toString()),
		["ab", " ", "cd", " "],
	);
});

test("text after take starts a new frame", () => {
	const out = new FrameBuffer();
	out.putText(Kind.text, 1, "a");
	assert.equal(out.take().length, 10);
	out.putText(Kind.text, 1, "b");
	assert.deepEqual(frames(out.take()), [[1, 1, Buffer.from("b")]]);
});

test("long text is split between characters", () => {
	const out = new FrameBuffer();
	const words = `a${"😀".repeat(PIECE)}`;
	out.putText(Kind.text, 1, words);
	const cut = frames(out.take());
	assert.ok(cut.length > 3 && cut.every(([, , payload]) => payload.length <= PIECE));
	assert.ok(cut.map(([, , payload]) => payload.toString()).join("") === words);
});

test("a long message is sent in pieces", () => {
	const out = new FrameBuffer();
	const message = "é".repeat(PIECE);
	out.putMessage(3, { type: "failed", name: "Error", message });
	const cut = frames(out.take());
	assert.deepEqual(
		cut.map(([kind]) => kind),
		[3, 3, 0],
	);
	assert.ok(cut.every(([, , payload]) => payload.length <= PIECE));
	assert.equal(JSON.parse(Buffer.concat(cut.map(([, , payload]) => payload)).toString()).message, message);
});

test("a lone surrogate in a message is replaced, an escaped backslash before u is not", () => {
	const out = new FrameBuffer();
	out.putMessage(1, { type: "failed", name: "\ud83d", message: "\\ud83d \\\udc00 😀" });
	const [[, , json] = []] = frames(out.take());
	assert.deepEqual(JSON.parse(String(json)), {
		type: "failed",
		name: "\ufffd",
		message: "\\ud83d \\\ufffd 😀",
	});
	assert.ok(!String(json).includes("\\udc00"));
});

test("messages are decoded from chunks of any size", () => {
	const long = log("é".repeat(PIECE));
	const json = Buffer.from(JSON.stringify(long));
	const bytes = Buffer.concat([
		frame(0, 0, JSON.stringify({ type: "ping" })),
		frame(3, 9, json.subarray(0, 100_001)),
		frame(0, 8, JSON.stringify(log("between"))),
		frame(3, 9, json.subarray(100_001, 300_000)),
		frame(0, 9, json.subarray(300_000)),
		frame(0, 9, JSON.stringify({ type: "cancel" })),
	]);
	const expected = [
		[0, { type: "ping" }],
		[8, log("between")],
		[9, long],
		[9, { type: "cancel" }],
	];
	for (const chunk of [bytes.length, 65_536, 1009, 7, 1]) {
		assert.deepEqual(read(bytes, chunk), expected);
	}
});

test("an invalid frame is rejected before its buffer is allocated", () => {
	const refused = (bytes: Buffer) => {
		try {
			return read(bytes);
		} catch (error) {
			return String(error);
		}
	};
	assert.equal(
		refused(Buffer.from("GET / HTTP/1.1")),
		"Error: a frame of 542393671 bytes, expected 5 to 1048581 bytes",
	);
	assert.equal(refused(Buffer.alloc(9)), "Error: a frame of 0 bytes, expected 5 to 1048581 bytes");
	assert.equal(refused(frame(9, 0, "")), "Error: a frame of kind 9, expected 0 or 3 to 6");
	assert.equal(refused(frame(1, 0, "words")), "Error: a frame of kind 1, expected 0 or 3 to 6");
	assert.match(String(refused(frame(0, 0, "{"))), /^SyntaxError/);
	assert.equal(refused(frame(0, 0, "7")), "Error: a message without a type");
});

test("pieces beyond the message limit are rejected, and finished messages don't count", () => {
	const piece = (stream: number) => frame(3, stream, Buffer.alloc(MAX_PAYLOAD, " "));
	const finished = Buffer.concat([piece(1), frame(0, 1, JSON.stringify({ type: "ping" }))]);
	assert.equal(read(Buffer.concat(Array(20).fill(finished))).length, 20);
	const unfinished = Buffer.concat(Array.from({ length: 17 }, (_, stream) => piece(stream)));
	assert.throws(() => read(unfinished), /a message longer than 16777216 bytes/);
});
