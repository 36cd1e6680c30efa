// Messages from the page to the extension, and the state that survives while VS Code has discarded the page.

import type { FromPanel } from "../src/panel-messages";
import { announce } from "./dom";

interface Host {
	postMessage(message: FromPanel): void;
	getState(): Partial<Memory> | undefined;
	setState(memory: Memory): void;
}

declare function acquireVsCodeApi(): Host;

export interface Memory {
	tab: string;
	/** Ids of the expanded requests. */
	open: string[];
}

const host = acquireVsCodeApi();

let memory: Memory = { tab: "activity", open: [], ...host.getState() };

export function send(message: FromPanel): void {
	host.postMessage(message);
}

export function remembered(): Memory {
	return memory;
}

export function remember(more: Partial<Memory>): void {
	memory = { ...memory, ...more };
	host.setState(memory);
}

/** Copies a text and confirms it on the button and to screen readers. */
export function copy(text: string, what: string, button: HTMLButtonElement): void {
	send({ type: "copy", text });
	announce(`Copied ${what}`);
	const label = button.dataset.label ?? button.textContent ?? "";
	button.dataset.label = label;
	button.textContent = "Copied";
	setTimeout(() => {
		button.textContent = label;
	}, 1500);
}
