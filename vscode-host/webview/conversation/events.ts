// The events of a streamed response: server-sent events, or one JSON value per line. Pure.

import { isObject, type Json, objects } from "./blocks";
import { parsePartial } from "./partial-json";

export interface StreamEvent {
	/** Name of the event; empty where the stream has none. */
	name: string;
	data: string;
}

/** Splits a stream's body into its events; undefined if the body is no stream. */
export function eventsOf(body: string): StreamEvent[] | undefined {
	if (/^(event|data|id|retry|):/.test(body)) {
		return body.split(/\r?\n\r?\n/).flatMap(serverSent);
	}
	const lines = body.split("\n").filter((line) => line.trim() !== "");
	if (lines.length > 1 && lines.slice(0, -1).every((line) => line.startsWith("{") && line.endsWith("}"))) {
		return lines.map((data) => ({ name: "", data }));
	}
	return undefined;
}

function serverSent(block: string): StreamEvent[] {
	let name = "";
	const data: string[] = [];
	for (const line of block.split(/\r?\n/)) {
		if (line.startsWith("event:")) {
			name = line.slice(6).trim();
		} else if (line.startsWith("data:")) {
			data.push(line.slice(5).replace(/^ /, ""));
		}
	}
	return data.length > 0 ? [{ name, data: data.join("\n") }] : [];
}

/** The objects of a response's body: those of its events, or the only one. */
export function objectsOf(body: string): Json[] {
	const events = eventsOf(body);
	if (body.startsWith("[")) {
		return objects(parsePartial(body));
	}
	return (events ? events.map(({ data }) => data) : [body]).flatMap((data) => {
		try {
			const value: unknown = JSON.parse(data);
			return isObject(value) ? [value] : [];
		} catch {
			return []; // `[DONE]`, or the last event of a body that was cut
		}
	});
}
