// One chat: a question of the server goes to its model, and the parts of the answer go back as they come. Nothing is
// counted, matched or formatted here.

import * as vscode from "vscode";
import { type Consent, JUSTIFICATION } from "./consent";
import { codeOf } from "./failure";
import { isHighSurrogate } from "./frames";
import { Kind } from "./generated";
import { messagesFor } from "./messages";
import type { Models } from "./models";
import { base64, seen } from "./parts";
import type { Chat, Tool } from "./protocol";
import type { Request } from "./request";

/** VS Code hands these on to the provider, though the stable typings do not name them. */
type Options = vscode.LanguageModelChatRequestOptions & {
	configuration?: Record<string, unknown>;
	includeEncryptedThinking?: boolean;
};

/** Asks the model; done when its answer is complete. */
export async function answer(chat: Chat, request: Request, models: Models, consent: Consent): Promise<void> {
	const response = await send(chat, request, models, consent);
	const speaker = new PartWriter(request);
	for await (const part of response.stream) {
		if (request.isCancelled) {
			return;
		}
		speaker.say(part);
		// Most of the time there is nothing to wait for, and a pointless `await` costs as much as a part.
		for (let blocked = request.blocked; blocked && !request.isCancelled; blocked = request.blocked) {
			await blocked;
		}
	}
	speaker.end();
}

/** A model that is not there, or has vanished since the models were read, is looked for once more. */
async function send(
	chat: Chat,
	request: Request,
	models: Models,
	consent: Consent,
): Promise<vscode.LanguageModelChatResponse> {
	const messages = messagesFor(chat.messages);
	const ask = async () => {
		const model = models.find(chat.vendor, chat.model);
		const sendIt = () => model.sendRequest(messages, optionsFor(chat), request.token);
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

function optionsFor(chat: Chat): Options {
	const {
		options,
		configuration,
		tools,
		required,
		include_encrypted_thinking: includeEncryptedThinking,
	} = chat;
	const { Auto, Required } = vscode.LanguageModelChatToolMode;
	return {
		justification: JUSTIFICATION,
		modelOptions: options,
		...(tools.length > 0 ? { tools: tools.map(toolFor), toolMode: required ? Required : Auto } : {}),
		...(Object.keys(configuration).length > 0 ? { configuration } : {}),
		...(includeEncryptedThinking ? { includeEncryptedThinking } : {}),
	};
}

function toolFor({ name, description, input_schema: inputSchema }: Tool): vscode.LanguageModelChatTool {
	return { name, description, ...(inputSchema ? { inputSchema } : {}) };
}

/** Tells the server the parts of one answer. */
class PartWriter {
	/** The first half of a character whose second half is in the next part. */
	#half = "";
	#thought: string | undefined;

	constructor(private readonly request: Request) {}

	say(part: unknown): void {
		const it = seen(part);
		switch (it.kind) {
			case "text":
				return this.#text(this.#half + it.text);
			case "thinking":
				return it.metadata ? this.#sealed(it.text, it.id, it.metadata) : this.#thinking(it.text, it.id);
			case "call": {
				const { id, name, input } = it;
				return this.request.say({ type: "part", part: { type: "tool_call", id, name, input } });
			}
			case "data":
				return this.request.say({
					type: "part",
					part: { type: "data", mime: it.mime, base64: base64(it.data) },
				});
			case "tree":
			case "unknown":
				return; // newer than we are
			default:
				return it satisfies never;
		}
	}

	/** Nothing more comes: half a character stays half a one. */
	end(): void {
		if (this.#half !== "") {
			this.request.words(Kind.text, this.#half);
		}
	}

	#text(text: string): void {
		const isHalf = text !== "" && isHighSurrogate(text.charCodeAt(text.length - 1));
		this.#half = isHalf ? text.slice(-1) : "";
		const whole = isHalf ? text.slice(0, -1) : text;
		if (whole !== "") {
			this.request.words(Kind.text, whole);
		}
	}

	/** Thinking that its provider wants back with this metadata. */
	#sealed(text: string, id: string | undefined, metadata: Record<string, unknown>): void {
		const part = { type: "thinking", text, ...(id === undefined ? {} : { id }), metadata } as const;
		this.request.say({ type: "part", part });
	}

	#thinking(text: string, id: string | undefined): void {
		if (id !== undefined && id !== this.#thought) {
			this.#thought = id;
			this.request.say({ type: "thinking_id", id });
		}
		if (text !== "") {
			this.request.words(Kind.thinking, text);
		}
	}
}
