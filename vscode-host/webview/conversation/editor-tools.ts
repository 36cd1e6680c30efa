// The editor tools that auto mode ran for a response: the field `copilot_proxy.tools`, the same in all dialects. Pure.

import { asText, type Block, image, isObject, type Json, objects, text, textBlock } from "./blocks";

/** The calls of these tools with their results, each once. */
export function editorCalls(parts: readonly Json[]): Block[] {
	const calls = new Map<string, Block>();
	for (const part of parts) {
		for (const holder of [part, part.response, part.message]) {
			const extra = isObject(holder) ? holder.copilot_proxy : undefined;
			for (const ran of isObject(extra) ? objects(extra.tools) : []) {
				const { call, result } = ran;
				if (isObject(call) && isObject(result)) {
					calls.set(`${ran.round} ${text(call.id)}`, callOf(call, result));
				}
			}
		}
	}
	return [...calls.values()];
}

function callOf(call: Json, result: Json): Block {
	const blocks = objects(result.content).flatMap(contentOf);
	const { id, name, input } = call;
	return {
		kind: "call",
		id: text(id),
		name: text(name),
		input: asText(input),
		result: { blocks, isError: result.is_error === true },
	};
}

function contentOf(content: Json): Block[] {
	return content.type === "text"
		? textBlock(content.text)
		: [image(`data:${text(content.mime)};base64,${text(content.base64)}`, text(content.mime))];
}
