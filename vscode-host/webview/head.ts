// The head of the page in one line: the server's state, totals and actions. Base URLs fold out below it.

import { html, nothing, type TemplateResult } from "lit/html.js";
import type { Command, PanelView, Totals } from "../src/panel-messages";
import { tryOut } from "./curl";
import { age, count, short } from "./format";
import { copyButton } from "./parts";
import { remember, state, transport } from "./state";

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

/** Draws the head; `model` is used in the sample commands. */
export function head(view: PanelView | undefined, model: string): TemplateResult {
	const { title = "Copilot Proxy", detail = "", actions = [], endpoint, totals } = view ?? {};
	const { showsConnect } = state.memory;
	return html`<header>
			<div class="state" role="status" title=${detail}>
				<h1><span id="lamp" aria-hidden="true"></span>${title}</h1>
				${actions.includes("start") || actions.includes("allow") ? html`<p id="detail">${detail}</p>` : nothing}
			</div>
			${totals ? totalsLine(totals) : nothing}
			<div id="actions">
				${
					endpoint === undefined
						? nothing
						: html`<button type="button" aria-expanded=${showsConnect} aria-controls="connect"
							@click=${() => remember({ showsConnect: !showsConnect })}>Connect</button>`
				}
				${actions.map((command) => actionButton(command))}
			</div>
		</header>
		${endpoint !== undefined && showsConnect ? connect(endpoint, view?.needsKey ?? false, model) : nothing}`;
}

function actionButton(command: Command): TemplateResult {
	return html`<button type="button" class=${INVITING.has(command) ? "primary" : ""}
		@click=${() => transport.send({ type: "run", command })}>${TITLES[command]}</button>`;
}

function totalsLine({
	requests,
	running,
	tokensIn,
	tokensOut,
	windows,
	startedAt,
	version,
}: Totals): TemplateResult {
	const since = new Date(startedAt).toLocaleString();
	const items: [name: string, value: string, title: string][] = [
		["requests", short(requests), `${count(requests)} requests since the start at ${since}`],
		["running", count(running), `${count(running)} requests are running`],
		["tokens in", short(tokensIn), `${count(tokensIn)} input tokens`],
		["out", short(tokensOut), `${count(tokensOut)} output tokens`],
		["up", age(Date.now() - startedAt), `Version ${version}, ${windows} windows, since ${since}`],
	];
	return html`<ul id="server-totals" aria-label="Since the server started">
		${items.map(([name, value, title]) => html`<li title=${title}><b>${value}</b> ${name}</li>`)}
	</ul>`;
}

function connect(endpoint: string, needsKey: boolean, model: string): TemplateResult {
	const rows = [
		["OpenAI", `${endpoint}/v1`, "openai"],
		["Anthropic", endpoint, "anthropic"],
		["Ollama", endpoint, "ollama"],
	] as const;
	return html`<section id="connect" aria-label="Base URLs">
		<ul id="endpoints">
			${rows.map(
				([name, url, dialect]) => html`<li>
					<span class="name">${name}</span><code>${url}</code>
					${copyButton("Copy", `${name} base URL`, () => url)}
					${copyButton("Copy as curl", `for ${name}`, () => tryOut(endpoint, dialect, model, needsKey))}
				</li>`,
			)}
		</ul>
		<p class="hint">${
			needsKey
				? "Programs must send the key that you have set."
				: "Base URLs for programs on this machine. Any API key will do."
		}</p>
	</section>`;
}
