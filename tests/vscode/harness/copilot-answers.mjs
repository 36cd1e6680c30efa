// Encodes a response in each of the three APIs of GitHub's service, as the events of its stream. `usage` is
// {input, cached, output, reasoning, nano}; `input` includes the cached tokens, `nano` is the cost in billionths of a
// credit. `thinking` is its text, `signature` what the service requires with it in later requests.

/** Marks the place where the response waits. */
export const WAIT = Symbol("wait");

/** The cost of a response, as the service sends it beside the usage. */
const costOf = ({ nano }) =>
	nano === undefined ? {} : { copilot_usage: { total_nano_aiu: nano, token_details: [] } };

const nothing = { input: 10, cached: 0, output: 1, reasoning: 0 };

function* chat({ thinking, signature, text = [], calls = [], finish, usage = nothing, wait }) {
	const chunk = (delta, more) => ({
		id: "c",
		object: "chat.completion.chunk",
		created: 1,
		model: "m",
		choices: [{ index: 0, delta, finish_reason: null, ...more }],
	});
	yield chunk({ role: "assistant", content: "" });
	if (thinking) yield chunk({ reasoning_text: thinking });
	if (signature) yield chunk({ reasoning_opaque: signature });
	for (const content of text) yield chunk({ content });
	for (const [index, { id, name, input }] of calls.entries()) {
		const written = JSON.stringify(input);
		yield chunk({ tool_calls: [{ index, id, type: "function", function: { name, arguments: "" } }] });
		for (const half of [written.slice(0, 3), written.slice(3)])
			yield chunk({ tool_calls: [{ index, function: { arguments: half } }] });
	}
	if (wait) yield WAIT;
	yield {
		...chunk({}, { finish_reason: finish ?? (calls.length > 0 ? "tool_calls" : "stop") }),
		usage: {
			prompt_tokens: usage.input,
			completion_tokens: usage.output,
			total_tokens: usage.input + usage.output,
			prompt_tokens_details: { cached_tokens: usage.cached },
			completion_tokens_details: { reasoning_tokens: usage.reasoning },
		},
		...costOf(usage),
	};
}

function* messages({ thinking, signature, text = [], calls = [], finish, usage = nothing, wait }) {
	const { input, cached, output } = usage;
	const counts = {
		input_tokens: input - cached,
		cache_read_input_tokens: cached,
		cache_creation_input_tokens: 0,
		output_tokens: output,
	};
	const message = { id: "m", type: "message", role: "assistant", model: "m", content: [], usage: counts };
	yield { type: "message_start", message };
	let index = -1;
	if (signature) {
		index += 1;
		const block = { type: "thinking", thinking: "", signature: "" };
		yield { type: "content_block_start", index, content_block: block };
		yield { type: "content_block_delta", index, delta: { type: "thinking_delta", thinking } };
		yield { type: "content_block_delta", index, delta: { type: "signature_delta", signature } };
		yield { type: "content_block_stop", index };
	}
	if (text.length > 0) {
		index += 1;
		yield { type: "content_block_start", index, content_block: { type: "text", text: "" } };
		for (const each of text)
			yield { type: "content_block_delta", index, delta: { type: "text_delta", text: each } };
		yield { type: "content_block_stop", index };
	}
	for (const { id, name, input: given } of calls) {
		index += 1;
		const json = { type: "input_json_delta", partial_json: JSON.stringify(given) };
		yield { type: "content_block_start", index, content_block: { type: "tool_use", id, name, input: {} } };
		yield { type: "content_block_delta", index, delta: json };
		yield { type: "content_block_stop", index };
	}
	if (wait) yield WAIT;
	const reason = finish ?? (calls.length > 0 ? "tool_use" : "end_turn");
	const delta = { stop_reason: reason, stop_sequence: null };
	yield { type: "message_delta", delta, usage: counts, ...costOf(usage) };
	yield { type: "message_stop" };
}

function* responses({ thinking, signature, text = [], calls = [], finish, usage = nothing, wait }) {
	const about = { id: "r", object: "response", created_at: 1, model: "m", output: [] };
	yield { type: "response.created", response: { ...about, status: "in_progress" } };
	if (signature) {
		const item = { id: "rs_1", type: "reasoning", summary: [] };
		yield { type: "response.output_item.added", output_index: 0, item };
		const place = { item_id: item.id, output_index: 0, summary_index: 0 };
		yield { type: "response.reasoning_summary_text.delta", ...place, delta: thinking };
		const summary = [{ type: "summary_text", text: thinking }];
		const done = { ...item, summary, encrypted_content: signature };
		yield { type: "response.output_item.done", output_index: 0, item: done };
	}
	const message = { id: "o", type: "message", role: "assistant" };
	if (text.length > 0) {
		yield { type: "response.output_item.added", output_index: 0, item: { ...message, content: [] } };
		for (const delta of text)
			yield { type: "response.output_text.delta", item_id: "o", output_index: 0, content_index: 0, delta };
		const content = [{ type: "output_text", text: text.join(""), annotations: [] }];
		yield { type: "response.output_item.done", output_index: 0, item: { ...message, content } };
	}
	for (const [at, { id, name, input }] of calls.entries()) {
		const item = { id: `f${at}`, type: "function_call", call_id: id, name, arguments: JSON.stringify(input) };
		yield { type: "response.output_item.added", output_index: at + 1, item: { ...item, arguments: "" } };
		yield { type: "response.output_item.done", output_index: at + 1, item };
	}
	if (wait) yield WAIT;
	const ending = finish
		? { status: "incomplete", incomplete_details: { reason: finish } }
		: { status: "completed" };
	const counts = {
		input_tokens: usage.input,
		input_tokens_details: { cached_tokens: usage.cached },
		output_tokens: usage.output,
		output_tokens_details: { reasoning_tokens: usage.reasoning },
		total_tokens: usage.input + usage.output,
	};
	yield {
		type: `response.${ending.status}`,
		response: { ...about, ...ending, usage: counts },
		...costOf(usage),
	};
}

/** The encoders by the service's path. */
export const encoders = { "/chat/completions": chat, "/v1/messages": messages, "/responses": responses };
