// The state of the page and its changes. Every change draws the page again, at most once a frame.

import type { PanelView, SettingView, ToolsView, ToPanel, UsageView } from "../src/panel-messages";
import type { CatalogModel, Exchange, RequestRecord } from "../src/protocol";
import { connect } from "./connect";
import { type Chosen, matches } from "./filter";
import { outcomeOf } from "./format";
import * as l10n from "./l10n";
import { Records } from "./records";

export const TABS = ["requests", "usage", "models", "tools", "settings"] as const;
export type Tab = (typeof TABS)[number];
export const DETAIL_TABS = ["conversation", "timing", "wire"] as const;
export type DetailTab = (typeof DETAIL_TABS)[number];
export type Grouping = "model" | "client" | "session" | "day";
export type UsagePeriod = "today" | "month";

/** The part of the state that survives while the page is gone. */
interface Memory {
	tab: Tab;
	detailTab: DetailTab;
	/** Id of the selected request. */
	selected: string | undefined;
	words: string;
	chosen: Chosen;
	showsConnect: boolean;
	grouping: Grouping;
	period: UsagePeriod;
}

/** A request that is edited before it is sent. */
export interface Draft {
	path: string;
	headers: [name: string, value: string][];
	body: string;
	problem?: string;
}

const INITIAL: Memory = {
	tab: "requests",
	detailTab: "conversation",
	selected: undefined,
	words: "",
	chosen: {},
	showsConnect: false,
	grouping: "model",
	period: "today",
};

/** Bodies of this many requests are kept in the page. */
const KEPT_EXCHANGES = 20;

export const transport = connect();
export const records = new Records();

export const state = {
	memory: { ...INITIAL, ...(transport.load() as Partial<Memory> | undefined) },
	view: undefined as PanelView | undefined,
	/** Models of all windows, while a server is attached. */
	offered: undefined as CatalogModel[] | undefined,
	tools: undefined as ToolsView | undefined,
	exchanges: new Map<string, Exchange>(),
	usage: new Map<string, UsageView>(),
	draft: undefined as Draft | undefined,
	/** The requests on screen, while the list is paused. */
	paused: undefined as readonly RequestRecord[] | undefined,
	/** Ended requests up to this number are hidden. */
	clearedUpTo: 0,
	/** A sentence about what went wrong with the page's own request. */
	problem: "",
	/** A text for screen readers. */
	announcement: "",
	/** Label of the button that has just copied something. */
	copied: "",
};

let draw: () => void = () => {};
let isScheduled = false;

/** Sets the function that draws the page. */
export function onChange(redraw: () => void): void {
	draw = redraw;
}

export function changed(): void {
	if (!isScheduled) {
		isScheduled = true;
		requestAnimationFrame(() => {
			isScheduled = false;
			draw();
		});
	}
}

export function remember(more: Partial<Memory>): void {
	state.memory = { ...state.memory, ...more };
	transport.store(state.memory);
	changed();
}

export function announce(text: string): void {
	state.announcement = text;
	changed();
}

/** Changed settings that no view has confirmed yet: views sent before the change still have the old value. */
const unconfirmed = new Map<string, { value: unknown; since: number }>();
/** In milliseconds: VS Code has refused a change that is not confirmed for so long. */
const UNCONFIRMED = 3000;

/** Changes a setting; the page shows it at once. */
export function setSetting(name: string, value: unknown): void {
	unconfirmed.set(name, { value, since: Date.now() });
	transport.send({ type: "set", name, value });
	changed();
}

/** The settings with the user's latest changes. */
export function settings(): readonly SettingView[] {
	return (state.view?.settings ?? []).map((setting) => {
		const change = unconfirmed.get(setting.name);
		return change && Date.now() - change.since < UNCONFIRMED ? { ...setting, value: change.value } : setting;
	});
}

function confirm({ settings: current }: PanelView): void {
	for (const { name, value } of current) {
		if (JSON.stringify(unconfirmed.get(name)?.value) === JSON.stringify(value)) {
			unconfirmed.delete(name);
		}
	}
}

/** Copies a text; the button of this name confirms it. */
export function copy(text: string, button: string): void {
	transport.send({ type: "copy", text });
	state.copied = button;
	announce(l10n.t("Copied"));
	setTimeout(() => {
		if (state.copied === button) {
			state.copied = "";
			changed();
		}
	}, 1500);
}

/** Applies a message. */
export function take(message: ToPanel): void {
	switch (message.type) {
		case "view":
			state.view = message.view;
			confirm(message.view);
			if (!message.view.totals) {
				state.offered = undefined;
			}
			break;
		case "tools":
			state.tools = message.tools;
			break;
		case "activity":
			takeActivity(message.activity);
			break;
		case "exchange":
			keepExchange(message.exchange);
			break;
		case "model_catalog":
			state.offered = message.models;
			break;
		case "usage":
			state.usage.set(usageKey(message.from, message.by), message);
			break;
		case "problem":
			state.problem = message.message;
			break;
	}
	changed();
}

function takeActivity(activity: Parameters<Records["take"]>[0]): void {
	state.problem = "";
	if (activity.reset) {
		state.clearedUpTo = 0;
		state.exchanges.clear();
	}
	for (const failed of records.take(activity)) {
		announce(
			l10n.t("Request {number} failed: {reason}", { number: failed.number, reason: outcomeOf(failed).label }),
		);
	}
	const request = selected();
	if (request && activity.requests.some(({ number }) => number === request.number)) {
		refreshExchange(request);
	}
}

function keepExchange(exchange: Exchange): void {
	state.exchanges.delete(exchange.id);
	state.exchanges.set(exchange.id, exchange);
	for (const id of state.exchanges.keys()) {
		if (state.exchanges.size > KEPT_EXCHANGES) {
			state.exchanges.delete(id);
		}
	}
	waiting.get(exchange.id)?.(exchange);
	waiting.delete(exchange.id);
}

const waiting = new Map<string, (exchange: Exchange) => void>();

/** The captured bodies of a request, once they have come. */
export function exchangeOf(id: string): Promise<Exchange> {
	return new Promise((resolve) => {
		waiting.set(id, resolve);
		transport.send({ type: "get_exchange", id });
	});
}

/** Time of the last request for bodies, so that those of a fast stream aren't read too often. */
let lastRequest = 0;

/** Reads the bodies again after a change of their request; those of a running one at most twice a second. */
function refreshExchange(request: RequestRecord): void {
	if (request.outcome.state !== "running" || Date.now() - lastRequest > 500) {
		requestExchange(request);
	}
}

function requestExchange(request: RequestRecord): void {
	if (request.has_exchange) {
		lastRequest = Date.now();
		transport.send({ type: "get_exchange", id: request.id });
	}
}

/** The requests that the list shows, running ones first. */
export function shown(): readonly RequestRecord[] {
	const { words, chosen } = state.memory;
	return listed().filter((request) => matches(request, words, chosen));
}

/** The requests before the filter. */
export function listed(): readonly RequestRecord[] {
	const all = state.paused ?? records.newestFirst;
	return state.clearedUpTo === 0
		? all
		: all.filter(({ number, outcome }) => number > state.clearedUpTo || outcome.state === "running");
}

export function selected(): RequestRecord | undefined {
	const id = state.memory.selected;
	return id === undefined ? undefined : records.newestFirst.find((request) => request.id === id);
}

/** Selects a request, or none. */
export function select(request: RequestRecord | undefined): void {
	state.draft = undefined;
	remember({ selected: request?.id });
	if (request) {
		requestExchange(request);
	}
}

export function cancel(request: RequestRecord): void {
	transport.send({ type: "stop_request", id: request.id });
	announce(l10n.t("Request {number} cancelled", { number: request.number }));
}

export function usageKey(from: string, by: string): string {
	return `${from} ${by}`;
}
