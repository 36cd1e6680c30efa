// The phases of a request as a waterfall, with the tools that auto mode ran.

import { html, nothing, svg, type TemplateResult } from "lit/html.js";
import type { RequestRecord } from "../src/protocol";
import { count, duration, tokensPerSecond } from "./format";
import * as l10n from "./l10n";
import { barsOf } from "./timeline";

export function timingView(request: RequestRecord): TemplateResult {
	const bars = barsOf(request, Date.now());
	const whole = Math.max(1, ...bars.map(({ start, length }) => start + length));
	const rate = tokensPerSecond(request);
	const { auto_mode: auto, outcome } = request;
	const tools =
		auto && auto.running_tools.length > 0
			? l10n.t(", running {tools}", { tools: auto.running_tools.join(", ") })
			: "";
	return html`<table class="timing">
			<caption class="screen-reader-only">${l10n.t("Phases of the request")}</caption>
			<thead><tr>
				<th scope="col">${l10n.t("Phase")}</th><th scope="col" class="number">${l10n.t("Start")}</th>
				<th scope="col" class="number">${l10n.t("Duration")}</th><th scope="col"><span class="screen-reader-only">${l10n.t("Chart")}</span></th>
			</tr></thead>
			<tbody>${bars.map(
				({ label, kind, start, length }) => html`<tr>
					<th scope="row">${label}</th>
					<td class="number">${duration(start)}</td>
					<td class="number">${duration(length)}</td>
					<td class="chart"><svg viewBox="0 0 1000 10" preserveAspectRatio="none" aria-hidden="true">
						${svg`<rect class=${kind} x=${(1000 * start) / whole} y="0" height="10"
							width=${Math.max(3, (1000 * length) / whole)}></rect>`}
					</svg></td>
				</tr>`,
			)}</tbody>
		</table>
		${rate === undefined ? nothing : html`<p class="hint">${l10n.t("{rate} tokens per second after the first part.", { rate: count(Math.round(rate)) })}</p>`}
		${auto && outcome.state === "running" ? html`<p>${l10n.t("Auto mode: round {round}", { round: auto.round })}${tools}</p>` : nothing}`;
}
