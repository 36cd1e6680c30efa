// A plain HTTP client on Node's http module, so that a test sees the status, every header, and the time of each event.
import { once } from "node:events";
import http from "node:http";
import net from "node:net";

// Far longer than any response of these tests takes.
const SILENCE_MS = 60_000;

/** A port that was free when it was checked. */
export async function freePort() {
	const probe = net.createServer().listen(0, "127.0.0.1");
	await once(probe, "listening");
	const { port } = probe.address();
	probe.close();
	await once(probe, "close");
	return port;
}

/** Whether a program accepts connections on the port. */
export async function listening(port) {
	const socket = net.connect(port, "127.0.0.1");
	try {
		await once(socket, "connect");
		return true;
	} catch {
		return false;
	} finally {
		socket.destroy();
	}
}

/** Sends a request, with `body` as JSON, without waiting for the response. */
function begin(port, path, { method, headers = {}, body } = {}) {
	const request = http.request({
		host: "127.0.0.1",
		port,
		path,
		method: method ?? (body === undefined ? "GET" : "POST"),
		headers: { ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers },
		agent: false,
	});
	request.setTimeout(SILENCE_MS, () => request.destroy(new Error(`${path}: silent for ${SILENCE_MS} ms`)));
	request.end(body === undefined ? undefined : JSON.stringify(body));
	return request;
}

/** Sends a request and resolves to the response once its head has arrived. */
async function send(port, path, options) {
	const request = begin(port, path, options);
	const [response] = await once(request, "response");
	response.setEncoding("utf8");
	request.on("error", () => {}); // from here on, the response emits the error of a broken connection
	return { request, response };
}

/** Sends a request and resolves to the whole response: `{status, headers, text, json}`. */
export async function ask(port, path, options) {
	const { response } = await send(port, path, options);
	let text = "";
	for await (const chunk of response) text += chunk;
	return { status: response.statusCode, headers: response.headers, text, json: parsed(text) };
}

/** Sends a request; the returned function closes its connection. */
export function post(port, path, options) {
	const request = begin(port, path, options);
	request.on("error", () => {}); // closing the connection emits one
	return () => request.destroy();
}

/**
 * A stream of server-sent events: `{status, headers, events, hangUp}`. `events` yields `{event, data, at}` as they arrive,
 * with `data` parsed if it is JSON; `hangUp` closes the connection.
 */
export async function openStream(port, path, options) {
	const { request, response } = await send(port, path, options);
	return {
		status: response.statusCode,
		headers: response.headers,
		events: eventsOf(response),
		hangUp: () => request.destroy(),
	};
}

async function* eventsOf(response) {
	let buffered = "";
	for await (const chunk of response) {
		buffered += chunk;
		for (let end = buffered.indexOf("\n\n"); end >= 0; end = buffered.indexOf("\n\n")) {
			const block = buffered.slice(0, end);
			buffered = buffered.slice(end + 2);
			const event = eventOf(block);
			if (event) yield event;
		}
	}
	if (buffered.trim()) throw new Error(`the stream ended within an event: ${JSON.stringify(buffered)}`);
}

/** One event, or undefined if the block is only a comment (a ping). */
function eventOf(block) {
	const fields = block.split("\n").filter((line) => !line.startsWith(":"));
	const values = (name) =>
		fields
			.filter((line) => line.startsWith(`${name}:`))
			.map((line) => line.slice(name.length + 1).replace(/^ /, ""));
	if (fields.length === 0) return undefined;
	const data = values("data").join("\n");
	return { event: values("event").at(-1), data: parsed(data) ?? data, at: performance.now() };
}

function parsed(text) {
	try {
		return JSON.parse(text);
	} catch {
		return undefined;
	}
}
