// The settings, editable on the page. package.json defines their types.

import { live } from "lit/directives/live.js";
import { repeat } from "lit/directives/repeat.js";
import { html, nothing, type TemplateResult } from "lit/html.js";
import type { SettingView } from "../src/panel-messages";
import * as l10n from "./l10n";
import { prose } from "./parts";
import { announce, setSetting, transport } from "./state";

interface AutoTools {
	allow?: string[];
	deny?: string[];
}

export function settingsView(settings: readonly SettingView[], models: readonly string[]): TemplateResult {
	return html`<div class="bar">
			<span class="hint">${l10n.t("Changes take effect at once, in all windows.")}</span>
			<button type="button" @click=${() => transport.send({ type: "run", command: "openSettings" })}>${l10n.t("Open in Settings")}</button>
		</div>
		<div id="settings-list">${repeat(
			settings,
			({ name }) => name,
			(setting) => row(setting, models),
		)}</div>`;
}

function row(setting: SettingView, models: readonly string[]): TemplateResult {
	const { name, description, isDefault } = setting;
	return html`<div class="setting">
		<div class="about">
			<label for="setting-${name}">${titleOf(name)}</label>${
				isDefault ? nothing : html`<span class="modified" title=${l10n.t("Changed from its default")}></span>`
			}
			<p class="hint" id="about-${name}">${prose(description)}</p>
		</div>
		<div class="control">${control(setting, models)}</div>
	</div>`;
}

function control(setting: SettingView, models: readonly string[]): unknown {
	const { name, kind, value, minimum, maximum, isSecret } = setting;
	const set = (to: unknown) => {
		setSetting(name, to);
		announce(l10n.t("{setting} saved", { setting: titleOf(name) }));
	};
	switch (kind) {
		case "switch":
			return html`<input type="checkbox" id="setting-${name}" aria-describedby="about-${name}"
				.checked=${live(value === true)} @change=${(event: Event) => set(inputOf(event).checked)}>`;
		case "number":
			return html`<input type="number" id="setting-${name}" aria-describedby="about-${name}" step="1" required
				min=${minimum ?? nothing} max=${maximum ?? nothing} .value=${String(value)}
				@change=${(event: Event) => inputOf(event).reportValidity() && set(inputOf(event).valueAsNumber)}>`;
		case "choice":
			return choice(name, String(value), setting.options ?? [], set);
		case "text":
			if (name === "defaultModel") {
				const options = models.map((id) => ({ value: id, label: id }));
				const known =
					value === "" || models.includes(String(value))
						? []
						: [{ value: String(value), label: String(value) }];
				return choice(
					name,
					String(value),
					[{ value: "", label: l10n.t("Copilot's first model") }, ...known, ...options],
					set,
				);
			}
			return html`<input type=${isSecret ? "password" : "text"} id="setting-${name}"
				aria-describedby="about-${name}" autocomplete="off" spellcheck="false"
				.value=${String(value)} @change=${(event: Event) => set(inputOf(event).value.trim())}>`;
		case "lines":
			return lines(name, value as string[], set);
		case "patterns": {
			const { allow = ["*"], deny = [] } = value as AutoTools;
			return html`<span class="hint">${l10n.t("Allow")}</span>${lines(name, allow, (to) => set({ allow: to, deny }))}
				<label class="hint" for="setting-${name}-deny">${l10n.t("Deny")}</label>
				${lines(`${name}-deny`, deny, (to) => set({ allow, deny: to }), name)}`;
		}
	}
}

/** A list to choose one value from. */
function choice(
	name: string,
	value: string,
	options: readonly { value: string; label: string; about?: string }[],
	set: (to: string) => void,
): TemplateResult {
	return html`<select id="setting-${name}" aria-describedby="about-${name}"
		@change=${(event: Event) => set((event.target as HTMLSelectElement).value)}>
		${options.map(
			({ value: each, label, about }) =>
				html`<option value=${each} title=${about ?? nothing} ?selected=${each === value} .selected=${live(each === value)}>${label}</option>`,
		)}
	</select>`;
}

/** A text area with one value per line. */
function lines(name: string, value: string[], set: (to: string[]) => void, about = name): TemplateResult {
	const changed = (event: Event) =>
		set(
			(event.target as HTMLTextAreaElement).value
				.split("\n")
				.map((line) => line.trim())
				.filter(Boolean),
		);
	return html`<textarea id="setting-${name}" aria-describedby="about-${about}" placeholder=${l10n.t("One per line")}
		spellcheck="false" rows=${Math.max(1, Math.min(6, value.length))} .value=${value.join("\n")}
		@change=${changed}></textarea>`;
}

function inputOf(event: Event): HTMLInputElement {
	return event.target as HTMLInputElement;
}

/** Formats `logRequestsToUI` as `Log Requests To UI`, as VS Code does. */
function titleOf(name: string): string {
	const spaced = name.replaceAll(/([a-z])([A-Z])/g, "$1 $2");
	return spaced.charAt(0).toUpperCase() + spaced.slice(1);
}
