// The page of the panel and of `/ui`: draws its state, and applies the messages that it receives.

import { html, nothing, render, type TemplateResult } from "lit/html.js";
import { tryOut } from "./curl";
import { detail } from "./detail";
import { draftView } from "./draft-view";
import { head } from "./head";
import * as l10n from "./l10n";
import { focusRow, list } from "./list";
import { type Shown, shown as shownModels } from "./model-catalog";
import { modelsView } from "./models-view";
import { copyButton, tabButton, tabKeys } from "./parts";
import { settingsView } from "./settings-view";
import {
	changed,
	listed,
	onChange,
	records,
	remember,
	select,
	selected,
	settings,
	shown,
	state,
	TABS,
	type Tab,
	take,
	transport,
} from "./state";
import { toolbar } from "./toolbar";
import { toolsView } from "./tools-view";
import { readUsage, usageView } from "./usage-view";

/** In milliseconds: updates the duration of running requests. */
const TICK = 500;
/** In milliseconds: updates the server's uptime, charts and sums. */
const SLOW_TICK = 5000;

const TITLES: Record<Tab, string> = {
	requests: l10n.t("Requests"),
	usage: l10n.t("Usage"),
	models: l10n.t("Models"),
	tools: l10n.t("Tools"),
	settings: l10n.t("Settings"),
};

function page(): TemplateResult {
	const { view, memory } = state;
	const models = shownModels(view?.models ?? [], state.offered);
	const badges: Partial<Record<Tab, number>> = {
		models: models.length,
		tools: state.tools?.tools.length ?? 0,
	};
	const tabs = TABS.filter((tab) => tab !== "settings" || transport.isInEditor);
	const current = tabs.includes(memory.tab) ? memory.tab : "requests";
	return html`${head(view, models[0]?.request_name ?? "gpt-4o")}
		${state.problem ? html`<p class="failure page-problem" role="alert">${state.problem}</p>` : nothing}
		<main>
			<div role="tablist" aria-label=${l10n.t("Views")} @keydown=${tabKeys}>
				${tabs.map((tab) => tabButton(tab, TITLES[tab], tab === current, () => remember({ tab }), badges[tab]))}
			</div>
			<section role="tabpanel" id=${current} aria-labelledby="${current}-tab" class="view ${current}"
				tabindex=${current === "requests" ? nothing : "0"}>
				${content(current, models)}
			</section>
		</main>
		<p id="announcement" class="screen-reader-only" aria-live="polite">${state.announcement}</p>`;
}

function content(tab: Tab, models: readonly Shown[]): TemplateResult {
	switch (tab) {
		case "requests":
			return requestsView(models);
		case "usage":
			readUsage();
			return usageView();
		case "models":
			return modelsView(models);
		case "tools":
			return toolsView();
		case "settings":
			return settingsView(
				settings(),
				models.map(({ request_name: name }) => name),
			);
	}
}

function requestsView(models: readonly Shown[]): TemplateResult {
	const requests = shown();
	const request = selected();
	const side = state.draft ? draftView(state.draft) : request ? detail(request) : nothing;
	return html`${records.newestFirst.length > 0 ? toolbar() : nothing}
		<div class="split ${side === nothing ? "" : "open"}">
			${
				requests.length > 0
					? html`<div class="scroller">${list(requests, request)}</div>`
					: html`<div class="empty">${listed().length > 0 ? html`<p>${l10n.t("No request matches.")}</p>` : sample(models)}</div>`
			}
			${side}
		</div>`;
}

function sample(models: readonly Shown[]): TemplateResult {
	const { endpoint, needsKey = false } = state.view ?? {};
	if (endpoint === undefined) {
		// The port is closed, or another program's: a request would go astray.
		return html`<p>${l10n.t("No requests yet.")}</p>`;
	}
	const command = tryOut(endpoint, "openai", models[0]?.request_name ?? "gpt-4o", needsKey);
	return html`<p>${l10n.t("No requests yet. Send one from a terminal:")}</p>
		<div class="sample"><pre tabindex="0" aria-label=${l10n.t("Command")}>${command}</pre>${copyButton(l10n.t("Copy"), l10n.t("the command"), () => command, false)}</div>`;
}

function onEscape(event: KeyboardEvent): void {
	const isOpen = state.draft !== undefined || state.memory.selected !== undefined;
	const isEdited = ["TEXTAREA", "INPUT"].includes((event.target as HTMLElement).tagName);
	if (event.key !== "Escape" || state.memory.tab !== "requests" || !isOpen || isEdited) {
		return;
	}
	const request = selected();
	state.draft = undefined;
	select(undefined);
	if (request) {
		requestAnimationFrame(() => requestAnimationFrame(() => focusRow(request)));
	}
}

/** Time of the last draw in milliseconds, for tests. */
declare global {
	interface Window {
		lastDraw?: number;
	}
}

const root = document.getElementById("page") as HTMLElement;

onChange(() => {
	const start = performance.now();
	const focused = (document.activeElement as HTMLElement | null)?.dataset?.number;
	document.body.dataset.tone = state.view?.tone ?? "idle";
	render(page(), root);
	// A row that has moved loses the focus.
	if (focused !== undefined && document.activeElement === document.body) {
		document.querySelector<HTMLElement>(`.request[data-number="${focused}"]`)?.focus();
	}
	window.lastDraw = performance.now() - start;
});

transport.receive(take);
addEventListener("keydown", onEscape);
setInterval(() => {
	if (state.memory.tab === "requests" && records.newestFirst[0]?.outcome.state === "running") {
		changed();
	}
}, TICK);
setInterval(changed, SLOW_TICK);
changed();
transport.send({ type: "ready" });
