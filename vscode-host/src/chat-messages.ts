// Converts the server's messages and tools to VS Code's classes, one to one. The server has made the transcript legal.

import * as vscode from "vscode";
import type { Content, Data, Message, Part, Tool } from "./protocol";

type InputPart = vscode.LanguageModelInputPart;

/** A class that exists at run time, but not yet in the stable typings. */
type ThinkingPartClass = new (value: string, id?: string, metadata?: Record<string, unknown>) => InputPart;

export function messagesFor(messages: readonly Message[]): vscode.LanguageModelChatMessage[] {
	return messages.map(
		({ role, parts, name }) =>
			new vscode.LanguageModelChatMessage(
				roleFor(role),
				parts.map(partFor).filter((part) => part !== undefined),
				name,
			),
	);
}

/** Maps a role. VS Code has no system role for extensions, so a system message is sent as the user's. */
export function roleFor(role: Message["role"]): vscode.LanguageModelChatMessageRole {
	const { Assistant, User } = vscode.LanguageModelChatMessageRole;
	return role === "assistant" ? Assistant : User;
}

/** Undefined for thinking that no provider accepts. */
function partFor(part: Part): InputPart | undefined {
	switch (part.type) {
		case "text":
			return new vscode.LanguageModelTextPart(part.text);
		case "data":
			return dataFor(part);
		case "thinking":
			return thinkingFor(part.text, part.id, part.metadata);
		case "tool_call":
			return new vscode.LanguageModelToolCallPart(part.id, part.name, part.input as object);
		case "tool_result":
			return new vscode.LanguageModelToolResultPart(part.id, part.content.map(contentFor));
		default:
			return part satisfies never;
	}
}

function contentFor(content: Content): vscode.LanguageModelTextPart | vscode.LanguageModelDataPart {
	return content.type === "text" ? new vscode.LanguageModelTextPart(content.text) : dataFor(content);
}

function dataFor({ base64, mime }: Data): vscode.LanguageModelDataPart {
	return new vscode.LanguageModelDataPart(Buffer.from(base64, "base64"), mime);
}

/** Providers accept earlier thinking only with its id and metadata; other thinking is left out. */
export function thinkingFor(
	text: string,
	id: string | undefined,
	metadata: Record<string, unknown> | undefined,
): InputPart | undefined {
	const { LanguageModelThinkingPart } = vscode as { LanguageModelThinkingPart?: ThinkingPartClass };
	const isSealed = id !== undefined || metadata !== undefined;
	return LanguageModelThinkingPart && isSealed
		? new LanguageModelThinkingPart(text, id, metadata)
		: undefined;
}

export function toolFor({
	name,
	description,
	input_schema: inputSchema,
}: Tool): vscode.LanguageModelChatTool {
	return { name, description, ...(inputSchema ? { inputSchema } : {}) };
}
