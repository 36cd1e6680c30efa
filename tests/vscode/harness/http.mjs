// A client without opinions: raw node http, so that a test sees the status, every header, and each event when it comes.
import { once } from "node:events";
import http from "node:http";
import net from "node:net";

// Far longer than any answer of these tests takes: whoever is silent for so long has hung.
const SILENCE_MS = 60_000;

/** A port that was free a moment ago. */
export async function freePort() {
	const probe = net.createServer().listen(0, "127.0.0.1");
	await once(probe, "listening");
	const { port } = probe.address();
	probe.close();
	await once(probe, "close");
	return port;
}

/** Whether somebody accepts connections on the port. */
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

/** Sends a request, JSON if there is a `body`, and waits for nothing. */
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

/** Sends a request and gives the answer once its head is here. */
async function send(port, path, options) {
	const request = begin(port, path, options);
	const [response] = await once(request, "response");
	response.setEncoding("utf8");
	request.on("error", () => {}); // from here on the response tells of a broken connection
	return { request, response };
}

/** One exchange, whole: `{status, headers, text, json}`. */
export async function ask(port, path, options) {
	const { response } = await send(port, path, options);
	let text = "";
	for await (const chunk of response) text += chunk;
	return { status: response.statusCode, headers: response.headers, text, json: parsed(text) };
}

/** Sends a request and leaves it there; the function it gives hangs up as a vanished client does. */
export function post(port, path, options) {
	const request = begin(port, path, options);
	request.on("error", () => {}); // hanging up is one
	return () => request.destroy();
}

/**
 * A stream of server-sent events: `{status, headers, events, hangUp}`. `events` yields `{event, data, at}` as each comes,
 * `data` parsed where it is JSON; `hangUp` closes the connection as a vanished client does.
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
