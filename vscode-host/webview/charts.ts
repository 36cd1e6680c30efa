// The two charts: requests over the last hour, tokens per model. Each has a text alternative.

import type { Minute, ModelTotals } from "../src/protocol";
import { byId, draw, drawer, make } from "./dom";
import { clock, count, short } from "./format";

const MINUTE = 60_000;
const MINUTES = 60;
/** Width of the hour's chart in its own units: 60 columns of 10. */
const WIDE = 10 * MINUTES;
const HIGH = 96;

export function charts(minutes: readonly Minute[], models: readonly ModelTotals[]): void {
	const now = Math.floor(Date.now() / MINUTE) * MINUTE;
	hour({ minutes, now });
	totals(models);
}

const hour = drawer(({ minutes, now }: { minutes: readonly Minute[]; now: number }) => {
	const shown = minutes.filter(({ time }) => time > now - MINUTES * MINUTE);
	const most = shown.reduce((found, { requests }) => Math.max(found, requests), 0);
	const scale = niceTop(most);
	const bars = shown.flatMap((minute) => bar(minute, now, scale));
	const lines = [0.5, 1].map((part) =>
		draw("line", { class: "grid", x1: 0, x2: WIDE, y1: HIGH * (1 - part), y2: HIGH * (1 - part) }),
	);
	const picture = draw(
		"svg",
		{
			viewBox: `0 -1 ${WIDE} ${HIGH + 2}`,
			preserveAspectRatio: "none",
			role: "img",
			"aria-label": inWords(shown),
		},
		...lines,
		draw("line", { class: "axis", x1: 0, x2: WIDE, y1: HIGH, y2: HIGH }),
		...bars,
	);
	const times = [60, 45, 30, 15, 0].map((ago) =>
		make("span", { textContent: ago === 0 ? "now" : clock(now - ago * MINUTE).slice(0, 5) }),
	);
	const scales = [scale, scale / 2, 0].map((value) => make("span", { textContent: short(value) }));
	byId("hour").replaceChildren(
		make("div", { className: "scale", ariaHidden: "true" }, ...scales),
		picture,
		make("div", { className: "times", ariaHidden: "true" }, ...times),
	);
});

function bar({ time, requests, failed }: Minute, now: number, scale: number): SVGElement[] {
	const x = WIDE - ((now - time) / MINUTE + 1) * 10 + 1.5;
	const height = (part: number) => (HIGH * part) / scale;
	const well = height(requests - failed);
	const title = draw("title", {}, `${clock(time).slice(0, 5)}: ${describe(requests, failed)}`);
	const column = (kind: string, y: number, tall: number) =>
		draw("rect", { class: kind, x, y, width: 7, height: tall });
	return [
		draw(
			"g",
			{},
			title,
			column("well", HIGH - well, well),
			column("failed", HIGH - height(requests), height(failed)),
		),
	];
}

/** The next round, even number for the top of the scale. */
function niceTop(most: number): number {
	const steps = [2, 4, 6, 10, 20, 40, 60, 100, 200, 400, 600, 1000, 2000, 4000];
	return steps.find((step) => step >= most) ?? 2 * Math.ceil(most / 2);
}

function inWords(minutes: readonly Minute[]): string {
	const requests = minutes.reduce((sum, minute) => sum + minute.requests, 0);
	const failed = minutes.reduce((sum, minute) => sum + minute.failed, 0);
	const busiest = minutes.reduce<Minute | undefined>(
		(found, minute) => (found && found.requests >= minute.requests ? found : minute),
		undefined,
	);
	const peak = busiest ? `, most at ${clock(busiest.time).slice(0, 5)}: ${busiest.requests}` : "";
	return `In the last hour ${describe(requests, failed)}${peak}.`;
}

function describe(requests: number, failed: number): string {
	const bad = failed > 0 ? `, ${count(failed)} failed` : "";
	return `${requests === 1 ? "1 request" : `${count(requests)} requests`}${bad}`;
}

const totals = drawer((models: readonly ModelTotals[]) => {
	const place = byId("model-totals");
	if (models.length === 0) {
		return place.replaceChildren(make("p", { className: "empty", textContent: "No responses yet." }));
	}
	const tokens = ({ tokens_in: into, tokens_out: out }: ModelTotals) => into + out;
	const sorted = models.toSorted((one, other) => tokens(other) - tokens(one));
	const most = sorted.reduce((found, model) => Math.max(found, tokens(model)), 1);
	const head = ["Model", "Requests", "In", "Out"].map((title, at) =>
		make("th", { scope: "col", textContent: title, className: at > 0 ? "number" : "" }),
	);
	place.replaceChildren(
		make(
			"table",
			{},
			make("thead", {}, make("tr", {}, ...head)),
			make("tbody", {}, ...sorted.map((model) => totalsRow(model, most))),
		),
	);
});

function totalsRow(model: ModelTotals, most: number): HTMLElement {
	const { model: id, requests, failed, tokens_in: into, cached, tokens_out: out } = model;
	const part = (kind: string, from: number, tokens: number) =>
		draw("rect", {
			class: kind,
			x: (1000 * from) / most,
			y: 0,
			width: (1000 * tokens) / most,
			height: 6,
		});
	const picture = draw(
		"svg",
		{ viewBox: "0 0 1000 6", preserveAspectRatio: "none", "aria-hidden": "true" },
		part("cached", 0, cached),
		part("in", cached, Math.max(0, into - cached)),
		part("out", into, out),
	);
	const number = (value: number, more: string) =>
		make("td", { className: "number", textContent: short(value), title: `${count(value)}${more}` });
	return make(
		"tr",
		{},
		make("th", { scope: "row" }, make("span", { textContent: id }), picture),
		make("td", {
			className: "number",
			textContent: count(requests),
			title: describe(requests, failed),
		}),
		number(into, ` tokens in, ${count(cached)} of them cached`),
		number(out, " tokens out"),
	);
}
