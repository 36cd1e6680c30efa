// A fake window: it attaches to the server like the extension, records all messages, and answers only requests for its
// tools and what a test's `answers` has. It shows which messages the server sends, which a real window can't.
import { once } from "node:events";
import net from "node:net";
import { frame, reader } from "./frames.mjs";

/**
 * Attaches to the server of a `server.json`, as a focused window with these folders. `answers` are functions by the type of
 * a message, called with the editor and the message's stream.
 */
export async function attachFakeEditor(
	{ endpoint, token, protocol },
	{ version = "0.1.0", folders = [], answers = {} } = {},
) {
	const socket = net.connect(endpoint);
	await once(socket, "connect");
	const editor = new FakeEditor(socket, answers);
	const window = { focused: true, folders: folders.map((path) => ({ name: path, path })) };
	editor.say(0, { type: "hello", token, protocol: protocol.max, version, pid: process.pid, window });
	await editor.hears("welcome");
	return editor;
}

class FakeEditor {
	/** Every message, in order, as the server sent it. */
	heard = [];
	#socket;
	#answers = {
		ping: () => this.say(0, { type: "pong" }),
		list_tools: (_, stream) => this.say(stream, { type: "tools", tools: [] }),
		poll_tools: (_, stream) => this.say(stream, { type: "tools", tools: [] }),
	};
	#waiting = [];
	#streams = new Map();

	constructor(socket, answers) {
		this.#socket = socket;
		Object.assign(this.#answers, answers);
		socket.on("error", () => {}); // a wait for a message then fails with its name
		socket.on(
			"data",
			reader((stream, message) => this.#take(stream, message)),
		);
	}

	say(stream, message) {
		this.#socket.write(frame(0, stream, JSON.stringify(message)));
	}

	/** Sends text of a response. */
	words(stream, text) {
		this.#socket.write(frame(1, stream, text));
	}

	/** The stream of a message. */
	streamOf(message) {
		return this.#streams.get(message);
	}

	/** The first message of a type; it may have arrived before. */
	hears(type) {
		const found = this.heard.find((message) => message.type === type);
		return found ?? new Promise((resolve) => this.#waiting.push({ type, resolve }));
	}

	close() {
		this.#socket.destroy();
	}

	#take(stream, message) {
		this.heard.push(message);
		this.#streams.set(message, stream);
		this.#answers[message.type]?.(this, stream);
		for (const { resolve } of this.#waiting.filter(({ type }) => type === message.type)) resolve(message);
		this.#waiting = this.#waiting.filter(({ type }) => type !== message.type);
	}
}
