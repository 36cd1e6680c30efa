// The settings, editable on the page. package.json defines their types.

import type { SettingView } from "../src/panel-messages";
import { announce, byId, drawer, make, prose } from "./dom";
import { send } from "./page";

interface AutoTools {
	allow?: string[];
	deny?: string[];
}

/** The redraw function of each setting, by name. */
const rows = new Map<string, (setting: SettingView) => void>();

export function wireSettings(): void {
	byId("settings-open").onclick = () => send({ type: "run", command: "openSettings" });
}

/** Draws each setting separately, so that a change of one doesn't reset another one that is being edited. */
export function settingsOf(settings: readonly SettingView[], models: readonly string[]): void {
	for (const setting of settings) {
		let redraw = rows.get(setting.name);
		if (!redraw) {
			const place = byId("settings-list").appendChild(make("div", { className: "setting" }));
			redraw = drawer((it: SettingView) => place.replaceChildren(...row(it)));
			rows.set(setting.name, redraw);
		}
		redraw(setting);
	}
	suggestions(models);
}

const suggestions = drawer((models: readonly string[]) => {
	byId("model-ids").replaceChildren(...models.map((value) => make("option", { value })));
});

function row(setting: SettingView): Node[] {
	const { name, description, isDefault } = setting;
	const title = make("label", { htmlFor: `setting-${name}`, textContent: titleOf(name) });
	const text = make("p", { className: "hint", id: `about-${name}` }, ...prose(description));
	const dot = isDefault ? [] : [make("span", { className: "modified", title: "Changed from its default" })];
	return [
		make("div", { className: "about" }, title, ...dot, text),
		make("div", { className: "control" }, ...control(setting)),
	];
}

function control(setting: SettingView): Node[] {
	const { name, kind, value } = setting;
	const set = (to: unknown) => {
		send({ type: "set", name, value: to });
		announce(`${titleOf(name)} saved`);
	};
	switch (kind) {
		case "switch":
			return [switchFor(setting, set)];
		case "number":
			return [numberFor(setting, set)];
		case "text":
			return [textFor(setting, set)];
		case "lines":
			return [linesFor(name, value as string[], set)];
		case "patterns": {
			const { allow = ["*"], deny = [] } = value as AutoTools;
			return [
				make("span", { className: "hint", textContent: "Allow" }),
				linesFor(name, allow, (to) => set({ allow: to, deny })),
				make("span", { className: "hint", textContent: "Deny" }),
				linesFor(`${name}-deny`, deny, (to) => set({ allow, deny: to }), name),
			];
		}
	}
}

function switchFor({ name, value }: SettingView, set: (to: boolean) => void): HTMLElement {
	const input = make("input", { type: "checkbox", id: `setting-${name}`, checked: value === true });
	input.onchange = () => set(input.checked);
	return described(input, name);
}

function numberFor({ name, value, minimum, maximum }: SettingView, set: (to: number) => void): HTMLElement {
	const input = make("input", {
		type: "number",
		id: `setting-${name}`,
		value: String(value),
		step: "1",
		required: true,
		...(minimum === undefined ? {} : { min: String(minimum) }),
		...(maximum === undefined ? {} : { max: String(maximum) }),
	});
	input.onchange = () => input.reportValidity() && set(input.valueAsNumber);
	return described(input, name);
}

function textFor({ name, value, isSecret }: SettingView, set: (to: string) => void): HTMLElement {
	const input = make("input", {
		type: isSecret ? "password" : "text",
		id: `setting-${name}`,
		value: String(value),
		autocomplete: "off",
		spellcheck: false,
	});
	if (name === "defaultModel") {
		input.setAttribute("list", "model-ids");
		input.placeholder = "Copilot's first model";
	}
	input.onchange = () => set(input.value.trim());
	return described(input, name);
}

/** A text area with one value per line. */
function linesFor(name: string, value: string[], set: (to: string[]) => void, about = name): HTMLElement {
	const area = make("textarea", {
		id: `setting-${name}`,
		value: value.join("\n"),
		rows: Math.max(1, Math.min(6, value.length)),
		placeholder: "One per line",
		spellcheck: false,
	});
	area.onchange = () =>
		set(
			area.value
				.split("\n")
				.map((line) => line.trim())
				.filter(Boolean),
		);
	return described(area, about);
}

function described<Type extends HTMLElement>(element: Type, name: string): Type {
	element.setAttribute("aria-describedby", `about-${name}`);
	return element;
}

/** Formats `logRequestsToUI` as `Log Requests To UI`, as VS Code does. */
function titleOf(name: string): string {
	const spaced = name.replaceAll(/([a-z])([A-Z])/g, "$1 $2");
	return spaced.charAt(0).toUpperCase() + spaced.slice(1);
}
