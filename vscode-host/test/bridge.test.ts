import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { type Bridge, type BridgeHandlers, type ConnectResult, connect } from "../src/bridge";
import { Kind } from "../src/generated";
import type { Hello, ToEditor } from "../src/protocol";
import type { Request } from "../src/running-request";
import * as history from "./fake/history";
import { FakeServer, frame, type Peer, temporaryDirectory } from "./fake/server";

const hello: Hello = {
	token: "secret",
	protocol: 1,
	version: "0.1.0",
	pid: 7,
	window: { focused: true, folders: [{ name: "work", path: "/work" }] },
};

const idle: BridgeHandlers = {
	chat: async () => undefined,
	listTools: async () => ({ type: "tools", tools: [] }),
	pollTools: () => ({ type: "tools", tools: [] }),
	invokeTool: async () => ({ type: "tool_output", content: [] }),
	askOrigin: async () => ({ type: "origin_answer", decision: "unanswered" }),
	budgetNotice: () => undefined,
	refreshModels: () => undefined,
	isAlive: async () => undefined,
	superseded: () => undefined,
	status: () => undefined,
	log: () => undefined,
	activity: () => undefined,
	exchange: () => undefined,
	usage: () => undefined,
	writeSetting: () => undefined,
	modelCatalog: () => undefined,
};

const chat: ToEditor = {
	type: "chat",
	vendor: "v",
	model: "m",
	messages: [],
	tools: [],
	required: false,
	options: {},
	configuration: {},
	include_encrypted_thinking: false,
};

async function listening(test: TestContext): Promise<FakeServer> {
	const server = await new FakeServer(temporaryDirectory(test)).listen();
	test.after(() => server.close());
	return server;
}

async function attached(
	test: TestContext,
	handlers: Partial<BridgeHandlers> = {},
): Promise<{ peer: Peer; bridge: Bridge }> {
	const server = await listening(test);
	const meeting = connect(server.endpoint, hello, { ...idle, ...handlers });
	const peer = await server.welcome();
	const met = await meeting;
	assert.equal(met.kind, "attached");
	const { bridge } = met as Extract<ConnectResult, { kind: "attached" }>;
	test.after(() => bridge.close());
	return { peer, bridge };
}

test("the hello is the first message, and a welcome attaches", async (test) => {
	const server = await listening(test);
	const meeting = connect(server.endpoint, hello, idle);
	const peer = await server.accept();
	assert.deepEqual(await peer.next(), { stream: 0, item: { type: "hello", ...hello } });
	peer.send(0, { type: "welcome", version: "0.2.0", pid: 42 });
	const met = await meeting;
	assert.deepEqual(met.kind === "attached" && met.welcome, { type: "welcome", version: "0.2.0", pid: 42 });
	met.kind === "attached" && met.bridge.close();
	await peer.closed;
});

test("a refusal is reported with its reason and closes the connection", async (test) => {
	const server = await listening(test);
	const meeting = connect(server.endpoint, hello, idle);
	const peer = await server.accept();
	peer.send(0, { type: "refused", reason: "editor_too_old", message: "reload" });
	assert.deepEqual(await meeting, {
		kind: "refused",
		refused: { type: "refused", reason: "editor_too_old", message: "reload" },
	});
	await peer.closed;
});

test("a missing server, a closed connection and invalid frames are absent", async (test) => {
	const server = await listening(test);
	assert.match(JSON.stringify(await connect(`${server.endpoint}.not`, hello, idle)), /"absent".*ENOENT/);

	const hungUp = connect(server.endpoint, hello, idle);
	(await server.accept()).socket.end();
	assert.deepEqual(await hungUp, { kind: "absent", reason: "the server closed the connection" });

	const nonsense = connect(server.endpoint, hello, idle);
	(await server.accept()).socket.write("HTTP/1.1 400 Bad Request\r\n\r\n");
	assert.match(
		JSON.stringify(await nonsense),
		/"absent".*invalid message from the server: a frame of 1347703880 bytes/,
	);
});

test("a server that sends no welcome is absent after a timeout", async (test) => {
	const server = await listening(test);
	const meeting = connect(server.endpoint, hello, idle);
	await server.accept();
	assert.deepEqual(await meeting, { kind: "absent", reason: "the server did not complete the handshake" });
});

test("a ping is answered once the window has reacted", async (test) => {
	let isThere = () => {};
	const window = new Promise<void>((resolve) => {
		isThere = resolve;
	});
	const { peer, bridge } = await attached(test, { isAlive: () => window });
	peer.send(0, { type: "ping" });
	peer.send(1, { type: "list_tools" });
	assert.deepEqual(await peer.nextOf("tools"), { type: "tools", tools: [] });
	bridge.send({ type: "handover" });
	isThere();
	await peer.nextOf("handover");
	assert.deepEqual(await peer.next(), { stream: 0, item: { type: "pong" } });
});

test("each message of the server reaches its handler", async (test) => {
	const handled: unknown[] = [];
	const { peer } = await attached(test, {
		status: ({ models }) => handled.push(models),
		log: ({ text }) => handled.push(text),
		refreshModels: () => handled.push("refresh"),
	});
	const counts = { in_flight: 0, editors: 1, requests: 0, tokens_in: 0, tokens_out: 0, started_at: 0 };
	peer.send(0, { type: "status", http: { state: "off" }, models: 3, consent_needed: false, ...counts });
	peer.send(0, { type: "log", level: "info", time: 0, text: "line" });
	peer.send(0, { type: "refresh_models" });
	peer.send(0, { type: "ping" });
	await peer.nextOf("pong");
	assert.deepEqual(handled, [3, "line", "refresh"]);
});

test("each request is answered on its own stream", async (test) => {
	const { peer } = await attached(test, {
		chat: async (_, request) => request.sendText(1, "hi"),
		invokeTool: async ({ name }) => {
			throw Object.assign(new Error(`no ${name}`), { name: "Canceled", code: 7 });
		},
	});
	peer.send(1, chat);
	assert.deepEqual(await peer.receiveAll(1), [{ text: "hi" }, { type: "end" }]);
	peer.send(2, { type: "list_tools" });
	assert.deepEqual(await peer.receiveAll(2), [{ type: "tools", tools: [] }]);
	peer.send(3, { type: "invoke_tool", name: "tool", input: {} });
	assert.deepEqual(await peer.receiveAll(3), [{ type: "failed", name: "Canceled", message: "no tool" }]);
});

test("the first part is written before the end of the event loop's turn", async (test) => {
	let written = 0;
	const { peer } = await attached(test, {
		chat: async (_, request) => {
			const socket = (request as unknown as { outbox: { socket: { bytesWritten: number } } }).outbox.socket;
			const before = socket.bytesWritten;
			await undefined; // as long as sending the request takes
			request.sendText(1, "first");
			await undefined;
			request.sendText(1, " second");
			await new Promise<void>((resolve) => process.nextTick(resolve));
			written = socket.bytesWritten - before;
			request.sendText(1, " third");
			await new Promise<void>((resolve) => process.nextTick(resolve));
			assert.equal(socket.bytesWritten - before, written);
		},
	});
	peer.send(1, chat);
	assert.deepEqual(await peer.receiveAll(1), [{ text: "first second third" }, { type: "end" }]);
	assert.equal(written, 9 + "first second".length);
});

test("a request gets its history, and one whose history is not held asks for it", async (test) => {
	const given: (string[] | undefined)[] = [];
	const { peer } = await attached(test, {
		chat: async (_, __, items) => {
			given.push(items?.messages.map(({ content }) => (content[0] as { value: string }).value));
		},
	});
	const { item, known, forget } = Kind;
	peer.socket.write(frame(item, 1, history.message(1, "user", history.text("one"))));
	const [head, tail] = cut(history.message(2, "user", history.text("two".repeat(100))), 100);
	peer.socket.write(Buffer.concat([frame(Kind.piece, 1, head), frame(item, 1, tail)]));
	peer.send(1, chat);
	assert.deepEqual(await peer.receiveAll(1), [{ type: "end" }]);
	peer.socket.write(frame(known, 2, history.keys(2, 1)));
	peer.send(2, chat);
	assert.deepEqual(await peer.receiveAll(2), [{ type: "end" }]);
	peer.socket.write(Buffer.concat([frame(forget, 3, history.keys(2)), frame(known, 3, history.keys(1, 2))]));
	peer.send(3, chat);
	await peer.nextOf("history_missing");
	peer.socket.write(frame(item, 3, history.message(3, "user", history.text("three"))));
	peer.send(3, chat);
	assert.deepEqual(await peer.receiveAll(3), [{ type: "end" }]);
	peer.send(4, chat);
	assert.deepEqual(await peer.receiveAll(4), [{ type: "end" }]);
	assert.deepEqual(given, [["one", "two".repeat(100)], ["two".repeat(100), "one"], ["three"], undefined]);
});

function cut(bytes: Buffer, at: number): [Buffer, Buffer] {
	return [bytes.subarray(0, at), bytes.subarray(at)];
}

test("a cancelled request sees its token cancelled and sends nothing more", async (test) => {
	const cancelled: string[] = [];
	const { peer } = await attached(test, {
		chat: async (_, request) => {
			request.sendText(1, "a");
			await new Promise<void>((resolve) => request.token.onCancellationRequested(() => resolve()));
			cancelled.push("cancelled");
			request.sendText(1, "b");
			throw new Error("network request aborted");
		},
	});
	peer.send(5, chat);
	assert.deepEqual(await peer.next(), { stream: 5, item: { text: "a" } });
	peer.send(5, { type: "cancel" });
	peer.send(5, { type: "cancel" });
	peer.send(0, { type: "ping" });
	assert.deepEqual(await peer.next(), { stream: 0, item: { type: "pong" } });
	assert.deepEqual(cancelled, ["cancelled"]);
});

test("a paused request waits until it is resumed", async (test) => {
	const { peer } = await attached(test, {
		chat: async (_, request) => {
			request.sendText(1, "a");
			await new Promise<void>((resolve) => setImmediate(resolve)); // until the pause has arrived
			while (!request.blocked) {
				await new Promise<void>((resolve) => setImmediate(resolve));
			}
			await request.blocked;
			request.sendText(1, "b");
		},
	});
	peer.send(5, chat);
	assert.deepEqual(await peer.next(), { stream: 5, item: { text: "a" } });
	peer.send(5, { type: "pause" });
	peer.send(0, { type: "ping" });
	assert.deepEqual(await peer.next(), { stream: 0, item: { type: "pong" } });
	peer.send(5, { type: "resume" });
	assert.deepEqual(await peer.next(), { stream: 5, item: { text: "b" } });
});

test("a response that is faster than the server reads waits for the socket", async (test) => {
	let blocked = 0;
	const { peer } = await attached(test, {
		chat: async (_, request) => {
			for (let part = 0; part < 4000; part += 1) {
				request.sendText(1, "0123456789".repeat(100));
				if (part % 50 === 49) {
					await new Promise<void>((resolve) => setImmediate(resolve));
				}
				if (request.blocked) {
					blocked += 1;
					peer.socket.resume();
					await request.blocked;
				}
			}
		},
	});
	peer.send(1, chat);
	await peer.next();
	peer.socket.pause();
	const [words] = (await peer.receiveAll(1)) as [{ text: string }];
	assert.ok(words.text.length >= 3_900_000 && blocked > 0);
});

test("the end of the connection cancels all running requests", async (test) => {
	const requests: Request[] = [];
	const hang = async (request: Request) => {
		requests.push(request);
		await new Promise(() => undefined);
	};
	const { peer, bridge } = await attached(test, {
		chat: (_, request) => hang(request),
		listTools: async (request) => {
			await hang(request);
			return { type: "tools", tools: [] };
		},
	});
	peer.send(1, chat);
	peer.send(2, { type: "list_tools" });
	peer.send(0, { type: "ping" });
	await peer.nextOf("pong");
	peer.socket.destroy();
	await bridge.ended;
	assert.deepEqual(
		requests.map(({ isCancelled }) => isCancelled),
		[true, true],
	);
});

test("an invalid message ends the connection", async (test) => {
	const { peer, bridge } = await attached(test);
	peer.socket.write(frame(0, 0, '{"type":"from the future"}'));
	assert.match(await bridge.ended, /^invalid message from the server: /);
	await peer.closed;
});
