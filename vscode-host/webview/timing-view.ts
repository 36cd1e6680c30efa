// The phases of a request as a waterfall, with the tools that auto mode ran.

import { html, nothing, svg, type TemplateResult } from "lit/html.js";
import type { RequestRecord } from "../src/protocol";
import { count, duration, tokensPerSecond } from "./format";
import { barsOf } from "./timeline";

export function timingView(request: RequestRecord): TemplateResult {
	const bars = barsOf(request, Date.now());
	const whole = Math.max(1, ...bars.map(({ start, length }) => start + length));
	const rate = tokensPerSecond(request);
	const { auto_mode: auto, outcome } = request;
	const tools = auto && auto.running_tools.length > 0 ? `, running ${auto.running_tools.join(", ")}` : "";
	return html`<table class="timing">
			<caption class="screen-reader-only">Phases of the request</caption>
			<thead><tr>
				<th scope="col">Phase</th><th scope="col" class="number">Start</th>
				<th scope="col" class="number">Duration</th><th scope="col"><span class="screen-reader-only">Chart</span></th>
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
		${rate === undefined ? nothing : html`<p class="hint">${count(Math.round(rate))} tokens per second after the first part.</p>`}
		${auto && outcome.state === "running" ? html`<p>Auto mode: round ${auto.round}${tools}</p>` : nothing}`;
}
