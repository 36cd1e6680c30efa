// Requests and responses of Ollama's API. Pure.

import {
	asText,
	type Block,
	type Conversation,
	image,
	isObject,
	type Json,
	objects,
	type Reply,
	text,
	textBlock,
} from "./blocks";

export function readRequest(body: Json): Conversation {
	const messages = objects(body.messages);
	const prompt = [...textBlock(body.prompt), ...imagesOf(body)];
	return {
		system: [
			...textBlock(body.system),
			...messages.filter(({ role }) => role === "system").flatMap(({ content }) => textBlock(content)),
		],
		turns: [
			...(prompt.length > 0 ? [{ role: "user", blocks: prompt }] : []),
			...messages
				.filter(({ role }) => role !== "system")
				.map((message) => ({
					role: text(message.role),
					blocks: messageBlocks(message),
				})),
		],
		tools: objects(body.tools).map((tool) => text((isObject(tool.function) ? tool.function : tool).name)),
	};
}

function messageBlocks(message: Json): Block[] {
	if (message.role === "tool") {
		const result = { blocks: textBlock(message.content), isError: false };
		const id = text(message.tool_call_id ?? message.tool_name ?? message.name);
		return [{ kind: "result", id, result }];
	}
	const thought = text(message.thinking);
	return [
		...(thought ? [{ kind: "thinking", text: thought } as const] : []),
		...textBlock(message.content),
		...imagesOf(message),
		...objects(message.tool_calls).map(callOf),
	];
}

function callOf(call: Json): Block {
	const called = isObject(call.function) ? call.function : {};
	const name = text(called.name);
	return { kind: "call", id: text(call.id) || name, name, input: asText(called.arguments) };
}

function imagesOf({ images }: Json): Block[] {
	const kind = (data: string) => (data.startsWith("/9j/") ? "jpeg" : data.startsWith("R0") ? "gif" : "png");
	const sources = Array.isArray(images) ? images.filter((data) => typeof data === "string") : [];
	return sources.map((data) => image(`data:image/${kind(data)};base64,${data}`));
}

export function readResponse(parts: readonly Json[]): Reply {
	const whole: Json = { role: "assistant", content: "", thinking: "", tool_calls: [] };
	let error: string | undefined;
	for (const part of parts) {
		error = typeof part.error === "string" ? part.error : error;
		const message = isObject(part.message)
			? part.message
			: { content: part.response, thinking: part.thinking };
		whole.content = text(whole.content) + text(message.content);
		whole.thinking = text(whole.thinking) + text(message.thinking);
		whole.tool_calls = [...objects(whole.tool_calls), ...objects(message.tool_calls)];
	}
	return { blocks: messageBlocks(whole), ...(error === undefined ? {} : { error }) };
}
