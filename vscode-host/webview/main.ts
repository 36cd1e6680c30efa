// The page of the panel: passes the extension's messages to the parts that show them.

import type { PanelView, ToPanel } from "../src/panel-messages";
import type { CatalogModel } from "../src/protocol";
import { charts } from "./charts";
import { tryOut } from "./curl";
import { place } from "./details";
import { announce, byId } from "./dom";
import { outcomeOf } from "./format";
import { headOf } from "./head";
import { shown } from "./model-catalog";
import { modelsOf } from "./models";
import { copy, send } from "./page";
import { Records } from "./records";
import { Requests } from "./requests";
import { settingsOf, wireSettings } from "./settings";
import { wireTabs } from "./tabs";
import { toolsOf, wireTools } from "./tools";
import { setTotals, showTotals } from "./totals";

/** In milliseconds: updates the duration of running requests. */
const TICK = 500;
/** In milliseconds: updates the server's uptime and the chart of the last hour. */
const SLOW_TICK = 15_000;

const records = new Records();
const requests = new Requests();
let view: PanelView | undefined;
/** Models of all windows, while a server is attached. */
let offered: CatalogModel[] | undefined;

function showView(now: PanelView): void {
	view = now;
	place.endpoint = now.endpoint ?? place.endpoint;
	place.needsKey = now.needsKey;
	setTotals(now.totals);
	if (!now.totals) {
		offered = undefined;
	}
	showModels(now);
}

/** Updates all parts that show models. */
function showModels(now: PanelView): void {
	const models = shown(now.models, offered);
	const first = models[0]?.request_name ?? "gpt-4o";
	headOf(now, first);
	modelsOf(models);
	settingsOf(
		now.settings,
		models.map(({ request_name }) => request_name),
	);
	sample(tryOut(place.endpoint, "openai", first, now.needsKey));
}

function sample(command: string): void {
	const [text, button] = byId("no-requests").querySelectorAll<HTMLElement>("pre, button");
	if (text && button) {
		text.textContent = command;
		button.onclick = () => copy(command, "the command", button as HTMLButtonElement);
	}
}

function showRecords(): void {
	requests.show(records.newestFirst);
	charts(records.minutes, records.models);
}

addEventListener("message", ({ data }: MessageEvent<ToPanel>) => {
	switch (data.type) {
		case "view":
			return showView(data.view);
		case "tools":
			return toolsOf(data.tools);
		case "activity":
			for (const failed of records.take(data.activity)) {
				announce(`Request ${failed.number} failed: ${outcomeOf(failed).label}`);
			}
			return showRecords();
		case "exchange":
			return requests.exchange(data.exchange);
		case "model_catalog":
			offered = data.models;
			return view && showModels(view);
	}
});

wireTabs();
wireTools();
wireSettings();
showRecords();
setInterval(() => requests.tick(), TICK);
setInterval(() => {
	showTotals();
	charts(records.minutes, records.models);
}, SLOW_TICK);
send({ type: "ready" });
