// The head of the page in one line: the server's state, totals and actions. Base URLs fold out below it.

import { html, nothing, type TemplateResult } from "lit/html.js";
import type { Command, PanelView, Totals } from "../src/panel-messages";
import { tryOut } from "./curl";
import { age, count, short } from "./format";
import * as l10n from "./l10n";
import { copyButton } from "./parts";
import { remember, state, transport } from "./state";

const TITLES: Record<Command, string> = {
	start: l10n.t("Start"),
	stop: l10n.t("Stop"),
	restart: l10n.t("Restart"),
	allow: l10n.t("Allow Models..."),
	setUp: l10n.t("Set up a Client..."),
	diagnose: l10n.t("Diagnose"),
	showLogs: l10n.t("Show Logs"),
	openSettings: l10n.t("Open in Settings"),
	getModels: l10n.t("Get Models"),
	useFreePort: l10n.t("Use a Free Port"),
	chooseModel: l10n.t("Choose Default Model..."),
};

/** The most likely actions, drawn as primary buttons. */
const INVITING: ReadonlySet<Command> = new Set(["start", "allow"]);

/** Draws the head; `model` is used in the sample commands. */
export function head(view: PanelView | undefined, model: string): TemplateResult {
	const { title = "Copilot Proxy", detail = "", tone, actions = [], remedy, endpoint, totals } = view ?? {};
	const needsAttention = tone === "warning" || tone === "error" || actions.includes("start");
	const { showsConnect } = state.memory;
	return html`<header>
			<div class="state" role="status" title=${detail}>
				<h1><span id="lamp" aria-hidden="true"></span>${title}</h1>
				${needsAttention ? html`<p id="detail">${detail}</p>` : nothing}
			</div>
			${totals ? totalsLine(totals) : nothing}
			<div id="actions">
				${
					endpoint === undefined
						? nothing
						: html`<button type="button" aria-expanded=${showsConnect} aria-controls="connect"
							@click=${() => remember({ showsConnect: !showsConnect })}>${l10n.t("Connect")}</button>`
				}
				${remedy ? actionButton(remedy.command, remedy.title, true) : nothing}
				${actions.map((command) => actionButton(command, TITLES[command], INVITING.has(command)))}
			</div>
		</header>
		${endpoint !== undefined && showsConnect ? connect(endpoint, view?.needsKey ?? false, model) : nothing}`;
}

function actionButton(command: Command, title: string, isPrimary: boolean): TemplateResult {
	return html`<button type="button" class=${isPrimary ? "primary" : ""}
		@click=${() => transport.send({ type: "run", command })}>${title}</button>`;
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
		[
			l10n.t("requests"),
			short(requests),
			l10n.t("{requests} requests since the start at {time}", { requests: count(requests), time: since }),
		],
		[
			l10n.t("running"),
			count(running),
			l10n.t("{requests} requests are running", { requests: count(running) }),
		],
		[l10n.t("tokens in"), short(tokensIn), l10n.t("{tokens} input tokens", { tokens: count(tokensIn) })],
		[l10n.t("out"), short(tokensOut), l10n.t("{tokens} output tokens", { tokens: count(tokensOut) })],
		[
			l10n.t("up"),
			age(Date.now() - startedAt),
			l10n.t("Version {version}, {windows} windows, since {time}", { version, windows, time: since }),
		],
	];
	return html`<ul id="server-totals" aria-label=${l10n.t("Since the server started")}>
		${items.map(([name, value, title]) => html`<li title=${title}><b>${value}</b> ${name}</li>`)}
	</ul>`;
}

function connect(endpoint: string, needsKey: boolean, model: string): TemplateResult {
	const rows = [
		["OpenAI", `${endpoint}/v1`, "openai"],
		["Anthropic", endpoint, "anthropic"],
		["Ollama", endpoint, "ollama"],
	] as const;
	return html`<section id="connect" aria-label=${l10n.t("Base URLs")}>
		<ul id="endpoints">
			${rows.map(
				([name, url, dialect]) => html`<li>
					<span class="name">${name}</span><code>${url}</code>
					${copyButton(l10n.t("Copy"), l10n.t("{name} base URL", { name }), () => url)}
					${copyButton(l10n.t("Copy as curl"), l10n.t("for {name}", { name }), () => tryOut(endpoint, dialect, model, needsKey))}
				</li>`,
			)}
		</ul>
		<p class="hint">${
			needsKey
				? l10n.t("Programs must send the key that you have set.")
				: l10n.t("Base URLs for programs on this machine. Any API key will do.")
		}</p>
	</section>`;
}
