// Money and cache, from the usage database: today or this month, by model, client, session or day.

import { html, nothing, svg, type TemplateResult } from "lit/html.js";
import type { UsageReport } from "../src/panel-messages";
import { count, short } from "./format";
import { hourChart } from "./hour-chart";
import { type Grouping, records, remember, state, transport, type UsagePeriod, usageKey } from "./state";

const GROUPINGS: [Grouping, string][] = [
	["model", "Model"],
	["client", "Client"],
	["session", "Session"],
	["day", "Day"],
];
const PERIODS: [UsagePeriod, string][] = [
	["today", "Today"],
	["month", "This Month"],
];

/** Interval at which the figures are read again while they are on screen, in milliseconds. */
const REFRESH = 5000;

let lastRead = { key: "", time: 0 };

/** Reads the figures that are on screen, if they are old. */
export function readUsage(): void {
	const { period, grouping } = state.memory;
	const { from, to } = daysOf(period, new Date());
	const key = usageKey(from, grouping);
	if (lastRead.key !== key || Date.now() - lastRead.time > REFRESH) {
		lastRead = { key, time: Date.now() };
		transport.send({ type: "get_usage", from, to, by: grouping });
	}
}

/** First and last day of a period, as `YYYY-MM-DD` in local time. */
export function daysOf(period: UsagePeriod, now: Date): { from: string; to: string } {
	const day = (date: Date) =>
		[date.getFullYear(), date.getMonth() + 1, date.getDate()]
			.map((part) => String(part).padStart(2, "0"))
			.join("-");
	const first = period === "today" ? now : new Date(now.getFullYear(), now.getMonth(), 1);
	return { from: day(first), to: day(now) };
}

export function usageView(): TemplateResult {
	const { period, grouping } = state.memory;
	const usage = state.usage.get(usageKey(daysOf(period, new Date()).from, grouping));
	return html`<div class="bar">
			<span class="choice" role="group" aria-label="Period">${PERIODS.map(([value, title]) =>
				choice(title, value === period, () => remember({ period: value })),
			)}</span>
			<span class="choice" role="group" aria-label="Grouping">${GROUPINGS.map(([value, title]) =>
				choice(title, value === grouping, () => remember({ grouping: value })),
			)}</span>
		</div>
		${usage?.problem ? html`<p class="failure" role="status">${usage.problem}</p>` : nothing}
		${usage?.report ? report(usage.report, grouping) : nothing}
		<figure>
			<figcaption><h2>Requests</h2><span class="hint">in the last hour</span></figcaption>
			${hourChart(records.minutes)}
		</figure>`;
}

function choice(title: string, isChosen: boolean, choose: () => void): TemplateResult {
	return html`<button type="button" class="chip" aria-pressed=${isChosen} @click=${choose}>${title}</button>`;
}

function report({ data, totals, cache }: UsageReport, grouping: Grouping): TemplateResult {
	const name = GROUPINGS.find(([value]) => value === grouping)?.[1] ?? "";
	const most = Math.max(1, ...data.map(({ input_tokens: into, output_tokens: out }) => into + out));
	const figures: [name: string, value: string, about: string][] = [
		["Credits", amount(totals.credits), aboutCredits(totals)],
		["Requests", short(totals.requests), count(totals.requests)],
		["Tokens in", short(totals.input_tokens), count(totals.input_tokens)],
		["Tokens out", short(totals.output_tokens), count(totals.output_tokens)],
		[
			"Cache rate",
			rate(totals),
			`${count(totals.cached_tokens)} input tokens came from the provider's cache`,
		],
	];
	return html`<dl class="figures">
			${figures.map(([title, value, about]) => html`<div title=${about}><dt>${title}</dt><dd>${value}</dd></div>`)}
		</dl>
		${
			data.length === 0
				? html`<p class="empty">No requests in this time.</p>`
				: html`<div class="scroll" tabindex="0" role="region" aria-label="Usage by ${name.toLowerCase()}"><table class="usage">
			<thead><tr>
				<th scope="col">${name}</th><th scope="col" class="number">Requests</th>
				<th scope="col" class="number">Tokens in</th><th scope="col" class="number">out</th>
				<th scope="col" class="number">Cache rate</th><th scope="col" class="number">Credits</th>
			</tr></thead>
			<tbody>${data.map(
				(group) => html`<tr>
					<th scope="row"><span>${group.key || "none"}</span>${bar(group, most)}</th>
					<td class="number">${count(group.requests)}</td>
					<td class="number" title=${count(group.input_tokens)}>${short(group.input_tokens)}</td>
					<td class="number" title=${count(group.output_tokens)}>${short(group.output_tokens)}</td>
					<td class="number">${rate(group)}</td>
					<td class="number" title=${aboutCredits(group)}>${amount(group.credits)}</td>
				</tr>`,
			)}</tbody>
		</table></div>`
		}
		${
			cache.breaks.length === 0
				? nothing
				: html`<h2>Broken prefixes <span class="hint">what made the provider read input again</span></h2>
			<div class="scroll" tabindex="0" role="region" aria-label="Broken prefixes"><table>
			<thead><tr><th scope="col">Change</th><th scope="col" class="number">Requests</th>
				<th scope="col" class="number">Tokens lost</th></tr></thead>
			<tbody>${cache.breaks.map(
				({ prefix_break: change, requests, lost_tokens: lost }) => html`<tr>
					<th scope="row">${change}</th><td class="number">${count(requests)}</td>
					<td class="number">${count(lost)}</td>
				</tr>`,
			)}</tbody>
		</table></div>`
		}`;
}

/** Cached, other input and output tokens of a group, as a bar. */
function bar(
	{ input_tokens: into, cached_tokens: cached, output_tokens: out }: UsageReport["totals"],
	most: number,
): TemplateResult {
	const part = (kind: string, from: number, tokens: number) =>
		svg`<rect class=${kind} x=${(1000 * from) / most} y="0" width=${(1000 * tokens) / most} height="6"></rect>`;
	return html`<svg class="tokens" viewBox="0 0 1000 6" preserveAspectRatio="none" aria-hidden="true">
		${part("cached", 0, cached)}${part("in", cached, Math.max(0, into - cached))}${part("out", into, out)}
	</svg>`;
}

function rate({ input_tokens: into, cached_tokens: cached }: UsageReport["totals"]): string {
	return into === 0 ? "" : `${Math.round((100 * cached) / into)} %`;
}

function amount(credits: number): string {
	return credits.toLocaleString("en-US", { maximumFractionDigits: credits >= 1 ? 2 : 4 });
}

function aboutCredits({
	estimated_credits: estimated,
	unknown_requests: unknown,
}: UsageReport["totals"]): string {
	const unclear = unknown > 0 ? `; the cost of ${count(unknown)} requests is unknown` : "";
	return `${amount(estimated)} of them estimated${unclear}`;
}
