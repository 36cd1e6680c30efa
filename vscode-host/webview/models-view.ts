// The table of models: names, limits, prices, and a request to try each.

import { html, nothing, type TemplateResult } from "lit/html.js";
import type { ModelInfo } from "../src/protocol";
import { tryModel } from "./draft-view";
import { count } from "./format";
import * as l10n from "./l10n";
import type { Shown } from "./model-catalog";
import { copyButton } from "./parts";

/** Properties of a model that have a column, in credits per million tokens. */
const PRICES = ["inputCost", "cacheCost", "outputCost"] as const;
const NAMED = /Cost$/;

export function modelsView(models: readonly Shown[]): TemplateResult {
	if (models.length === 0) {
		return html`<p class="empty" id="no-models">${l10n.t("No window offers models. Install GitHub Copilot and sign in; the models then appear here.")}</p>`;
	}
	const hasMore = models.some((model) => extraOf(model) !== "");
	return html`<div class="scroll" tabindex="0" role="region" aria-label=${l10n.t("Models")}><table class="models">
		<thead><tr>
			<th scope="col">${l10n.t("Model")}</th><th scope="col">${l10n.t("Name in requests")}</th>
			<th scope="col" class="number">${l10n.t("Input tokens")}</th><th scope="col">${l10n.t("Capabilities")}</th>
			<th scope="col" class="number" title=${l10n.t("Credits per million input tokens")}>${l10n.t("Input")}</th>
			<th scope="col" class="number" title=${l10n.t("Credits per million input tokens from the cache")}>${l10n.t("Cached")}</th>
			<th scope="col" class="number" title=${l10n.t("Credits per million output tokens")}>${l10n.t("Output")}</th>
			${hasMore ? html`<th scope="col">${l10n.t("More")}</th>` : nothing}
			<th scope="col"><span class="screen-reader-only">${l10n.t("Actions")}</span></th>
		</tr></thead>
		<tbody>${models.map((model) => row(model, hasMore))}</tbody>
	</table></div>`;
}

function row(model: Shown, hasMore: boolean): TemplateResult {
	const {
		request_name: requested,
		name,
		vendor,
		max_input_tokens: limit,
		tools,
		images,
		reports_usage: counts,
	} = model;
	const can = [
		tools && l10n.t("tools"),
		images && l10n.t("images"),
		counts && l10n.t("counts tokens"),
	].filter(Boolean);
	return html`<tr>
		<th scope="row"><span class="model">${name}</span> <span class="hint">${vendor}</span>${
			model.isInOtherWindow
				? html` <span class="tag" title=${l10n.t("Available in another window only")}>${l10n.t("other window")}</span>`
				: nothing
		}</th>
		<td class="name"><code>${requested}</code>${copyButton(l10n.t("Copy"), requested, () => requested)}</td>
		<td class="number">${count(limit)}</td>
		<td>${can.map((tag) => html`<span class="tag">${tag}</span>`)}</td>
		${PRICES.map((price) => html`<td class="number">${priceOf(model, price)}</td>`)}
		${hasMore ? html`<td class="hint">${extraOf(model)}</td>` : nothing}
		<td><button type="button" aria-label=${l10n.t("Try {model}", { model: requested })} @click=${() => tryModel(requested)}>${l10n.t("Try")}</button></td>
	</tr>`;
}

function priceOf({ extra }: ModelInfo, name: string): string {
	const price = extra[name];
	return typeof price === "number" ? count(price) : "";
}

/** Other properties with short values, such as a category. */
function extraOf({ extra }: ModelInfo): string {
	return Object.entries(extra)
		.filter(
			([name, value]) => !NAMED.test(name) && (["string", "number"].includes(typeof value) || value === true),
		)
		.map(([name, value]) => (value === true ? spaced(name) : `${spaced(name)} ${value}`))
		.join(", ");
}

function spaced(name: string): string {
	return name.replaceAll(/([a-z])([A-Z])/g, "$1 $2").toLowerCase();
}
