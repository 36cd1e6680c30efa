// Requests and responses of Anthropic's Messages API. Pure.

import {
	asText,
	type Block,
	type Conversation,
	image,
	isObject,
	type Json,
	objects,
	other,
	type Reply,
	text,
	textBlock,
} from "./blocks";

export function readRequest(body: Json): Conversation {
	return {
		system: blocksOf(body.system),
		turns: objects(body.messages).map(({ role, content }) => ({
			role: text(role),
			blocks: blocksOf(content),
		})),
		tools: objects(body.tools).map(({ name, type }) => text(name) || text(type)),
	};
}

function blocksOf(content: unknown): Block[] {
	return typeof content === "string" ? textBlock(content) : objects(content).flatMap(blockOf);
}

function blockOf(block: Json): Block[] {
	switch (block.type) {
		case "text":
			return textBlock(block.text);
		case "thinking":
			return [{ kind: "thinking", text: text(block.thinking) }];
		case "redacted_thinking":
			return [{ kind: "thinking", text: "(encrypted)" }];
		case "tool_use":
		case "server_tool_use":
			return [{ kind: "call", id: text(block.id), name: text(block.name), input: asText(block.input) }];
		case "image":
			return [imageOf(block.source)];
		case "document":
			return [{ kind: "other", name: "document", json: text(block.title) || "Document" }];
		default:
			return typeof block.tool_use_id === "string" ? [resultOf(block, block.tool_use_id)] : [other(block)];
	}
}

function resultOf({ content, is_error }: Json, id: string): Block {
	const blocks = isObject(content) ? [other(content)] : blocksOf(content);
	return { kind: "result", id, result: { blocks, isError: is_error === true } };
}

function imageOf(source: unknown): Block {
	const { type, media_type, data, url } = isObject(source) ? source : {};
	return image(type === "base64" ? `data:${text(media_type)};base64,${text(data)}` : text(url));
}

export function readResponse(parts: readonly Json[]): Reply {
	const blocks: Json[] = [];
	let error: string | undefined;
	for (const part of parts) {
		const index = typeof part.index === "number" ? part.index : blocks.length;
		if (part.type === "message") {
			blocks.push(...objects(part.content));
		} else if (part.type === "error" && isObject(part.error)) {
			error = text(part.error.message);
		} else if (part.type === "content_block_start" && isObject(part.content_block)) {
			blocks[index] = { ...part.content_block };
		} else if (part.type === "content_block_delta" && isObject(part.delta)) {
			extend(blocks[index], part.delta);
		}
	}
	const read = blocks.flatMap((block) => {
		const { streamed_input: input, ...rest } = block;
		return blockOf(typeof input === "string" ? { ...rest, input: parsed(input) } : rest);
	});
	return { blocks: read, ...(error === undefined ? {} : { error }) };
}

function extend(block: Json | undefined, delta: Json): void {
	if (!block) {
		return;
	}
	for (const name of ["text", "thinking"]) {
		if (typeof delta[name] === "string") {
			block[name] = text(block[name]) + delta[name];
		}
	}
	if (typeof delta.partial_json === "string") {
		block.streamed_input = text(block.streamed_input) + delta.partial_json;
	}
}

function parsed(input: string): unknown {
	try {
		return JSON.parse(input);
	} catch {
		return input;
	}
}
