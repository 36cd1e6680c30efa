// Reads the captured bodies of a request as a conversation, by its dialect. Pure.

import * as anthropic from "./anthropic";
import { type Conversation, isObject, type Json, type Reply, withResults } from "./blocks";
import { editorCalls } from "./editor-tools";
import { objectsOf } from "./events";
import * as gemini from "./gemini";
import * as ollama from "./ollama";
import * as openAiChat from "./openai-chat";
import * as openAiResponses from "./openai-responses";
import { parsePartial } from "./partial-json";

interface Reader {
	readRequest(body: Json): Conversation;
	readResponse(parts: readonly Json[]): Reply;
}

const READERS: Record<string, Reader> = {
	anthropic,
	gemini,
	ollama,
	completions: openAiChat,
	"openai-chat": openAiChat,
	"openai-responses": openAiResponses,
};

/** A conversation with its response. */
export type ReadConversation = Conversation & { reply: Reply };

/** Reads the bodies; undefined if the dialect is unknown or the request is no JSON object. */
export function readConversation(
	dialect: string,
	request: string,
	response: string,
): ReadConversation | undefined {
	const reader = READERS[dialect];
	const body = parsePartial(request);
	if (!reader || !isObject(body)) {
		return undefined;
	}
	const parts = objectsOf(response);
	const { system, turns, tools } = reader.readRequest(body);
	const read = reader.readResponse(parts);
	const reply = { ...read, blocks: [...editorCalls(parts), ...read.blocks] };
	const joined = withResults(turns, reply.blocks);
	return { system, tools, turns: joined.turns, reply: { ...reply, blocks: joined.last } };
}
