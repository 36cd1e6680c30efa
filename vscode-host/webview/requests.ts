// The table of requests. Each request has its own `tbody`, which is updated in place, so that focus, selection and
// expanded details survive a change.

import type { Exchange, RequestRecord } from "../src/protocol";
import { Details } from "./details";
import { byId, make } from "./dom";
import { clock, costSource, count, credits, duration, outcomeOf, short, tokensPerSecond } from "./format";
import { remember, remembered, send } from "./page";

const COLUMNS = 11;

export class Requests {
	readonly #table = byId("requests").querySelector("table") as HTMLTableElement;
	readonly #items = new Map<number, Item>();

	/** Shows the requests, newest first. */
	show(requests: readonly RequestRecord[]): void {
		byId("requests").hidden = requests.length === 0;
		byId("no-requests").hidden = requests.length > 0;
		const known = new Set(requests.map(({ number }) => number));
		for (const [number, item] of this.#items) {
			if (!known.has(number)) {
				item.body.remove();
				item.forget();
				this.#items.delete(number);
			}
		}
		let before: Element | null = this.#table.tHead;
		for (const request of requests) {
			const item = this.#items.get(request.number) ?? this.#add(request);
			item.show(request);
			if (before?.nextElementSibling !== item.body) {
				before?.after(item.body);
			}
			before = item.body;
		}
	}

	/** Shows the bodies of a request. */
	exchange(exchange: Exchange): void {
		for (const item of this.#items.values()) {
			item.exchange(exchange);
		}
	}

	/** Updates the durations of running requests. */
	tick(): void {
		for (const item of this.#items.values()) {
			item.tick();
		}
	}

	#add(request: RequestRecord): Item {
		const item = new Item(request, remembered().open.includes(request.id));
		this.#items.set(request.number, item);
		return item;
	}
}

class Item {
	readonly body = make("tbody");
	readonly #row = make("tr", { className: "request" });
	readonly #more = make("tr", { className: "more", hidden: true });
	readonly #cells = Array.from({ length: COLUMNS }, (_, at) =>
		make("td", { className: at >= 4 && at <= 9 ? "number" : "" }),
	);
	readonly #toggle: HTMLButtonElement;
	readonly #details = new Details();
	#request: RequestRecord;
	#shown = "";

	constructor(request: RequestRecord, isOpen: boolean) {
		this.#request = request;
		const id = `more-${request.number}`;
		this.#toggle = make("button", { className: "toggle", ariaExpanded: "false" });
		this.#toggle.setAttribute("aria-controls", id);
		this.#cells[0]?.append(this.#toggle);
		this.#more.id = id;
		this.#more.append(make("td", { colSpan: COLUMNS }, this.#details.element));
		this.#row.append(...this.#cells);
		this.#row.onclick = () => {
			if (!getSelection()?.toString()) {
				this.#open(!this.isOpen);
			}
		};
		this.body.append(this.#row, this.#more);
		if (isOpen) {
			this.#open(true);
		}
	}

	get isOpen(): boolean {
		return !this.#more.hidden;
	}

	show(request: RequestRecord): void {
		const shown = JSON.stringify(request);
		if (shown === this.#shown) {
			return;
		}
		this.#shown = shown;
		const hasEnded = this.#request.duration_ms === undefined && request.duration_ms !== undefined;
		this.#request = request;
		const {
			time,
			client,
			dialect,
			path,
			model,
			requested_model: requested,
			routed_model: routed,
			tokens,
			first_ms: first,
			number,
			credits: cost,
		} = request;
		const { label, tone } = outcomeOf(request);
		this.#toggle.textContent = clock(time);
		this.#toggle.ariaLabel = `${clock(time)}, request ${number}: ${label}. Details`;
		this.#fill(1, client || "unknown");
		this.#fill(2, dialect || path, dialect ? "" : `No API is spoken at ${path}`);
		this.#fill(
			3,
			routed === undefined ? (model ?? requested ?? "") : `${model ?? "auto"} → ${routed}`,
			requested !== undefined && requested !== model ? `requested ${requested}` : "",
		);
		const cached = tokens && tokens.cached > 0 ? `, ${count(tokens.cached)} of them cached` : "";
		const source = tokens?.reported ? "reported by the provider" : "counted here";
		this.#fill(4, tokens ? short(tokens.input) : "", tokens && `${count(tokens.input)}${cached}, ${source}`);
		this.#fill(
			5,
			tokens ? short(tokens.output) : soFar(request),
			tokens && `${count(tokens.output)}, ${source}`,
		);
		this.#fill(6, first === undefined ? "" : duration(first));
		const rate = tokensPerSecond(request);
		this.#fill(8, rate === undefined ? "" : count(Math.round(rate)));
		this.#fill(9, cost ? credits(cost) : "", cost && costSource(cost));
		const outcome = make("span", { className: "outcome", textContent: label });
		outcome.dataset.tone = tone;
		this.#cells[10]?.replaceChildren(outcome);
		this.tick();
		this.#details.show(request);
		if (this.isOpen && hasEnded) {
			this.#requestExchange();
		}
	}

	tick(): void {
		const { duration_ms: ended, time } = this.#request;
		this.#fill(7, duration(ended ?? Math.max(0, Date.now() - time)));
	}

	exchange(exchange: Exchange): void {
		if (this.isOpen && exchange.id === this.#request.id) {
			this.#details.exchange(exchange);
		}
	}

	/** Expands or collapses the details. */
	forget(): void {
		remember({ open: remembered().open.filter((id) => id !== this.#request.id) });
	}

	#fill(at: number, text: string, title = ""): void {
		const cell = this.#cells[at];
		if (cell && cell.textContent !== text) {
			cell.textContent = text;
		}
		if (cell && cell.title !== title) {
			cell.title = title;
		}
	}

	#open(isOpen: boolean): void {
		this.#more.hidden = !isOpen;
		this.#row.classList.toggle("open", isOpen);
		this.#toggle.ariaExpanded = String(isOpen);
		this.forget();
		if (isOpen) {
			remember({ open: [...remembered().open, this.#request.id] });
			this.#requestExchange();
		}
	}

	#requestExchange(): void {
		if (this.#request.has_exchange) {
			send({ type: "get_exchange", id: this.#request.id });
		}
	}
}

/** Estimated tokens of a running response; a token has about four characters. */
function soFar({ characters, outcome }: RequestRecord): string {
	return outcome.state === "running" && characters > 0 ? `~${short(Math.ceil(characters / 4))}` : "";
}
