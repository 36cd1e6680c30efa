// Money and cache, from the usage database: today or this month, by model, client, session or day.

import { html, nothing, svg, type TemplateResult } from "lit/html.js";
import type { UsageReport } from "../src/panel-messages";
import { count, short } from "./format";
import { hourChart } from "./hour-chart";
import * as l10n from "./l10n";
import { type Grouping, records, remember, state, transport, type UsagePeriod, usageKey } from "./state";

const GROUPINGS: [Grouping, string][] = [
	["model", l10n.t("Model")],
	["client", l10n.t("Client")],
	["session", l10n.t("Session")],
	["day", l10n.t("Day")],
];
const PERIODS: [UsagePeriod, string][] = [
	["today", l10n.t("Today")],
	["month", l10n.t("This Month")],
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
			<span class="choice" role="group" aria-label=${l10n.t("Period")}>${PERIODS.map(([value, title]) =>
				choice(title, value === period, () => remember({ period: value })),
			)}</span>
			<span class="choice" role="group" aria-label=${l10n.t("Grouping")}>${GROUPINGS.map(([value, title]) =>
				choice(title, value === grouping, () => remember({ grouping: value })),
			)}</span>
		</div>
		${usage?.problem ? html`<p class="failure" role="status">${usage.problem}</p>` : nothing}
		${usage?.report ? report(usage.report, grouping) : nothing}
		<figure>
			<figcaption><h2>${l10n.t("Requests")}</h2><span class="hint">${l10n.t("in the last hour")}</span></figcaption>
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
		[l10n.t("Credits"), amount(totals.credits), aboutCredits(totals)],
		[l10n.t("Requests"), short(totals.requests), count(totals.requests)],
		[l10n.t("Tokens in"), short(totals.input_tokens), count(totals.input_tokens)],
		[l10n.t("Tokens out"), short(totals.output_tokens), count(totals.output_tokens)],
		[
			l10n.t("Cache rate"),
			rate(totals),
			l10n.t("{tokens} input tokens came from the provider's cache", { tokens: count(totals.cached_tokens) }),
		],
	];
	return html`<dl class="figures">
			${figures.map(([title, value, about]) => html`<div title=${about}><dt>${title}</dt><dd>${value}</dd></div>`)}
		</dl>
		${
			data.length === 0
				? html`<p class="empty">${l10n.t("No requests in this time.")}</p>`
				: html`<div class="scroll" tabindex="0" role="region" aria-label=${l10n.t("Usage by {group}", { group: name.toLowerCase() })}><table class="usage">
			<thead><tr>
				<th scope="col">${name}</th><th scope="col" class="number">${l10n.t("Requests")}</th>
				<th scope="col" class="number">${l10n.t("Tokens in")}</th><th scope="col" class="number">${l10n.t("out")}</th>
				<th scope="col" class="number">${l10n.t("Cache rate")}</th><th scope="col" class="number">${l10n.t("Credits")}</th>
			</tr></thead>
			<tbody>${data.map(
				(group) => html`<tr>
					<th scope="row"><span>${group.key || l10n.t("none")}</span>${bar(group, most)}</th>
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
				: html`<h2>${l10n.t("Broken prefixes")} <span class="hint">${l10n.t("what made the provider read input again")}</span></h2>
			<div class="scroll" tabindex="0" role="region" aria-label=${l10n.t("Broken prefixes")}><table>
			<thead><tr><th scope="col">${l10n.t("Change")}</th><th scope="col" class="number">${l10n.t("Requests")}</th>
				<th scope="col" class="number">${l10n.t("Tokens lost")}</th></tr></thead>
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
	const unclear =
		unknown > 0 ? l10n.t("; the cost of {requests} requests is unknown", { requests: count(unknown) }) : "";
	return l10n.t("{credits} of them estimated", { credits: amount(estimated) }) + unclear;
}
