// The expanded details of a request: its failure with a hint, its figures, and its bodies if they are captured.

import type { CapturedBody, Exchange, RequestRecord } from "../src/protocol";
import { curl } from "./curl";
import { drawer, make, prose } from "./dom";
import { costSource, count, credits, duration, tokensPerSecond } from "./format";
import { copy, send } from "./page";

/** Base URL for copied commands. */
export const place = { endpoint: "http://127.0.0.1:8080", needsKey: false };

const NOT_CAPTURED = "Switch on Log Requests To UI in the settings to see later requests and responses.";

export class Details {
	readonly #summary = make("div");
	readonly #bodies = make("div", { className: "bodies" });
	readonly element = make("div", { className: "details" }, this.#summary, this.#bodies);
	#request: RequestRecord | undefined;

	readonly show = drawer((request: RequestRecord) => {
		this.#request = request;
		this.#summary.replaceChildren(...failure(request), facts(request), ...autoMode(request));
		if (request.rejected) {
			this.#bodies.replaceChildren();
		} else if (!request.has_exchange) {
			this.#bodies.replaceChildren(make("p", { className: "hint", textContent: NOT_CAPTURED }));
		}
	});

	readonly exchange = drawer((exchange: Exchange) => {
		const { request, response, headers } = exchange;
		const path = this.#request?.path ?? "";
		this.#bodies.replaceChildren(
			...(request ? [bodyOf("Request", request, commandFor(path, request, headers))] : []),
			...(response ? [bodyOf("Response", response)] : []),
		);
	});
}

function failure({ outcome }: RequestRecord): Node[] {
	if (outcome.state !== "failed") {
		return [];
	}
	return [
		make(
			"div",
			{ className: "failure" },
			make("p", { textContent: outcome.message }),
			make("p", { className: "advice" }, ...prose(outcome.hint)),
		),
	];
}

/** Progress of a running auto-mode request, with a button that stops it. */
function autoMode({ id, auto_mode: status, outcome }: RequestRecord): Node[] {
	if (!status || outcome.state !== "running") {
		return [];
	}
	const tools = status.running_tools.length > 0 ? `, running ${status.running_tools.join(", ")}` : "";
	const stop = make("button", { textContent: "Stop" });
	stop.onclick = () => send({ type: "stop_request", id });
	return [make("p", { className: "auto-mode" }, `Auto mode: round ${status.round}${tools} `, stop)];
}

function facts(request: RequestRecord): HTMLElement {
	const {
		id,
		method,
		path,
		stream,
		requested_model: requested,
		model,
		routed_model: routed,
		tokens,
		first_ms: first,
		duration_ms: whole,
	} = request;
	const rate = tokensPerSecond(request);
	const known: [name: string, value: string | undefined][] = [
		["Request", id],
		["Endpoint", `${method} ${path}${stream ? ", streamed" : ""}`],
		["Requested model", request.rejected ? undefined : (requested ?? "no model")],
		["Web page", request.origin],
		["Key", request.key],
		["Model", model],
		["Routed to", routed],
		[
			"Tokens in",
			tokens && `${count(tokens.input)}${tokens.cached > 0 ? `, ${count(tokens.cached)} cached` : ""}`,
		],
		["Tokens out", tokens && count(tokens.output)],
		["Counted by", tokens && (tokens.reported ? "the provider" : "Copilot Proxy")],
		["Credits", request.credits && `${credits(request.credits)}, ${costSource(request.credits)}`],
		["Premium requests", request.premium_requests && `${request.premium_requests.hundredths / 100}`],
		["First token", first === undefined ? undefined : `after ${duration(first)}`],
		["Total", whole === undefined ? undefined : duration(whole)],
		["Speed", rate === undefined ? undefined : `${count(Math.round(rate))} tokens per second`],
	];
	const items = known.flatMap(([name, value]) =>
		value === undefined
			? []
			: [make("div", {}, make("dt", { textContent: name }), make("dd", { textContent: value }))],
	);
	return make("dl", { className: "facts" }, ...items);
}

function commandFor(
	path: string,
	{ text, truncated }: CapturedBody,
	headers: Exchange["headers"],
): string | undefined {
	return truncated || text === ""
		? undefined
		: curl(`${place.endpoint}${path}`, text, place.needsKey, headers);
}

function bodyOf(title: string, body: CapturedBody, command?: string): HTMLElement {
	const { text, bytes, truncated } = body;
	const button = (label: string, what: string, copied: string) => {
		const made = make("button", { textContent: label, className: "quiet", ariaLabel: `Copy ${what}` });
		made.onclick = () => copy(copied, what, made);
		return made;
	};
	const size = truncated
		? `the first ${count(text.length)} characters of ${count(bytes)} bytes`
		: `${count(bytes)} bytes`;
	const name = title.toLowerCase();
	return make(
		"section",
		{},
		make(
			"div",
			{ className: "bar" },
			make("h3", { textContent: title }),
			make("span", { className: "hint", textContent: size }),
			button("Copy", `the ${name}`, text),
			...(command ? [button("Copy as curl", "the request as a curl command", command)] : []),
		),
		make("pre", { textContent: indented(text), tabIndex: 0, ariaLabel: title }),
	);
}

/** Indents JSON; any other text stays unchanged. */
function indented(text: string): string {
	try {
		return JSON.stringify(JSON.parse(text), null, 2);
	} catch {
		return text;
	}
}
