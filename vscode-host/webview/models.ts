// The table of models: names, limits and capabilities.

import type { ModelInfo } from "../src/protocol";
import { byId, drawer, make } from "./dom";
import { count } from "./format";
import type { Shown } from "./model-catalog";
import { copy } from "./page";

export const modelsOf = drawer((models: readonly Shown[]) => {
	byId("models-count").textContent = String(models.length);
	byId("no-models").hidden = models.length > 0;
	byId("models-table").hidden = models.length === 0;
	byId("models-more").textContent = models.some(extraOf) ? "More" : "";
	byId("models-table")
		.querySelector("tbody")
		?.replaceChildren(...models.map(row));
});

function row(model: Shown): HTMLElement {
	const { request_name, name, vendor, max_input_tokens: limit, tools, images, reports_usage: counts } = model;
	const can = [tools ? ["tools"] : [], images ? ["images"] : [], counts ? ["counts tokens"] : []].flat();
	const button = make("button", {
		textContent: "Copy",
		className: "quiet",
		ariaLabel: `Copy ${request_name}`,
	});
	button.onclick = () => copy(request_name, request_name, button);
	const where = model.isInOtherWindow
		? [
				make("span", {
					className: "tag",
					textContent: "other window",
					title: "Available in another window only",
				}),
			]
		: [];
	return make(
		"tr",
		{},
		make("th", { scope: "row" }, make("span", { className: "model", textContent: name }), ...where),
		make("td", { className: "name" }, make("code", { textContent: request_name }), button),
		make("td", { textContent: vendor }),
		make("td", { className: "number", textContent: count(limit) }),
		make("td", {}, ...can.map((tag) => make("span", { className: "tag", textContent: tag }))),
		make("td", { className: "soft", textContent: extraOf(model) }),
	);
}

/** Other properties with short values, such as prices and categories. */
function extraOf({ extra }: ModelInfo): string {
	return Object.entries(extra)
		.filter(([, value]) => ["string", "number"].includes(typeof value) || value === true)
		.map(([name, value]) => (value === true ? spaced(name) : `${spaced(name)} ${value}`))
		.join(", ");
}

function spaced(name: string): string {
	return name.replaceAll(/([a-z])([A-Z])/g, "$1 $2").toLowerCase();
}
