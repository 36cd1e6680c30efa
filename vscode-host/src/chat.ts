// Runs one chat request: sends it to the model and streams the parts of its response to the server. Counting, filtering
// and formatting are up to the server.

import * as vscode from "vscode";
import { messagesFor, toolFor } from "./chat-messages";
import { codeOf } from "./failure";
import { isHighSurrogate } from "./frames";
import { Kind } from "./generated";
import type { HistoryItems } from "./history";
import { type Consent, justification } from "./model-consent";
import type { Models } from "./models";
import { base64, recognize } from "./parts";
import type { Chat } from "./protocol";
import type { Request } from "./running-request";

/** Options that VS Code passes on to the provider, though the stable typings lack them. */
type Options = vscode.LanguageModelChatRequestOptions & {
	configuration?: Record<string, unknown>;
	includeEncryptedThinking?: boolean;
};

/** Sends the request to its model; resolves when the response is complete. */
export async function runChat(
	chat: Chat,
	request: Request,
	models: Models,
	consent: Consent,
	items?: HistoryItems,
): Promise<void> {
	const messages = messagesFor(chat.messages);
	const tools = chat.tools.map(toolFor);
	const history = items
		? { messages: [...items.messages, ...messages], tools: [...items.tools, ...tools] }
		: { messages, tools };
	const response = await send(chat, history, request, models, consent);
	const writer = new PartWriter(request);
	for await (const part of response.stream) {
		if (request.isCancelled) {
			return;
		}
		writer.write(part);
		// The response is rarely blocked, and an unnecessary `await` costs as much as a part.
		for (let blocked = request.blocked; blocked && !request.isCancelled; blocked = request.blocked) {
			await blocked;
		}
	}
	writer.end();
}

/** Sends the request. If the model is missing or has been removed, the models are read again and it retries once. */
async function send(
	chat: Chat,
	{ messages, tools }: HistoryItems,
	request: Request,
	models: Models,
	consent: Consent,
): Promise<vscode.LanguageModelChatResponse> {
	const ask = async () => {
		const model = models.find(chat.vendor, chat.model);
		const sendIt = () => model.sendRequest(messages, optionsFor(chat, tools), request.token);
		return consent.ask(chat.vendor, sendIt, request.token);
	};
	try {
		return await ask();
	} catch (error) {
		if (codeOf(error) !== "NotFound" || request.isCancelled) {
			throw error;
		}
		await models.read();
		return await ask();
	}
}

function optionsFor(chat: Chat, tools: vscode.LanguageModelChatTool[]): Options {
	const { options, configuration, required, include_encrypted_thinking: includeEncryptedThinking } = chat;
	const { Auto, Required } = vscode.LanguageModelChatToolMode;
	return {
		justification: justification(chat.client),
		modelOptions: options,
		...(tools.length > 0 ? { tools, toolMode: required ? Required : Auto } : {}),
		...(Object.keys(configuration).length > 0 ? { configuration } : {}),
		...(includeEncryptedThinking ? { includeEncryptedThinking } : {}),
	};
}

/** Writes the parts of one response to the server. */
class PartWriter {
	/** The first half of a character whose second half is in the next part. */
	#half = "";
	#thought: string | undefined;

	constructor(private readonly request: Request) {}

	write(part: unknown): void {
		const it = recognize(part);
		switch (it.kind) {
			case "text":
				return this.#text(this.#half + it.text);
			case "thinking":
				return it.metadata ? this.#sealed(it.text, it.id, it.metadata) : this.#thinking(it.text, it.id);
			case "call": {
				const { id, name, input } = it;
				return this.request.send({ type: "part", part: { type: "tool_call", id, name, input } });
			}
			case "data":
				return this.request.send({
					type: "part",
					part: { type: "data", mime: it.mime, base64: base64(it.data) },
				});
			case "tree":
			case "unknown":
				return; // a kind that this version doesn't know
			default:
				return it satisfies never;
		}
	}

	/** Ends the response; a pending half of a character is sent as it is. */
	end(): void {
		if (this.#half !== "") {
			this.request.sendText(Kind.text, this.#half);
		}
	}

	#text(text: string): void {
		const isHalf = text !== "" && isHighSurrogate(text.charCodeAt(text.length - 1));
		this.#half = isHalf ? text.slice(-1) : "";
		const whole = isHalf ? text.slice(0, -1) : text;
		if (whole !== "") {
			this.request.sendText(Kind.text, whole);
		}
	}

	/** Sends thinking together with the metadata that its provider requires with it in later requests. */
	#sealed(text: string, id: string | undefined, metadata: Record<string, unknown>): void {
		const part = { type: "thinking", text, ...(id === undefined ? {} : { id }), metadata } as const;
		this.request.send({ type: "part", part });
	}

	#thinking(text: string, id: string | undefined): void {
		if (id !== undefined && id !== this.#thought) {
			this.#thought = id;
			this.request.send({ type: "thinking_id", id });
		}
		if (text !== "") {
			this.request.sendText(Kind.thinking, text);
		}
	}
}
