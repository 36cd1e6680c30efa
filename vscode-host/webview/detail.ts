// The details of the selected request: its failure and figures, then Conversation, Timing and Wire.

import { html, nothing, type TemplateResult } from "lit/html.js";
import type { Exchange, RequestRecord } from "../src/protocol";
import { conversationView } from "./conversation-view";
import { curl, powershell } from "./curl";
import { editRequest } from "./draft-view";
import { clock, costSource, count, credits, duration, outcomeOf } from "./format";
import * as l10n from "./l10n";
import { copyButton, outcome, prose, tabButton, tabKeys } from "./parts";
import { cancel, DETAIL_TABS, type DetailTab, remember, select, setSetting, settings, state } from "./state";
import { timingView } from "./timing-view";
import { wireView } from "./wire-view";

const TITLES: Record<DetailTab, string> = {
	conversation: l10n.t("Conversation"),
	timing: l10n.t("Timing"),
	wire: l10n.t("Wire"),
};

export function detail(request: RequestRecord): TemplateResult {
	const exchange = request.has_exchange ? state.exchanges.get(request.id) : undefined;
	const { detailTab } = state.memory;
	const { label, tone } = outcomeOf(request);
	return html`<section class="detail" aria-label=${l10n.t("Request {number}", { number: request.number })}>
		<div class="bar">
			<h2>${outcome(label, tone)}</h2>
			<span class="hint">${clock(request.time)}</span>
			<span class="spacer"></span>
			${
				request.outcome.state === "running"
					? html`<button type="button" @click=${() => cancel(request)}>${l10n.t("Cancel")}</button>`
					: nothing
			}
			<span class="actions">${exchange ? exchangeActions(request, exchange) : nothing}</span>
			<button type="button" class="quiet close" aria-label=${l10n.t("Close details")} title=${l10n.t("Close (Escape)")}
				@click=${() => select(undefined)}>✕</button>
		</div>
		${failure(request)} ${facts(request)} ${prefix(request)}
		<div role="tablist" aria-label=${l10n.t("Details")} class="small" @keydown=${tabKeys}>
			${DETAIL_TABS.map((tab) =>
				tabButton(tab, TITLES[tab], tab === detailTab, () => remember({ detailTab: tab })),
			)}
		</div>
		<div role="tabpanel" id=${detailTab} aria-labelledby="${detailTab}-tab" tabindex="0">
			${detailTab === "timing" ? timingView(request) : bodies(request, exchange, detailTab)}
		</div>
	</section>`;
}

function bodies(request: RequestRecord, exchange: Exchange | undefined, tab: DetailTab): unknown {
	if (tab === "wire") {
		return html`${wireView(request, exchange)} ${request.has_exchange ? nothing : notCaptured(request)}`;
	}
	if (!request.has_exchange) {
		return notCaptured(request);
	}
	return exchange ? conversationView(request, exchange) : nothing;
}

function notCaptured({ rejected }: RequestRecord): TemplateResult {
	const isOn = settings().find(({ name }) => name === "logRequestsToUI")?.value === true;
	if (rejected) {
		return html`<p class="empty">${l10n.t("The request was refused before its body was read.")}</p>`;
	}
	if (isOn) {
		return html`<p class="empty">${l10n.t("The bodies of this request were not recorded, or are no longer kept. Those of new requests are.")}</p>`;
	}
	return html`<div class="empty">
		<p>${l10n.t("Requests and responses are not recorded. They stay in memory when they are.")}</p>
		<button type="button" class="primary"
			@click=${() => setSetting("logRequestsToUI", true)}>${l10n.t("Record Requests and Responses")}</button>
	</div>`;
}

function exchangeActions(request: RequestRecord, { request: body, headers }: Exchange): unknown {
	if (!body || body.text === "") {
		return nothing;
	}
	if (body.truncated) {
		return html`<span class="hint">${l10n.t("Too long to send again")}</span>`;
	}
	const { endpoint, needsKey = false } = state.view ?? {};
	if (endpoint === undefined) {
		return html`<span class="hint">${l10n.t("The port is closed: nothing can be sent")}</span>`;
	}
	const url = endpoint + request.path;
	return html`
		${copyButton(l10n.t("Copy as curl"), l10n.t("the request for POSIX shells"), () => curl(url, body.text, needsKey, headers), false)}
		${copyButton("PowerShell", l10n.t("as a curl command for the request"), () => powershell(url, body.text, needsKey, headers), false)}
		<button type="button" @click=${() => editRequest(request, body.text, headers)}>${l10n.t("Edit and Resend")}</button>`;
}

function failure({ outcome: { state: kind, ...rest } }: RequestRecord): unknown {
	if (kind !== "failed" || !("message" in rest)) {
		return nothing;
	}
	return html`<div class="failure">
		<p>${rest.message}</p>
		${rest.hint ? html`<p class="advice">${prose(rest.hint)}</p>` : nothing}
	</div>`;
}

function facts(request: RequestRecord): TemplateResult {
	const {
		client,
		key,
		session,
		origin,
		model,
		routed_model: routed,
		requested_model: requested,
		tokens,
	} = request;
	const failed = request.failed_models?.map(({ model: name, reason }) => `${name} (${reason})`).join(", ");
	const cached =
		tokens && tokens.cached > 0 ? l10n.t(" ({tokens} cached)", { tokens: count(tokens.cached) }) : "";
	const known: [name: string, value: string | undefined][] = [
		[l10n.t("Client"), client || l10n.t("unknown")],
		[l10n.t("Model"), model && (routed ? `${model} → ${routed}` : model)],
		[l10n.t("Requested"), requested === model ? undefined : requested],
		[l10n.t("Failed before"), failed || undefined],
		[l10n.t("Session"), session],
		[l10n.t("Web page"), origin],
		[l10n.t("Key"), key],
		[
			l10n.t("Tokens"),
			tokens &&
				l10n.t("{input}{cached} in, {output} out", {
					input: count(tokens.input),
					cached,
					output: count(tokens.output),
				}),
		],
		[l10n.t("Counted by"), tokens && (tokens.reported ? l10n.t("the provider") : "Copilot Proxy")],
		[l10n.t("Credits"), request.credits && `${credits(request.credits)}, ${costSource(request.credits)}`],
		[l10n.t("Premium requests"), request.premium_requests && `${request.premium_requests.hundredths / 100}`],
		[l10n.t("First part"), request.first_ms === undefined ? undefined : duration(request.first_ms)],
		[l10n.t("Total"), request.duration_ms === undefined ? undefined : duration(request.duration_ms)],
	];
	return html`<dl class="facts inline">
		${known.map(([name, value]) =>
			value === undefined ? nothing : html`<div><dt>${name}</dt><dd>${value}</dd></div>`,
		)}
	</dl>`;
}

/** Share of the request that continues the one before it, which the provider's cache may have. */
function prefix({ prefix_kept: kept, prefix_break: broken, prefix_loss: loss }: RequestRecord): unknown {
	if (kept === undefined) {
		return nothing;
	}
	const share = `${Math.floor(kept * 100)} %`;
	if (broken === undefined) {
		return html`<p class="prefix hint">${l10n.t("Continues the request before it: all of its prefix was kept.")}</p>`;
	}
	const about = l10n.t("{share} of the prefix was kept; it broke at:", { share });
	const cost = loss
		? l10n.t("This cost about {tokens} tokens of the cache.", { tokens: count(loss.tokens) })
		: nothing;
	return html`<p class="prefix broken">${about} ${prose(broken)}. ${cost}</p>`;
}
