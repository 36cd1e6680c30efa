"use strict";
// The rules of GitHub Copilot's provider: requests that it refuses, and content that it drops silently.
// Pure: a request is `{messages, tools, toolMode, modelOptions}` as parts.js creates it.

const MAX_TOOLS = 128;

/** The message with which Copilot refuses the request, or undefined. */
function refusal({ messages, tools, toolMode }) {
	const misnamed = tools.find(({ name }) => !/^[\w-]+$/.test(name));
	if (misnamed) {
		return `Invalid tool name "${misnamed.name}": only alphanumeric characters, hyphens, and underscores are allowed.`;
	}
	if (tools.length > MAX_TOOLS) return `Cannot have more than ${MAX_TOOLS} tools per request.`;
	if (toolMode === "required" && tools.length > 1) {
		return "LanguageModelChatToolMode.Required is not supported with more than one tool";
	}
	if (messages.length === 0) return "Invalid request: no messages.";
	const unanswered = unansweredCall(messages);
	if (unanswered) {
		const message =
			`An assistant message with 'tool_calls' must be followed by tool messages responding to each ` +
			`'tool_call_id'. The following tool_call_ids did not have response messages: ${unanswered.id}`;
		return `Request Failed: 400 ${JSON.stringify({ error: { message, code: "invalid_request_body" } })}`;
	}
	return undefined;
}

/** The first tool call whose result isn't among the results that directly follow its message. */
function unansweredCall(messages) {
	for (const [at, { role, parts }] of messages.entries()) {
		if (role !== "assistant") continue;
		const answered = resultsFrom(messages, at + 1);
		const call = parts.find(({ type, id }) => type === "tool_call" && !answered.has(id));
		if (call) return call;
	}
	return undefined;
}

/** The ids of the unbroken run of tool results that begins with this message. */
function resultsFrom(messages, start) {
	const ids = new Set();
	for (const { role, parts } of messages.slice(start)) {
		if (role !== "user") break;
		for (const part of parts) {
			if (part.type !== "tool_result") return ids;
			ids.add(part.id);
		}
	}
	return ids;
}

/** The request as Copilot interprets it: one text per assistant message, no list of stop strings. */
function asRead(request) {
	const { stop, ...others } = request.modelOptions;
	return {
		...request,
		modelOptions: Array.isArray(stop) ? others : request.modelOptions,
		messages: request.messages.map(({ role, parts }) =>
			role === "assistant" ? { role, parts: withOneText(parts) } : { role, parts },
		),
	};
}

function withOneText(parts) {
	const first = parts.findIndex(({ type }) => type === "text");
	return parts.filter(({ type }, at) => type !== "text" || at === first);
}

module.exports = { asRead, refusal };
