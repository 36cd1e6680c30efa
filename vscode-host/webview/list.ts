// The list of requests: running ones first, a row each. One row is a tab stop; arrow keys select the next one.

import { guard } from "lit/directives/guard.js";
import { repeat } from "lit/directives/repeat.js";
import { html, nothing, type TemplateResult } from "lit/html.js";
import type { RequestRecord } from "../src/protocol";
import { clock, costSource, count, credits, duration, outcomeOf, short } from "./format";
import * as l10n from "./l10n";
import { outcome } from "./parts";
import { cancel, select, state } from "./state";

const COLUMNS: [className: string, title: string, about?: string][] = [
	["c-outcome", l10n.t("Outcome")],
	["c-time", l10n.t("Time")],
	["c-client", l10n.t("Client")],
	["c-dialect", l10n.t("API")],
	["c-model", l10n.t("Model")],
	["c-in number", l10n.t("In"), l10n.t("Input tokens")],
	["c-out number", l10n.t("Out"), l10n.t("Output tokens")],
	["c-first number", l10n.t("First"), l10n.t("Time to the first part")],
	["c-total number", l10n.t("Total"), l10n.t("Time to the end")],
	["c-credits number", l10n.t("Credits"), l10n.t("Cost in Copilot's credits; ~ marks an estimate")],
];

export function list(requests: readonly RequestRecord[], chosen: RequestRecord | undefined): TemplateResult {
	const isListed = requests.some(({ number }) => number === chosen?.number);
	const tabStop = isListed ? chosen?.number : requests[0]?.number;
	return html`<div class="list" role="grid" aria-label=${l10n.t("Requests")} aria-rowcount=${requests.length + 1}
			@keydown=${(event: KeyboardEvent) => keys(event, requests)}>
		<div class="row titles" role="row">
			${COLUMNS.map(
				([name, title, about]) =>
					html`<span class=${name} role="columnheader" title=${about ?? nothing}>${title}</span>`,
			)}
			<span class="c-cancel" role="columnheader"><span class="screen-reader-only">${l10n.t("Actions")}</span></span>
		</div>
		${repeat(
			requests,
			({ number }) => number,
			(request) => row(request, request.number === chosen?.number, request.number === tabStop),
		)}
	</div>`;
}

function row(request: RequestRecord, isSelected: boolean, isTabStop: boolean): unknown {
	const running = request.outcome.state === "running";
	const elapsed = request.duration_ms ?? Math.max(0, Date.now() - request.time);
	const tick = running ? Math.round(elapsed / 500) : 0;
	return guard([request, isSelected, isTabStop, tick], () => {
		const { label, tone } = outcomeOf(request);
		const { number, time, client, dialect, path, model, requested_model, routed_model, tokens } = request;
		const named = model ?? requested_model ?? "";
		const modelText = routed_model === undefined ? named : `${named} → ${routed_model}`;
		const cached =
			tokens && tokens.cached > 0
				? l10n.t(", {tokens} of them cached", { tokens: count(tokens.cached) })
				: "";
		return html`<div class="row request" role="row" tabindex=${isTabStop ? 0 : -1} aria-selected=${isSelected}
				data-number=${number} @click=${() => select(request)}>
			<span class="c-outcome" role="gridcell" title=${label}>${outcome(label, tone)}</span>
			<span class="c-time" role="gridcell">${clock(time)}</span>
			<span class="c-client" role="gridcell" title=${client}>${client || l10n.t("unknown")}</span>
			<span class="c-dialect" role="gridcell">${dialect || path}</span>
			<span class="c-model" role="gridcell" title=${modelText}>${modelText}</span>
			<span class="c-in number" role="gridcell"
				title=${tokens ? l10n.t("{tokens} tokens", { tokens: count(tokens.input) }) + cached : ""}>${tokens ? short(tokens.input) : ""}</span>
			<span class="c-out number" role="gridcell">${tokens ? short(tokens.output) : soFar(request)}</span>
			<span class="c-first number" role="gridcell">${
				request.first_ms === undefined ? "" : duration(request.first_ms)
			}</span>
			<span class="c-total number" role="gridcell">${duration(elapsed)}</span>
			<span class="c-credits number" role="gridcell"
				title=${request.credits ? costSource(request.credits) : ""}>${
					request.credits ? credits(request.credits) : ""
				}</span>
			<span class="c-cancel" role="gridcell">${running ? cancelButton(request) : nothing}</span>
		</div>`;
	});
}

function cancelButton(request: RequestRecord): TemplateResult {
	const click = (event: Event) => {
		event.stopPropagation();
		cancel(request);
	};
	return html`<button type="button" class="quiet" tabindex="-1" aria-label=${l10n.t("Cancel request {number}", { number: request.number })}
		@click=${click}>${l10n.t("Cancel")}</button>`;
}

/** Estimated tokens of a running response; a token has about four characters. */
function soFar({ characters, outcome: { state: now } }: RequestRecord): string {
	return now === "running" && characters > 0 ? `~${short(Math.ceil(characters / 4))}` : "";
}

/** Rows that PageUp and PageDown skip. */
const PAGE = 10;

function keys(event: KeyboardEvent, requests: readonly RequestRecord[]): void {
	const target = event.target as HTMLElement;
	const at = requests.findIndex(({ number }) => String(number) === rowOf(target)?.dataset.number);
	const steps: Record<string, number> = {
		ArrowDown: at + 1,
		ArrowUp: at - 1,
		PageDown: at + PAGE,
		PageUp: at - PAGE,
		Home: 0,
		End: requests.length - 1,
	};
	const to = steps[event.key];
	if (to !== undefined) {
		event.preventDefault();
		const next = requests[Math.max(0, Math.min(requests.length - 1, to))];
		if (next) {
			select(next);
			state.memory.selected = next.id;
			focusRow(next);
		}
	} else if (event.key === "ArrowRight") {
		rowOf(target)?.querySelector("button")?.focus();
	} else if (event.key === "ArrowLeft") {
		rowOf(target)?.focus();
	} else if (event.key === "Enter" && target.role === "row") {
		const request = requests[at];
		select(request);
		requestAnimationFrame(() =>
			document.querySelector<HTMLElement>(".detail [role=tab][tabindex='0']")?.focus(),
		);
	}
}

function rowOf(element: HTMLElement): HTMLElement | null {
	return element.closest<HTMLElement>(".request");
}

/** Moves the focus to the row of a request and scrolls to it. */
export function focusRow({ number }: RequestRecord): void {
	const found = document.querySelector<HTMLElement>(`.request[data-number="${number}"]`);
	found?.focus({ preventScroll: true });
	found?.scrollIntoView({ block: "nearest" });
}
