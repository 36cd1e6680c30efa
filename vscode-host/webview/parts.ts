// Small templates that all parts of the page use.

import { html, nothing, type TemplateResult } from "lit/html.js";
import * as l10n from "./l10n";
import { copy, state } from "./state";

/** A button that copies a text and confirms it; screen readers read its label and what it is about. */
export function copyButton(label: string, what: string, text: () => string, quiet = true): TemplateResult {
	const name = `${label} ${what}`;
	const shown = state.copied === name ? l10n.t("Copied") : label;
	return html`<button type="button" class=${quiet ? "quiet" : ""} aria-label="${shown} ${what}"
		@click=${() => copy(text(), name)}>${shown}</button>`;
}

/** Text with `code` between backticks; the stars of *emphasis*, links to commands and marks of settings are removed. */
export function prose(text: string): unknown[] {
	return text
		.replaceAll(/ \[[^\]]+\]\(command:[^)]+\)(?=$)/g, "")
		.replaceAll(/\[([^\]]+)\]\(command:[^)]+\)/g, "$1")
		.replaceAll(/`#([\w.]+)#`/g, "`$1`")
		.split("`")
		.map((piece, at) => (at % 2 === 1 ? html`<code>${piece}</code>` : piece.replaceAll("*", "")));
}

/** A dot and a word for an outcome. */
export function outcome(label: string, tone: string): TemplateResult {
	return html`<span class="outcome" data-tone=${tone}>${label}</span>`;
}

/** Moves between the tabs of a tab list by arrow keys. */
export function tabKeys(event: KeyboardEvent): void {
	const tabs = [...(event.currentTarget as HTMLElement).querySelectorAll<HTMLElement>('[role="tab"]')];
	const at = tabs.indexOf(event.target as HTMLElement);
	const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tabs.length - 1 }[event.key];
	if (at >= 0 && to !== undefined) {
		event.preventDefault();
		const next = tabs[(to + tabs.length) % tabs.length];
		next?.click();
		next?.focus();
	}
}

export function tabButton(
	id: string,
	label: string,
	isSelected: boolean,
	choose: () => void,
	badge?: number,
): TemplateResult {
	return html`<button type="button" role="tab" id="${id}-tab" aria-controls=${id} aria-selected=${isSelected}
		tabindex=${isSelected ? 0 : -1} @click=${choose}>${label}${
			badge === undefined ? nothing : html` <span class="badge">${badge}</span>`
		}</button>`;
}
