// The bar above the list: search, pause, clear, export, and the chips of the filter.

import { html, nothing, type TemplateResult } from "lit/html.js";
import { httpArchive, jsonLines, type Recorded } from "./export";
import { chipsOf, FACETS, type Facet, toggled } from "./filter";
import { announce, changed, exchangeOf, listed, records, remember, shown, state, transport } from "./state";

const NAMES: Record<Facet, string> = {
	outcome: "Outcome",
	client: "Client",
	model: "Model",
	dialect: "API",
	session: "Session",
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
			<input type="search" aria-label="Search requests" placeholder="Search requests" .value=${words}
				@input=${(event: Event) => remember({ words: (event.target as HTMLInputElement).value })}>
			<span class="hint shown" role="status">${isFiltered ? `${count} of ${all.length}` : nothing}</span>
			<button type="button" aria-pressed=${state.paused !== undefined} @click=${pause}>${
				state.paused ? `Resume${waiting > 0 ? ` (${waiting} new)` : ""}` : "Pause"
			}</button>
			<button type="button" ?disabled=${all.length === 0} @click=${clear}>Clear</button>
			<button type="button" ?disabled=${count === 0} @click=${() => save("jsonl")}>Export JSONL</button>
			<button type="button" ?disabled=${count === 0} @click=${() => save("har")}>Export HAR</button>
		</div>
		<div class="facets" role="group" aria-label="Filters">
			${FACETS.map((facet) => facetOf(facet))}
			${
				isFiltered
					? html`<button type="button" class="quiet" @click=${() => remember({ words: "", chosen: {} })}>Clear Filters</button>`
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

function pause(): void {
	state.paused = state.paused ? undefined : records.newestFirst;
	announce(state.paused ? "List paused" : "List resumed");
}

function clear(): void {
	state.clearedUpTo = Math.max(0, ...records.newestFirst.map(({ number }) => number));
	state.paused = undefined;
	announce("List cleared");
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
	announce(`Exported ${recorded.length} requests`);
}

async function bodiesOf(id: string): Promise<Recorded["exchange"]> {
	const timeout = new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), EXCHANGE_TIMEOUT));
	return Promise.race([exchangeOf(id), timeout]);
}
