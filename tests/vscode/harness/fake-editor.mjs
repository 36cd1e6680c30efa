// A window that is none: it attaches to the server as an extension does, keeps all that it is told, and answers nothing
// but a question for its tools. For what a real window can't show: which messages came, and which didn't.
import { once } from "node:events";
import net from "node:net";
import { frame, reader } from "./frames.mjs";

/** Attaches to the server whose `server.json` says this. `folders` are open in it, and it has the focus. */
export async function attachFakeEditor(
	{ endpoint, token, protocol },
	{ version = "0.1.0", folders = [] } = {},
) {
	const socket = net.connect(endpoint);
	await once(socket, "connect");
	const editor = new FakeEditor(socket);
	const window = { focused: true, folders: folders.map((path) => ({ name: path, path })) };
	editor.say(0, { type: "hello", token, protocol: protocol.max, version, pid: process.pid, window });
	await editor.hears("welcome");
	return editor;
}

class FakeEditor {
	/** Every message, in order, as the server sent it. */
	heard = [];
	#socket;
	#waiting = [];
	#streams = new Map();

	constructor(socket) {
		this.#socket = socket;
		socket.on("error", () => {}); // whoever waits then waits in vain, and says for what
		socket.on(
			"data",
			reader((stream, message) => this.#take(stream, message)),
		);
	}

	say(stream, message) {
		this.#socket.write(frame(0, stream, JSON.stringify(message)));
	}

	/** CapturedBody of an answer. */
	words(stream, text) {
		this.#socket.write(frame(1, stream, text));
	}

	/** The stream that a message came on. */
	streamOf(message) {
		return this.#streams.get(message);
	}

	/** The first message of this type, which may have come already. */
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
		if (message.type === "ping") this.say(0, { type: "pong" });
		if (message.type === "list_tools") this.say(stream, { type: "tools", tools: [] });
		for (const { resolve } of this.#waiting.filter(({ type }) => type === message.type)) resolve(message);
		this.#waiting = this.#waiting.filter(({ type }) => type !== message.type);
	}
}
