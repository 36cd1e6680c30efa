// The filter of the list: words, and chips of five kinds. Pure.

import type { RequestRecord } from "../src/protocol";
import { outcomeOf } from "./format";
import * as l10n from "./l10n";

/** The kinds of chips, in the order in which they are shown. */
export const FACETS = ["outcome", "client", "model", "dialect", "session"] as const;
export type Facet = (typeof FACETS)[number];

/** Chosen values of each kind; a kind without any lets everything pass. */
export type Chosen = Partial<Record<Facet, string[]>>;

/** Most chips of a kind; the most frequent values have one. */
const MAX_CHIPS = 6;

export function facetValue(request: RequestRecord, facet: Facet): string {
	switch (facet) {
		case "outcome":
			return outcomeOf(request).label;
		case "client":
			return request.client || l10n.t("unknown");
		case "model":
			return request.model ?? request.requested_model ?? "";
		case "dialect":
			return request.dialect;
		case "session":
			return request.session ?? "";
	}
}

export function matches(request: RequestRecord, words: string, chosen: Chosen): boolean {
	return FACETS.every((facet) => passes(request, facet, chosen)) && hasWords(request, words);
}

function passes(request: RequestRecord, facet: Facet, chosen: Chosen): boolean {
	const values = chosen[facet] ?? [];
	return values.length === 0 || values.includes(facetValue(request, facet));
}

function hasWords(request: RequestRecord, words: string): boolean {
	const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
	if (wanted.length === 0) {
		return true;
	}
	const { id, path, origin, key, routed_model, requested_model, status, outcome } = request;
	const failure = outcome.state === "failed" ? outcome.message : "";
	const named = [id, path, origin, key, routed_model, requested_model, String(status ?? ""), failure];
	const text = [...FACETS.map((facet) => facetValue(request, facet)), ...named].join(" ").toLowerCase();
	return wanted.every((word) => text.includes(word));
}

export interface Chip {
	value: string;
	count: number;
	isChosen: boolean;
}

/** The chips of a kind, most frequent first; a chosen value keeps its chip. */
export function chipsOf(requests: readonly RequestRecord[], facet: Facet, chosen: Chosen): Chip[] {
	const counts = new Map<string, number>((chosen[facet] ?? []).map((value) => [value, 0]));
	for (const request of requests) {
		const value = facetValue(request, facet);
		if (value !== "") {
			counts.set(value, (counts.get(value) ?? 0) + 1);
		}
	}
	const isChosen = (value: string) => chosen[facet]?.includes(value) ?? false;
	const chips = [...counts].map(([value, count]) => ({ value, count, isChosen: isChosen(value) }));
	const sorted = chips.sort((one, other) => other.count - one.count || one.value.localeCompare(other.value));
	return sorted.filter((chip, at) => at < MAX_CHIPS || chip.isChosen);
}

/** The chosen values after a click on a chip. */
export function toggled(chosen: Chosen, facet: Facet, value: string): Chosen {
	const values = chosen[facet] ?? [];
	const without = values.filter((other) => other !== value);
	return { ...chosen, [facet]: without.length < values.length ? without : [...values, value] };
}
