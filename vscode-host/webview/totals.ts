// The totals since the server started, as large numbers.

import type { Totals } from "../src/panel-messages";
import { byId, make } from "./dom";
import { age, count, short } from "./format";

let totals: Totals | undefined;

export function setTotals(now: Totals | undefined): void {
	totals = now;
	showTotals();
}

/** Draws the totals; called periodically for the uptime. */
export function showTotals(): void {
	const place = byId("server-totals");
	place.hidden = totals === undefined;
	if (!totals) {
		return;
	}
	const { requests, running, tokensIn, tokensOut, windows, startedAt, version } = totals;
	const shown: [name: string, value: string, title: string][] = [
		["Requests", short(requests), count(requests)],
		["Running", count(running), count(running)],
		["Tokens in", short(tokensIn), count(tokensIn)],
		["Tokens out", short(tokensOut), count(tokensOut)],
		["Windows", count(windows), count(windows)],
		[
			"Uptime",
			age(Date.now() - startedAt),
			`Version ${version}, since ${new Date(startedAt).toLocaleString()}`,
		],
	];
	for (const [at, [name, value, title]] of shown.entries()) {
		const item = place.children[at] ?? place.appendChild(make("div", {}, make("dt"), make("dd")));
		const [term, number] = item.children as unknown as [HTMLElement, HTMLElement];
		term.textContent = name;
		number.textContent = value;
		number.title = title;
	}
}
