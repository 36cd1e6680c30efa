// A request that is edited before it is sent: the body of a captured one, or a sample for a model.

import { html, nothing, type TemplateResult } from "lit/html.js";
import type { RequestRecord } from "../src/protocol";
import * as l10n from "./l10n";
import { announce, changed, type Draft, remember, state, transport } from "./state";

/** Opens the draft of a captured request. */
export function editRequest({ path }: RequestRecord, body: string, headers: Draft["headers"]): void {
	state.draft = { path, headers, body: indented(body) };
	changed();
}

/** Opens the draft of a sample request to a model. */
export function tryModel(model: string): void {
	const messages = [{ role: "user", content: "Say hello in five languages." }];
	const body = JSON.stringify({ model, stream: true, messages }, null, 2);
	state.draft = { path: "/v1/chat/completions", headers: [], body };
	remember({ tab: "requests", selected: undefined });
}

export function draftView(draft: Draft): TemplateResult {
	const close = () => {
		state.draft = undefined;
		changed();
	};
	return html`<section class="draft" aria-label=${l10n.t("Edit and Resend")}>
		<div class="bar"><h2>${l10n.t("Edit and Resend")}</h2><code>POST ${draft.path}</code></div>
		<textarea aria-label=${l10n.t("Body")} spellcheck="false" .value=${draft.body}
			@input=${(event: Event) => {
				draft.body = (event.target as HTMLTextAreaElement).value;
			}}></textarea>
		${draft.problem ? html`<p class="failure" role="alert">${draft.problem}</p>` : nothing}
		<p class="hint">${l10n.t("The model's answer costs credits like any other. It appears on top of the list.")}</p>
		<div class="bar">
			<button type="button" class="primary" @click=${() => sendDraft(draft)}>${l10n.t("Send")}</button>
			<button type="button" @click=${close}>${l10n.t("Discard")}</button>
		</div>
	</section>`;
}

function sendDraft(draft: Draft): void {
	try {
		JSON.parse(draft.body);
	} catch (error) {
		draft.problem = l10n.t("The body is no JSON: {reason}", {
			reason: error instanceof Error ? error.message : String(error),
		});
		return changed();
	}
	transport.send({ type: "resend", path: draft.path, headers: draft.headers, body: draft.body });
	state.draft = undefined;
	announce(l10n.t("Request sent"));
}

function indented(text: string): string {
	try {
		return JSON.stringify(JSON.parse(text), null, 2);
	} catch {
		return text;
	}
}
