// A conversation as people read it: the messages before the last ones are folded, tool calls stand with their results.

import { guard } from "lit/directives/guard.js";
import { html, nothing, type TemplateResult } from "lit/html.js";
import type { Exchange, RequestRecord } from "../src/protocol";
import type { Block, Turn } from "./conversation/blocks";
import { type ReadConversation, readConversation } from "./conversation/read";
import { count } from "./format";

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
			: html`<p class="empty">This request can't be shown as a conversation; see Wire.</p>`;
	});
}

function conversation(read: ReadConversation, request: RequestRecord, isCut: boolean): TemplateResult {
	const { system, tools, turns, reply } = read;
	const earlier = turns.slice(0, -OPEN_TURNS);
	const last = turns.slice(-OPEN_TURNS);
	const isRunning = request.outcome.state === "running";
	return html`<div class="conversation">
		${system.length > 0 ? folded(`System prompt (${size(system)})`, system.map(blockView)) : nothing}
		${tools.length > 0 ? folded(tools.length === 1 ? "1 tool" : `${count(tools.length)} tools`, html`<p>${tools.join(", ")}</p>`) : nothing}
		${
			earlier.length > 0
				? folded(`${count(earlier.length)} earlier messages`, earlier.map(turnView))
				: nothing
		}
		${last.map(turnView)}
		${isCut ? html`<p class="hint">The request is longer than what is kept of it.</p>` : nothing}
		${
			reply.blocks.length > 0 || isRunning
				? html`<section class="turn reply" aria-label="Response">
					<h3>Response${isRunning ? html` <span class="hint">running</span>` : nothing}</h3>
					${reply.blocks.map(blockView)}
				</section>`
				: nothing
		}
		${reply.error === undefined || request.outcome.state === "failed" ? nothing : html`<p class="failure">${reply.error}</p>`}
	</div>`;
}

function turnView({ role, blocks }: Turn): TemplateResult {
	return html`<section class="turn" data-role=${role} aria-label=${role}>
		<h3>${role.charAt(0).toUpperCase() + role.slice(1)}</h3>
		${blocks.map(blockView)}
	</section>`;
}

function blockView(block: Block): TemplateResult {
	switch (block.kind) {
		case "text":
			return longText(block.text);
		case "thinking":
			return html`<details class="thinking" open><summary>Thinking</summary><p class="text">${block.text}</p></details>`;
		case "call":
			return html`<div class="call">
				<p class="call-title"><span class="hint">Tool call</span> <code>${block.name}</code></p>
				${block.input === "" || block.input === "{}" ? nothing : html`<pre tabindex="0" aria-label="Arguments">${block.input}</pre>`}
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
	const title = isError ? "Error of the tool" : "Result";
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
		${folded(`${count(text.length - 600)} more characters`, html`<div class="text">${fenced(text.slice(600))}</div>`)}`;
}

function fenced(text: string): unknown[] {
	return text.split(/^```[^\n]*\n?/m).map((piece, at) => {
		const trimmed = piece.trim();
		return at % 2 === 1
			? html`<pre tabindex="0" aria-label="Code">${piece.trimEnd()}</pre>`
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
	return `${count(characters)} characters`;
}
