// A request as it went over the wire: status, captured headers, bodies, and the events of a stream.

import { guard } from "lit/directives/guard.js";
import { html, nothing, type TemplateResult } from "lit/html.js";
import type { CapturedBody, Exchange, RequestRecord } from "../src/protocol";
import { eventsOf } from "./conversation/events";
import { count } from "./format";
import * as l10n from "./l10n";
import { copyButton } from "./parts";

/** Events that are shown one by one; the body has the rest. */
const MAX_EVENTS = 500;

export function wireView(request: RequestRecord, exchange: Exchange | undefined): TemplateResult {
	const { id, method, path, status, stream } = request;
	return html`<dl class="facts">
			<div><dt>${l10n.t("Request")}</dt><dd><code>${method} ${path}</code></dd></div>
			<div><dt>${l10n.t("Status")}</dt><dd>${status ?? l10n.t("none yet")}${stream ? l10n.t(", streamed") : ""}</dd></div>
			<div><dt>${l10n.t("Id")}</dt><dd><code>${id}</code></dd></div>
			${request.requested_model ? html`<div><dt>${l10n.t("Requested model")}</dt><dd>${request.requested_model}</dd></div>` : nothing}
			${exchange?.headers.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`) ?? nothing}
		</dl>
		${guard([exchange?.request?.text], () => (exchange?.request ? body(l10n.t("Request"), l10n.t("the request"), exchange.request) : nothing))}
		${guard([exchange?.response?.text], () => (exchange?.response ? response(exchange.response) : nothing))}`;
}

function response(captured: CapturedBody): unknown {
	const events = eventsOf(captured.text);
	if (!events) {
		return body(l10n.t("Response"), l10n.t("the response"), captured);
	}
	return html`<details open class="folded events"><summary>${l10n.t("{count} events", { count: count(events.length) })}</summary>
			<ol>${events
				.slice(0, MAX_EVENTS)
				.map(
					({ name, data }) => html`<li>${name ? html`<b>${name}</b> ` : nothing}<code>${data}</code></li>`,
				)}</ol>
		</details>
		${body(l10n.t("Response"), l10n.t("the response"), captured)}`;
}

function body(title: string, what: string, { text, bytes, truncated }: CapturedBody): TemplateResult {
	const size = truncated
		? l10n.t("the first {characters} characters of {bytes} bytes", {
				characters: count(text.length),
				bytes: count(bytes),
			})
		: l10n.t("{bytes} bytes", { bytes: count(bytes) });
	return html`<section>
		<div class="bar"><h3>${title}</h3><span class="hint">${size}</span>
			${copyButton(l10n.t("Copy"), what, () => text)}</div>
		<pre tabindex="0" aria-label=${title}>${indented(text)}</pre>
	</section>`;
}

/** Indents JSON; any other text stays unchanged. */
function indented(text: string): string {
	try {
		return JSON.stringify(JSON.parse(text), null, 2);
	} catch {
		return text;
	}
}
