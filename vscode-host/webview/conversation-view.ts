// A conversation as people read it: the messages before the last ones are folded, tool calls stand with their results.

import { guard } from "lit/directives/guard.js";
import { html, nothing, type TemplateResult } from "lit/html.js";
import type { Exchange, RequestRecord } from "../src/protocol";
import type { Block, Turn } from "./conversation/blocks";
import { type ReadConversation, readConversation } from "./conversation/read";
import { count } from "./format";
import * as l10n from "./l10n";

const ROLES: Record<string, string> = {
	user: l10n.t("User"),
	assistant: l10n.t("Assistant"),
	system: l10n.t("System"),
};

/** Messages before the response that are not folded. */
const OPEN_TURNS = 3;
/** Characters of a text or result from which it is folded. */
const LONG = 4000;

export function conversationView(request: RequestRecord, exchange: Exchange): unknown {
	const { request: body, response } = exchange;
	return guard([request.dialect, body?.text, response?.text, request.outcome.state], () => {
		const read = readConversation(request.dialect, body?.text ?? "", response?.text ?? "");
		return read
			? conversation(read, request, Boolean(body?.truncated))
			: html`<p class="empty">${l10n.t("This request can't be shown as a conversation; see Wire.")}</p>`;
	});
}

function conversation(read: ReadConversation, request: RequestRecord, isCut: boolean): TemplateResult {
	const { system, tools, turns, reply } = read;
	const earlier = turns.slice(0, -OPEN_TURNS);
	const last = turns.slice(-OPEN_TURNS);
	const isRunning = request.outcome.state === "running";
	return html`<div class="conversation">
		${system.length > 0 ? folded(l10n.t("System prompt ({characters} characters)", { characters: size(system) }), system.map(blockView)) : nothing}
		${tools.length > 0 ? folded(tools.length === 1 ? l10n.t("1 tool") : l10n.t("{count} tools", { count: count(tools.length) }), html`<p>${tools.join(", ")}</p>`) : nothing}
		${
			earlier.length > 0
				? folded(l10n.t("{count} earlier messages", { count: count(earlier.length) }), earlier.map(turnView))
				: nothing
		}
		${last.map(turnView)}
		${isCut ? html`<p class="hint">${l10n.t("The request is longer than what is kept of it.")}</p>` : nothing}
		${
			reply.blocks.length > 0 || isRunning
				? html`<section class="turn reply" aria-label=${l10n.t("Response")}>
					<h3>${l10n.t("Response")}${isRunning ? html` <span class="hint">${l10n.t("running")}</span>` : nothing}</h3>
					${reply.blocks.map(blockView)}
				</section>`
				: nothing
		}
		${reply.error === undefined || request.outcome.state === "failed" ? nothing : html`<p class="failure">${reply.error}</p>`}
	</div>`;
}

function turnView({ role, blocks }: Turn): TemplateResult {
	return html`<section class="turn" data-role=${role} aria-label=${role}>
		<h3>${ROLES[role] ?? role.charAt(0).toUpperCase() + role.slice(1)}</h3>
		${blocks.map(blockView)}
	</section>`;
}

function blockView(block: Block): TemplateResult {
	switch (block.kind) {
		case "text":
			return longText(block.text);
		case "thinking":
			return html`<details class="thinking" open><summary>${l10n.t("Thinking")}</summary><p class="text">${block.text}</p></details>`;
		case "call":
			return html`<div class="call">
				<p class="call-title"><span class="hint">${l10n.t("Tool call")}</span> <code>${block.name}</code></p>
				${block.input === "" || block.input === "{}" ? nothing : html`<pre tabindex="0" aria-label=${l10n.t("Arguments")}>${block.input}</pre>`}
				${block.result ? resultView(block.result.blocks, block.result.isError) : nothing}
			</div>`;
		case "result":
			return html`<div class="call">${resultView(block.result.blocks, block.result.isError)}</div>`;
		case "image":
			return block.url
				? html`<img src=${block.url} alt=${block.description}>`
				: html`<p class="hint">${block.description}</p>`;
		case "other":
			return folded(block.name, html`<pre tabindex="0" aria-label=${block.name}>${block.json}</pre>`);
	}
}

function resultView(blocks: readonly Block[], isError: boolean): TemplateResult {
	const title = isError ? l10n.t("Error of the tool") : l10n.t("Result");
	return html`<div class="result" data-failed=${isError}>
		<p class="hint">${title}</p>
		${blocks.map((block) =>
			block.kind === "text"
				? html`<pre tabindex="0" aria-label=${title}>${block.text}</pre>`
				: blockView(block),
		)}
	</div>`;
}

/** Text with its fenced code set apart; a long one is folded after its beginning. */
function longText(text: string): TemplateResult {
	if (text.length <= LONG) {
		return html`<div class="text">${fenced(text)}</div>`;
	}
	return html`<div class="text">${fenced(text.slice(0, 600))}</div>
		${folded(l10n.t("{count} more characters", { count: count(text.length - 600) }), html`<div class="text">${fenced(text.slice(600))}</div>`)}`;
}

function fenced(text: string): unknown[] {
	return text.split(/^```[^\n]*\n?/m).map((piece, at) => {
		const trimmed = piece.trim();
		return at % 2 === 1
			? html`<pre tabindex="0" aria-label=${l10n.t("Code")}>${piece.trimEnd()}</pre>`
			: trimmed === ""
				? nothing
				: html`<p>${trimmed}</p>`;
	});
}

function folded(title: string, content: unknown): TemplateResult {
	return html`<details class="folded"><summary>${title}</summary>${content}</details>`;
}

function size(blocks: readonly Block[]): string {
	const characters = blocks.reduce((sum, block) => sum + (block.kind === "text" ? block.text.length : 0), 0);
	return count(characters);
}
