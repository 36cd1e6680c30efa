// Requests as files: JSON lines, and the HTTP archive format that browsers' developer tools open. Pure.

import type { Exchange, RequestRecord } from "../src/protocol";

export type Recorded = { request: RequestRecord; exchange?: Exchange | undefined };

/** One JSON object per line: the record, and its bodies if they were captured. */
export function jsonLines(recorded: readonly Recorded[]): string {
	return recorded.map(({ request, exchange }) => `${JSON.stringify({ ...request, exchange })}\n`).join("");
}

/** An HTTP archive, version 1.2. */
export function httpArchive(recorded: readonly Recorded[], endpoint: string, version: string): string {
	const entries = recorded.map((each) => entryOf(each, endpoint));
	const log = { version: "1.2", creator: { name: "Copilot Proxy", version }, entries };
	return JSON.stringify({ log }, null, 2);
}

function entryOf({ request, exchange }: Recorded, endpoint: string) {
	const { method, path, time, status = 0, stream, first_ms, duration_ms = 0, client } = request;
	const wait = first_ms ?? duration_ms;
	const headers = [["User-Agent", client] as const, ...(exchange?.headers ?? [])];
	const type = stream && status === 200 ? "text/event-stream" : "application/json";
	const size = (body: Exchange["request"]) => body?.bytes ?? -1;
	return {
		startedDateTime: new Date(time).toISOString(),
		time: duration_ms,
		request: {
			method,
			url: endpoint + path,
			httpVersion: "HTTP/1.1",
			cookies: [],
			headers: headers.map(([name, value]) => ({ name, value })),
			queryString: [],
			headersSize: -1,
			bodySize: size(exchange?.request),
			...(exchange?.request
				? { postData: { mimeType: "application/json", text: exchange.request.text } }
				: {}),
		},
		response: {
			status,
			statusText: "",
			httpVersion: "HTTP/1.1",
			cookies: [],
			headers: [{ name: "Content-Type", value: type }],
			content: { size: size(exchange?.response), mimeType: type, text: exchange?.response?.text ?? "" },
			redirectURL: "",
			headersSize: -1,
			bodySize: size(exchange?.response),
		},
		cache: {},
		timings: { blocked: request.queued_ms ?? -1, send: 0, wait, receive: Math.max(0, duration_ms - wait) },
		_request: request,
	};
}
