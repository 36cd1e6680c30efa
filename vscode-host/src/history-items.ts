// Decodes the items of histories straight to VS Code's classes. The server's src/bridge/history/item.rs describes the layout.

import * as vscode from "vscode";
import { roleFor, thinkingFor, toolFor } from "./chat-messages";

/** A message of a request, or its tools, in the form in which VS Code takes them. */
export type DecodedItem =
	| { kind: "message"; message: vscode.LanguageModelChatMessage }
	| { kind: "tools"; tools: vscode.LanguageModelChatTool[] };

const Tag = { user: 0, assistant: 1, system: 2, tools: 3 } as const;
const PartKind = { text: 0, data: 1, encodedData: 2, thinking: 3, toolCall: 4, toolResult: 5 } as const;

type ContentPart = vscode.LanguageModelTextPart | vscode.LanguageModelDataPart;

/** Decodes an item; keeps no reference to its bytes. */
export function decodeItem(bytes: Buffer): DecodedItem {
	const reader = new ItemReader(bytes);
	const tag = reader.byte();
	if (tag === Tag.tools) {
		return { kind: "tools", tools: (reader.json() as Parameters<typeof toolFor>[0][]).map(toolFor) };
	}
	if (tag > Tag.tools) {
		throw new Error(`an item of kind ${tag}`);
	}
	const name = reader.optional(() => reader.string());
	const parts: vscode.LanguageModelInputPart[] = [];
	while (!reader.isAtEnd) {
		const part = partFrom(reader);
		if (part) {
			parts.push(part);
		}
	}
	const role = roleFor(tag === Tag.assistant ? "assistant" : "user");
	return { kind: "message", message: new vscode.LanguageModelChatMessage(role, parts, name) };
}

/** Undefined for thinking that no provider accepts. */
function partFrom(reader: ItemReader): vscode.LanguageModelInputPart | undefined {
	const kind = reader.byte();
	switch (kind) {
		case PartKind.thinking: {
			const text = reader.string();
			const id = reader.optional(() => reader.string());
			const metadata = reader.optional(() => reader.json() as Record<string, unknown>);
			return thinkingFor(text, id, metadata);
		}
		case PartKind.toolCall:
			return new vscode.LanguageModelToolCallPart(reader.string(), reader.string(), reader.json() as object);
		case PartKind.toolResult: {
			const id = reader.string();
			reader.byte(); // whether the tool failed, which VS Code has no place for
			const content: ContentPart[] = [];
			for (let left = reader.length(); left > 0; left -= 1) {
				content.push(contentFrom(reader.byte(), reader));
			}
			return new vscode.LanguageModelToolResultPart(id, content);
		}
		default:
			return contentFrom(kind, reader);
	}
}

function contentFrom(kind: number, reader: ItemReader): ContentPart {
	switch (kind) {
		case PartKind.text:
			return new vscode.LanguageModelTextPart(reader.string());
		case PartKind.data: {
			const mime = reader.string();
			return new vscode.LanguageModelDataPart(reader.bytes(), mime);
		}
		case PartKind.encodedData: {
			const mime = reader.string();
			return new vscode.LanguageModelDataPart(Buffer.from(reader.string(), "base64"), mime);
		}
		default:
			throw new Error(`a part of kind ${kind}`);
	}
}

/** Reads values one after the other. Reading past the end throws. */
class ItemReader {
	#at = 0;

	constructor(private readonly source: Buffer) {}

	get isAtEnd(): boolean {
		return this.#at >= this.source.length;
	}

	byte(): number {
		const byte = this.source.readUInt8(this.#at);
		this.#at += 1;
		return byte;
	}

	length(): number {
		const length = this.source.readUInt32LE(this.#at);
		this.#at += 4;
		return length;
	}

	string(): string {
		const head = this.length();
		const start = this.#at;
		this.#skip(head >>> 1);
		// Decoding Latin-1 is a copy, and UTF-8 is several times that.
		return this.source.toString((head & 1) === 1 ? "latin1" : "utf8", start, this.#at);
	}

	bytes(): Buffer {
		const length = this.length();
		const start = this.#at;
		this.#skip(length);
		return Buffer.from(this.source.subarray(start, this.#at));
	}

	json(): unknown {
		return JSON.parse(this.string());
	}

	optional<T>(read: () => T): T | undefined {
		return this.byte() === 1 ? read() : undefined;
	}

	#skip(length: number): void {
		this.#at += length;
		if (this.#at > this.source.length) {
			throw new Error("an item that ends too early");
		}
	}
}
