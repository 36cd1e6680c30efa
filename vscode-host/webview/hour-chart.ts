// The chart of the last hour: requests and failures by minute, with a text alternative.

import { html, svg, type TemplateResult } from "lit/html.js";
import type { Minute } from "../src/protocol";
import { clock, count, short } from "./format";
import * as l10n from "./l10n";

const MINUTE = 60_000;
const MINUTES = 60;
/** Width of the chart in its own units: 60 columns of 10. */
const WIDE = 10 * MINUTES;
const HIGH = 96;

export function hourChart(minutes: readonly Minute[]): TemplateResult {
	const now = Math.floor(Date.now() / MINUTE) * MINUTE;
	const shown = minutes.filter(({ time }) => time > now - MINUTES * MINUTE);
	const scale = niceTop(shown.reduce((found, { requests }) => Math.max(found, requests), 0));
	return html`<div id="hour">
		<div class="scale" aria-hidden="true">${[scale, scale / 2, 0].map((value) => html`<span>${short(value)}</span>`)}</div>
		<svg viewBox="0 -1 ${WIDE} ${HIGH + 2}" preserveAspectRatio="none" role="img" aria-label=${inWords(shown)}>
			${[0.5, 1].map((part) => svg`<line class="grid" x1="0" x2=${WIDE} y1=${HIGH * (1 - part)} y2=${HIGH * (1 - part)}></line>`)}
			<line class="axis" x1="0" x2=${WIDE} y1=${HIGH} y2=${HIGH}></line>
			${shown.map((minute) => bar(minute, now, scale))}
		</svg>
		<div class="times" aria-hidden="true">${[60, 45, 30, 15, 0].map(
			(ago) => html`<span>${ago === 0 ? l10n.t("now") : clock(now - ago * MINUTE).slice(0, 5)}</span>`,
		)}</div>
	</div>`;
}

function bar({ time, requests, failed }: Minute, now: number, scale: number): TemplateResult {
	const x = WIDE - ((now - time) / MINUTE + 1) * 10 + 1.5;
	const height = (part: number) => (HIGH * part) / scale;
	const well = height(requests - failed);
	return svg`<g><title>${clock(time).slice(0, 5)}: ${describe(requests, failed)}</title>
		<rect class="well" x=${x} y=${HIGH - well} width="7" height=${well}></rect>
		<rect class="failed" x=${x} y=${HIGH - height(requests)} width="7" height=${height(failed)}></rect></g>`;
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
	const all = describe(requests, failed);
	return busiest
		? l10n.t("In the last hour {requests}, most at {time}: {count}.", {
				requests: all,
				time: clock(busiest.time).slice(0, 5),
				count: busiest.requests,
			})
		: l10n.t("In the last hour {requests}.", { requests: all });
}

function describe(requests: number, failed: number): string {
	const bad = failed > 0 ? l10n.t(", {count} failed", { count: count(failed) }) : "";
	return `${requests === 1 ? l10n.t("1 request") : l10n.t("{count} requests", { count: count(requests) })}${bad}`;
}
