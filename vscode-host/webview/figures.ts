// A few large numbers on what the server has done since it started.

import type { Figures } from "../src/panel-messages";
import { byId, make } from "./dom";
import { age, count, short } from "./format";

let figures: Figures | undefined;

export function figuresOf(now: Figures | undefined): void {
	figures = now;
	showFigures();
}

/** Also called as time goes by. */
export function showFigures(): void {
	const place = byId("figures");
	place.hidden = figures === undefined;
	if (!figures) {
		return;
	}
	const { requests, running, tokensIn, tokensOut, windows, startedAt, version } = figures;
	const shown: [name: string, value: string, title: string][] = [
		["Requests", short(requests), count(requests)],
		["Running", count(running), count(running)],
		["Tokens in", short(tokensIn), count(tokensIn)],
		["Tokens out", short(tokensOut), count(tokensOut)],
		["Windows", count(windows), count(windows)],
		[
			"Up for",
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
