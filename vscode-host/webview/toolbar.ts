// The bar above the list: search, pause, clear, export, and the chips of the filter.

import { html, nothing, type TemplateResult } from "lit/html.js";
import { httpArchive, jsonLines, type Recorded } from "./export";
import { chipsOf, FACETS, type Facet, toggled } from "./filter";
import * as l10n from "./l10n";
import { announce, changed, exchangeOf, listed, records, remember, shown, state, transport } from "./state";

const NAMES: Record<Facet, string> = {
	outcome: l10n.t("Outcome"),
	client: l10n.t("Client"),
	model: l10n.t("Model"),
	dialect: l10n.t("API"),
	session: l10n.t("Session"),
};

/** Time for the bodies of a request to come, in milliseconds. */
const EXCHANGE_TIMEOUT = 3000;

export function toolbar(): TemplateResult {
	const all = listed();
	const count = shown().length;
	const { words, chosen } = state.memory;
	const isFiltered = words !== "" || Object.values(chosen).some((values) => values.length > 0);
	const waiting = state.paused ? records.newestFirst.length - state.paused.length : 0;
	return html`<div class="toolbar">
			<input type="search" aria-label=${l10n.t("Search requests")} placeholder=${l10n.t("Search requests")} .value=${words}
				@input=${(event: Event) => remember({ words: (event.target as HTMLInputElement).value })}>
			<span class="hint shown" role="status">${isFiltered ? l10n.t("{shown} of {all}", { shown: count, all: all.length }) : nothing}</span>
			<button type="button" aria-pressed=${state.paused !== undefined} @click=${pause}>${pauseLabel(
				waiting,
			)}</button>
			<button type="button" ?disabled=${all.length === 0} @click=${clear}>${l10n.t("Clear")}</button>
			<button type="button" ?disabled=${count === 0} @click=${() => save("jsonl")}>${l10n.t("Export JSONL")}</button>
			<button type="button" ?disabled=${count === 0} @click=${() => save("har")}>${l10n.t("Export HAR")}</button>
		</div>
		<div class="facets" role="group" aria-label=${l10n.t("Filters")}>
			${FACETS.map((facet) => facetOf(facet))}
			${
				isFiltered
					? html`<button type="button" class="quiet" @click=${() => remember({ words: "", chosen: {} })}>${l10n.t("Clear Filters")}</button>`
					: nothing
			}
		</div>`;
}

function facetOf(facet: Facet): TemplateResult | typeof nothing {
	const chips = chipsOf(listed(), facet, state.memory.chosen);
	if (chips.length < 2 && !chips.some(({ isChosen }) => isChosen)) {
		return nothing;
	}
	return html`<span class="facet" role="group" aria-label=${NAMES[facet]}>
		<span class="hint" aria-hidden="true">${NAMES[facet]}</span>
		${chips.map(
			({ value, count, isChosen }) => html`<button type="button" class="chip" aria-pressed=${isChosen}
				title="${NAMES[facet]} ${value}"
				@click=${() => remember({ chosen: toggled(state.memory.chosen, facet, value) })}><span class="value">${value}</span>
				<span class="badge">${count}</span></button>`,
		)}
	</span>`;
}

/** Label of the button that pauses the list; `waiting` requests have come since. */
function pauseLabel(waiting: number): string {
	if (!state.paused) {
		return l10n.t("Pause");
	}
	return waiting > 0 ? l10n.t("Resume ({count} new)", { count: waiting }) : l10n.t("Resume");
}

function pause(): void {
	state.paused = state.paused ? undefined : records.newestFirst;
	announce(state.paused ? l10n.t("List paused") : l10n.t("List resumed"));
}

function clear(): void {
	state.clearedUpTo = Math.max(0, ...records.newestFirst.map(({ number }) => number));
	state.paused = undefined;
	announce(l10n.t("List cleared"));
	changed();
}

async function save(kind: "jsonl" | "har"): Promise<void> {
	const recorded: Recorded[] = [];
	for (const request of shown()) {
		recorded.push({ request, exchange: request.has_exchange ? await bodiesOf(request.id) : undefined });
	}
	const { endpoint = "http://127.0.0.1", totals } = state.view ?? {};
	const text = kind === "har" ? httpArchive(recorded, endpoint, totals?.version ?? "") : jsonLines(recorded);
	transport.send({ type: "save", name: `requests.${kind}`, text });
	announce(l10n.t("Exported {count} requests", { count: recorded.length }));
}

async function bodiesOf(id: string): Promise<Recorded["exchange"]> {
	const timeout = new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), EXCHANGE_TIMEOUT));
	return Promise.race([exchangeOf(id), timeout]);
}
