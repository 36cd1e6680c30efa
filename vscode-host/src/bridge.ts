// One connection to a server: the handshake, the routing of messages, and the table of running requests.
// When the connection ends, its running requests are cancelled.

import * as net from "node:net";
import { deferred } from "./deferred";
import { failureOf } from "./failure";
import { FrameReader } from "./frames";
import { History, type HistoryItems } from "./history";
import { Outbox } from "./outbox";
import type {
	Activity,
	BudgetNotice,
	Chat,
	Exchange,
	FromEditor,
	Hello,
	InvokeTool,
	LogLine,
	ModelCatalog,
	Refused,
	Status,
	ToEditor,
	UsageResponse,
	Welcome,
	WriteSetting,
} from "./protocol";
import { Request } from "./running-request";

/** In milliseconds. A server on the same machine accepts within 1 ms; a longer wait means that none is running. */
const CONNECT_TIMEOUT = 300;
/** In milliseconds. A server under load accepts the handshake late; one that hangs never does. */
const WELCOME_TIMEOUT = 2000;
/** In bytes: one read can take a whole piece of a long message. */
const READ_BUFFER = 256 * 1024;

/** Handlers of the server's messages. */
export interface BridgeHandlers {
	/** Sends text and parts through the request; the response is complete when this resolves. The items precede the messages. */
	chat(chat: Chat, request: Request, items?: HistoryItems): Promise<void>;
	/** Resolves to the response. */
	listTools(request: Request): Promise<FromEditor>;
	pollTools(): FromEditor;
	/** Resolves to the response. */
	invokeTool(invocation: InvokeTool, request: Request): Promise<FromEditor>;
	/** Resolves to the response. */
	askOrigin(origin: string): Promise<FromEditor>;
	budgetNotice(notice: BudgetNotice): void;
	refreshModels(): void;
	/** Resolves once the window has reacted; never resolves if the window no longer exists. */
	isAlive(): Thenable<unknown>;
	/** Another server replaces this one. */
	superseded(): void;
	status(status: Status): void;
	log(line: LogLine): void;
	activity(activity: Activity): void;
	exchange(exchange: Exchange): void;
	usage(usage: UsageResponse): void;
	writeSetting(setting: WriteSetting): void;
	modelCatalog(modelCatalog: ModelCatalog): void;
}

/** Outcome of an attempt to connect. */
export type ConnectResult =
	| { kind: "absent"; reason: string }
	| { kind: "refused"; refused: Refused }
	| { kind: "attached"; welcome: Welcome; bridge: Bridge };

/** Connects to the endpoint and sends the hello. */
export async function connect(
	endpoint: string,
	hello: Hello,
	handlers: BridgeHandlers,
): Promise<ConnectResult> {
	const { promise, resolve } = deferred<ConnectResult>();
	const bridge = new Bridge(endpoint, hello, handlers, resolve);
	void bridge.ended.then((reason) => resolve({ kind: "absent", reason }));
	return promise;
}

export class Bridge {
	/** Resolves to the reason when the connection has ended. */
	readonly ended: Promise<string>;

	readonly #socket: net.Socket;
	readonly #outbox: Outbox;
	readonly #handlers: BridgeHandlers;
	readonly #running = new Map<number, Request>();
	readonly #history: History;
	#onConnectResult: ((result: ConnectResult) => void) | undefined;

	constructor(
		endpoint: string,
		hello: Hello,
		handlers: BridgeHandlers,
		onConnectResult: (result: ConnectResult) => void,
	) {
		this.#handlers = handlers;
		this.#onConnectResult = onConnectResult;
		const invalid = (error: unknown) => {
			this.#socket.destroy(new Error(`invalid message from the server: ${failureOf(error).message}`));
		};
		this.#history = new History(invalid);
		const reader = new FrameReader((stream, message) => this.#route(stream, message), this.#history);
		const { promise, resolve } = deferred<string>();
		this.ended = promise;
		let reason = "the server closed the connection";
		const read = (bytes: number, buffer: Uint8Array): boolean => {
			try {
				reader.push(Buffer.from(buffer.buffer, buffer.byteOffset, bytes));
			} catch (error) {
				invalid(error);
			}
			return true;
		};
		this.#socket = net.connect({
			path: endpoint,
			onread: { buffer: Buffer.allocUnsafeSlow(READ_BUFFER), callback: read },
		});
		this.#outbox = new Outbox(this.#socket);
		let deadline = this.#closeAfter(CONNECT_TIMEOUT, "no server is listening");
		this.#socket
			.once("connect", () => {
				clearTimeout(deadline);
				deadline = this.#closeAfter(WELCOME_TIMEOUT, "the server did not complete the handshake");
				this.send({ type: "hello", ...hello });
			})
			.on("error", (error) => {
				reason = error.message;
			})
			.once("close", () => {
				clearTimeout(deadline);
				this.#onConnectResult = undefined;
				this.#history.dispose();
				this.#cancelAll();
				resolve(reason);
			});
	}

	/** Sends a message that belongs to no request. */
	send(message: FromEditor): void {
		this.#outbox.message(0, message);
	}

	/** Closes the connection. */
	close(): void {
		this.#outbox.flush();
		this.#socket.end();
		this.#socket.destroySoon();
		this.#cancelAll();
	}

	#closeAfter(ms: number, reason: string): NodeJS.Timeout {
		return setTimeout(() => {
			if (this.#onConnectResult) {
				this.#socket.destroy(new Error(reason));
			}
		}, ms);
	}

	#route(stream: number, message: ToEditor): void {
		switch (message.type) {
			case "welcome":
				return this.#resolveConnect({ kind: "attached", welcome: message, bridge: this });
			case "refused":
				return this.#resolveConnect({ kind: "refused", refused: message });
			case "chat":
				return this.#runChat(stream, message);
			case "list_tools":
				return this.#run(stream, (request) => this.#handlers.listTools(request));
			case "poll_tools":
				return this.#run(stream, async () => this.#handlers.pollTools());
			case "invoke_tool":
				return this.#run(stream, (request) => this.#handlers.invokeTool(message, request));
			case "ask_origin":
				return this.#run(stream, () => this.#handlers.askOrigin(message.origin));
			case "cancel":
				return this.#cancel(stream);
			case "pause":
				return this.#running.get(stream)?.pause();
			case "resume":
				return this.#running.get(stream)?.resume();
			case "budget_notice":
				return this.#handlers.budgetNotice(message);
			case "refresh_models":
				return this.#handlers.refreshModels();
			case "superseded":
				return this.#handlers.superseded();
			case "status":
				return this.#handlers.status(message);
			case "log":
				return this.#handlers.log(message);
			case "activity":
				return this.#handlers.activity(message);
			case "exchange":
				return this.#handlers.exchange(message);
			case "usage":
				return this.#handlers.usage(message);
			case "write_setting":
				return this.#handlers.writeSetting(message);
			case "model_catalog":
				return this.#handlers.modelCatalog(message);
			case "run_key":
				return; // for `copilot-proxy run`
			case "ping":
				return void this.#handlers.isAlive().then(
					() => this.send({ type: "pong" }),
					() => undefined, // the window is closing
				);
			default:
				return unreachable(message);
		}
	}

	#resolveConnect(result: ConnectResult): void {
		this.#onConnectResult?.(result);
		this.#onConnectResult = undefined;
		if (result.kind === "refused") {
			this.close();
		}
	}

	#runChat(stream: number, chat: Chat): void {
		const taken = this.#history.take(stream);
		if (taken.kind === "missing") {
			return this.#outbox.message(stream, { type: "history_missing" });
		}
		this.#run(stream, async (request) => {
			if (taken.kind === "items") {
				const items = this.#history.decoded(taken.items);
				// Decoded items cost no turn of the event loop.
				const content = items instanceof Promise ? await items : items;
				if (!request.isCancelled) {
					await this.#handlers.chat(chat, request, content);
				}
			} else {
				await this.#handlers.chat(chat, request);
			}
			return { type: "end" };
		});
	}

	/** Runs a request until it has ended or is cancelled. */
	#run(stream: number, work: (request: Request) => Promise<FromEditor>): void {
		const request = new Request(stream, this.#outbox);
		this.#running.set(stream, request);
		void work(request)
			.catch((error: unknown): FromEditor => ({ type: "failed", ...failureOf(error) }))
			.then((last) => {
				request.send(last);
				request.dispose();
				if (this.#running.get(stream) === request) {
					this.#running.delete(stream);
				}
			});
	}

	#cancel(stream: number): void {
		this.#running.get(stream)?.cancel();
		this.#running.delete(stream);
	}

	#cancelAll(): void {
		for (const stream of [...this.#running.keys()]) {
			this.#cancel(stream);
		}
	}
}

function unreachable(message: never): never {
	throw new Error(`a message of unknown type: ${JSON.stringify(message)}`);
}
