// Passes HTTP on to a server unchanged and notes each request: what reached the server, and what it answered.
import { once } from "node:events";
import http from "node:http";
import net from "node:net";

/** Listens on a free port of 127.0.0.1 for the server at `serverPort`. */
export async function startRelay(serverPort) {
	const relay = new Relay(serverPort);
	await relay.start();
	return relay;
}

class Relay {
	/** `{method, url, status, headers}` of every request; without a status while it runs, 0 if it had none. */
	exchanges = [];
	#serverPort;
	#server = http.createServer((request, response) => this.#pass(request, response));

	constructor(serverPort) {
		this.#serverPort = serverPort;
		this.#server.on("upgrade", (request, socket, head) => this.#upgrade(request, socket, head));
	}

	async start() {
		this.#server.listen(0, "127.0.0.1");
		await once(this.#server, "listening");
		this.port = this.#server.address().port;
	}

	stop() {
		this.#server.close();
		this.#server.closeAllConnections();
	}

	#note({ method, url, headers }) {
		const exchange = { method, url, headers, status: undefined };
		this.exchanges.push(exchange);
		return exchange;
	}

	#pass(request, response) {
		const exchange = this.#note(request);
		const onward = http.request({
			host: "127.0.0.1",
			port: this.#serverPort,
			method: request.method,
			path: request.url,
			headers: request.rawHeaders,
			setHost: false,
			agent: false,
		});
		onward.on("response", (answer) => {
			exchange.status = answer.statusCode;
			response.writeHead(answer.statusCode, answer.rawHeaders);
			answer.pipe(response);
		});
		onward.on("error", () => response.destroy());
		onward.on("close", () => {
			exchange.status ??= 0;
		});
		// The client has disconnected.
		response.on("close", () => onward.destroy());
		request.pipe(onward);
	}

	/** The first line of the response shows whether a WebSocket handshake succeeded. */
	#upgrade(request, socket, head) {
		const exchange = this.#note(request);
		const server = net.connect(this.#serverPort, "127.0.0.1");
		const lines = [`${request.method} ${request.url} HTTP/1.1`];
		for (let at = 0; at < request.rawHeaders.length; at += 2)
			lines.push(`${request.rawHeaders[at]}: ${request.rawHeaders[at + 1]}`);
		server.write(`${lines.join("\r\n")}\r\n\r\n`);
		server.write(head);
		server.once("data", (bytes) => {
			exchange.status = Number(/^HTTP\/1\.1 (\d+)/.exec(bytes.toString("latin1"))?.[1] ?? 0);
		});
		server.on("close", () => {
			exchange.status ??= 0;
		});
		for (const [from, to] of [
			[server, socket],
			[socket, server],
		]) {
			from.pipe(to);
			from.on("error", () => to.destroy());
		}
	}
}
