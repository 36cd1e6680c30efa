// The upper part of the page: the server's state, its actions, and the base URLs for programs.

import type { Command, PanelView } from "../src/panel-messages";
import { tryOut } from "./curl";
import { byId, drawer, make } from "./dom";
import { copy, send } from "./page";

const TITLES: Record<Command, string> = {
	start: "Start",
	stop: "Stop",
	restart: "Restart",
	allow: "Allow Models...",
	setUp: "Set up a Client...",
	diagnose: "Diagnose",
	showLogs: "Show Logs",
	openSettings: "Open in Settings",
};

/** The most likely actions, drawn as primary buttons. */
const INVITING: ReadonlySet<Command> = new Set(["start", "allow"]);

/** Draws the upper part; `model` is used in the sample commands. */
export function headOf(view: PanelView, model: string): void {
	const { title, detail, tone, actions, endpoint, needsKey } = view;
	state({ title, detail, tone });
	buttons(actions);
	endpoints({ endpoint, needsKey, model });
}

const state = drawer(({ title, detail, tone }: Pick<PanelView, "title" | "detail" | "tone">) => {
	document.body.dataset.tone = tone;
	byId("title").textContent = title;
	byId("detail").textContent = detail;
});

const buttons = drawer((actions: Command[]) => {
	const had = document.activeElement?.closest("#actions") !== null;
	const made = actions.map((command) =>
		make("button", {
			textContent: TITLES[command],
			className: INVITING.has(command) ? "primary" : "",
			onclick: () => send({ type: "run", command }),
		}),
	);
	byId("actions").replaceChildren(...made);
	if (had) {
		made[0]?.focus(); // keeps the keyboard focus, for example on Start after Stop
	}
});

const endpoints = drawer(
	({ endpoint, needsKey, model }: { endpoint: string | undefined; needsKey: boolean; model: string }) => {
		byId("connect").hidden = endpoint === undefined;
		if (endpoint === undefined) {
			return;
		}
		byId("endpoints").replaceChildren(
			row("OpenAI", `${endpoint}/v1`, tryOut(endpoint, "openai", model, needsKey)),
			row("Anthropic", endpoint, tryOut(endpoint, "anthropic", model, needsKey)),
			row("Ollama", endpoint, tryOut(endpoint, "ollama", model, needsKey)),
		);
		byId("key-hint").textContent = needsKey
			? "Programs must send the key that you have set."
			: "Base URLs for programs on this machine. Any API key will do.";
	},
);

function row(name: string, url: string, command: string): HTMLElement {
	const button = (title: string, text: string, what: string) => {
		const made = make("button", { textContent: title, ariaLabel: `Copy ${what}` });
		made.onclick = () => copy(text, what, made);
		return made;
	};
	return make(
		"li",
		{},
		make("span", { className: "name", textContent: name }),
		make("code", { textContent: url }),
		button("Copy", url, `${name} base URL`),
		button("Copy as curl", command, `a curl command for ${name}`),
	);
}
