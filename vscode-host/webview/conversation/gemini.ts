// Requests and responses of Google's Gemini API. Pure.

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
	const declared = objects(body.tools).flatMap((tool) =>
		objects(tool.functionDeclarations ?? tool.function_declarations),
	);
	const contents = typeof body.contents === "string" ? [] : objects(body.contents);
	const system = body.systemInstruction ?? body.system_instruction;
	return {
		system: isObject(system) ? partsOf(system) : [],
		turns: contents.map((content) => ({
			role: content.role === "model" ? "assistant" : text(content.role) || "user",
			blocks: partsOf(content),
		})),
		tools: declared.map(({ name }) => text(name)),
	};
}

function partsOf({ parts }: Json): Block[] {
	return (isObject(parts) ? [parts] : objects(parts)).flatMap(partOf);
}

function partOf(part: Json): Block[] {
	const call = part.functionCall ?? part.function_call;
	const answer = part.functionResponse ?? part.function_response;
	const inline = part.inlineData ?? part.inline_data;
	if (typeof part.text === "string") {
		return part.thought === true ? [{ kind: "thinking", text: part.text }] : textBlock(part.text);
	}
	if (isObject(call)) {
		const name = text(call.name);
		return [{ kind: "call", id: text(call.id) || name, name, input: asText(call.args ?? {}) }];
	}
	if (isObject(answer)) {
		const id = text(answer.id) || text(answer.name);
		const response = isObject(answer.response) ? answer.response : {};
		const words = response.output ?? response.result ?? response.error ?? response;
		const isError = response.error !== undefined;
		return [{ kind: "result", id, result: { blocks: textBlock(asText(words)), isError } }];
	}
	if (isObject(inline)) {
		return [image(`data:${text(inline.mimeType ?? inline.mime_type)};base64,${text(inline.data)}`)];
	}
	return [other(part)];
}

export function readResponse(parts: readonly Json[]): Reply {
	const blocks: Block[] = [];
	let error: string | undefined;
	for (const part of parts) {
		error = isObject(part.error) ? text(part.error.message) : error;
		for (const { content } of objects(part.candidates)) {
			for (const block of isObject(content) ? partsOf(content) : []) {
				const last = blocks.at(-1);
				if (last && "text" in last && "text" in block && last.kind === block.kind) {
					last.text += block.text;
				} else {
					blocks.push(block);
				}
			}
		}
	}
	return { blocks, ...(error === undefined ? {} : { error }) };
}
