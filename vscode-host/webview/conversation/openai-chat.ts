// Requests and responses of OpenAI's chat completions, and of the legacy completions. Pure.

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
	const messages = objects(body.messages);
	const isSystem = ({ role }: Json) => role === "system" || role === "developer";
	const prompts = Array.isArray(body.prompt) ? body.prompt : [body.prompt];
	return {
		system: messages.filter(isSystem).flatMap(({ content }) => blocksOf(content)),
		turns: [
			...prompts.flatMap((prompt): Turn[] =>
				prompt === undefined ? [] : [{ role: "user", blocks: textBlock(asText(prompt)) }],
			),
			...messages.filter((message) => !isSystem(message)).map(turnOf),
		],
		tools: objects(body.tools).map((tool) => nameOf(tool)),
	};
}

function nameOf(tool: Json): string {
	const described = isObject(tool.function) ? tool.function : isObject(tool.custom) ? tool.custom : tool;
	return text(described.name) || text(tool.type);
}

function turnOf(message: Json): Turn {
	const role = text(message.role);
	if (role === "tool" || role === "function") {
		const result = { blocks: blocksOf(message.content), isError: false };
		return { role, blocks: [{ kind: "result", id: text(message.tool_call_id ?? message.name), result }] };
	}
	return { role, blocks: messageBlocks(message) };
}

function messageBlocks(message: Json): Block[] {
	const thought = text(message.reasoning_content ?? message.reasoning);
	const refusal = text(message.refusal);
	return [
		...(thought ? [{ kind: "thinking", text: thought } as const] : []),
		...blocksOf(message.content),
		...textBlock(refusal),
		...objects(message.tool_calls).map(callOf),
		...(isObject(message.function_call) ? [callOf({ function: message.function_call })] : []),
	];
}

function callOf(call: Json): Block {
	const custom = isObject(call.custom) ? call.custom : undefined;
	const called = custom ?? (isObject(call.function) ? call.function : {});
	const input = custom ? text(custom.input) : asArguments(called.arguments);
	return { kind: "call", id: text(call.id) || text(called.name), name: text(called.name), input };
}

function blocksOf(content: unknown): Block[] {
	return typeof content === "string" ? textBlock(content) : objects(content).flatMap(partOf);
}

function partOf(part: Json): Block[] {
	switch (part.type) {
		case "text":
		case "refusal":
			return textBlock(part.text ?? part.refusal);
		case "image_url":
			return [image(text(isObject(part.image_url) ? part.image_url.url : part.image_url))];
		default:
			return [other(part)];
	}
}

export function readResponse(parts: readonly Json[]): Reply {
	const choices = new Map<number, Json>();
	let error: string | undefined;
	for (const part of parts) {
		if (isObject(part.error)) {
			error = text(part.error.message);
		}
		for (const choice of objects(part.choices)) {
			const index = typeof choice.index === "number" ? choice.index : 0;
			const message = choices.get(index) ?? {};
			choices.set(index, message);
			extend(message, isObject(choice.message) ? choice.message : choice.delta);
			message.content = join(message.content, choice.text);
		}
	}
	const blocks = [...choices.values()].flatMap(messageBlocks);
	return { blocks, ...(error === undefined ? {} : { error }) };
}

/** Adds a delta, or a whole message, to a message. */
function extend(message: Json, delta: unknown): void {
	if (!isObject(delta)) {
		return;
	}
	for (const name of ["content", "reasoning_content", "refusal"]) {
		message[name] = join(message[name], delta[name]);
	}
	const calls = Array.isArray(message.tool_calls) ? message.tool_calls : [];
	for (const [position, call] of objects(delta.tool_calls).entries()) {
		const index = typeof call.index === "number" ? call.index : position;
		const before = isObject(calls[index]) ? calls[index] : {};
		calls[index] = { ...before, ...call };
		for (const name of ["function", "custom"]) {
			if (isObject(call[name])) {
				calls[index][name] = joined(before[name], call[name]);
			}
		}
	}
	message.tool_calls = calls;
}

function joined(before: unknown, delta: Json): Json {
	const known = isObject(before) ? before : {};
	return {
		name: join(known.name, delta.name),
		arguments: join(known.arguments, delta.arguments),
		input: join(known.input, delta.input),
	};
}

function join(before: unknown, more: unknown): unknown {
	return typeof more === "string" ? text(before) + more : (before ?? more);
}
