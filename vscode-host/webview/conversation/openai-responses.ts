// Requests and responses of OpenAI's Responses API. Pure.

import {
	asArguments,
	asText,
	type Block,
	type Conversation,
	image,
	isObject,
	type Json,
	objects,
	other,
	type Reply,
	type Turn,
	text,
	textBlock,
} from "./blocks";

export function readRequest(body: Json): Conversation {
	const items = typeof body.input === "string" ? [] : objects(body.input);
	const isSystem = ({ role }: Json) => role === "system" || role === "developer";
	const turns: Turn[] = items.filter((item) => !isSystem(item)).map(turnOf);
	if (typeof body.input === "string") {
		turns.push({ role: "user", blocks: textBlock(body.input) });
	}
	return {
		system: [
			...textBlock(body.instructions),
			...items.filter(isSystem).flatMap(({ content }) => partsOf(content)),
		],
		turns: merged(turns),
		tools: objects(body.tools).map(({ name, type }) => text(name) || text(type)),
	};
}

/** Joins neighboring turns of one role: each item of a response is an item of its own. */
function merged(turns: readonly Turn[]): Turn[] {
	const result: Turn[] = [];
	for (const turn of turns) {
		const last = result.at(-1);
		if (last?.role === turn.role) {
			last.blocks.push(...turn.blocks);
		} else {
			result.push({ role: turn.role, blocks: [...turn.blocks] });
		}
	}
	return result;
}

function turnOf(item: Json): Turn {
	const isResult = text(item.type).endsWith("_output");
	return { role: text(item.role) || (isResult ? "tool" : "assistant"), blocks: itemBlocks(item) };
}

function itemBlocks(item: Json): Block[] {
	const type = text(item.type) || "message";
	if (type === "message") {
		return partsOf(item.content);
	}
	if (type === "reasoning") {
		const thoughts = [...objects(item.summary), ...objects(item.content)].map((part) => text(part.text));
		const thought = thoughts.filter(Boolean).join("\n\n");
		return [{ kind: "thinking", text: thought || "(encrypted)" }];
	}
	const id = text(item.call_id);
	if (type.endsWith("_output")) {
		const blocks =
			typeof item.output === "string" ? textBlock(item.output) : partsOf(item.output ?? item.tools);
		return [{ kind: "result", id, result: { blocks, isError: item.status === "failed" } }];
	}
	if (type.endsWith("_call")) {
		const input = item.arguments ?? item.input ?? item.action;
		const called = type === "custom_tool_call" ? asText(input) : asArguments(input);
		return [{ kind: "call", id: id || text(item.id), name: text(item.name) || type, input: called }];
	}
	return [other(item)];
}

function partsOf(content: unknown): Block[] {
	return typeof content === "string" ? textBlock(content) : objects(content).flatMap(partOf);
}

function partOf(part: Json): Block[] {
	switch (part.type) {
		case "input_text":
		case "output_text":
		case "text":
			return textBlock(part.text);
		case "refusal":
			return textBlock(part.refusal);
		case "input_image":
			return [image(text(part.image_url))];
		default:
			return [other(part)];
	}
}

export function readResponse(parts: readonly Json[]): Reply {
	let output: Json[] = [];
	let partial = "";
	let error: string | undefined;
	for (const part of parts) {
		const response = isObject(part.response) ? part.response : part;
		const failure = isObject(response.error) ? response.error : undefined;
		error = failure ? text(failure.message) : part.type === "error" ? text(part.message) : error;
		if (Array.isArray(response.output) && response.output.length > 0) {
			output = objects(response.output);
		} else if (part.type === "response.output_item.done" && isObject(part.item)) {
			output.push(part.item);
			partial = "";
		} else if (part.type === "response.output_text.delta") {
			partial += text(part.delta);
		}
	}
	const blocks = [...output.flatMap(itemBlocks), ...textBlock(partial)];
	return { blocks, ...(error === undefined ? {} : { error }) };
}
