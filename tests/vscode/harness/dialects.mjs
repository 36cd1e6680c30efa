// The three dialects from the side of a plain client: requests for a script, and the text of responses.

/** Joins the text of each part of a list. */
const joined = (list, wordsOf) => list.map((each) => wordsOf(each) ?? "").join("");

export const dialects = {
	chat: {
		path: "/v1/chat/completions",
		request: (script, more) => ({
			model: "scripted-1",
			messages: [{ role: "user", content: script }],
			...more,
		}),
		tool: ({ name, description, schema }) => ({
			type: "function",
			function: { name, description, parameters: schema },
		}),
		textOf: ({ choices }) => choices[0].message.content,
		textIn: (events) => joined(events, ({ choices }) => choices?.[0]?.delta.content),
	},
	messages: {
		path: "/v1/messages",
		request: (script, more) => ({
			model: "scripted-1",
			max_tokens: 8_192,
			messages: [{ role: "user", content: script }],
			...more,
		}),
		tool: ({ name, description, schema }) => ({ name, description, input_schema: schema }),
		textOf: ({ content }) => joined(content, ({ text }) => text),
		textIn: (events) => joined(events, ({ delta }) => delta?.text),
	},
	responses: {
		path: "/v1/responses",
		request: (script, more) => ({ model: "scripted-1", input: script, ...more }),
		tool: ({ name, description, schema }) => ({ type: "function", name, description, parameters: schema }),
		textOf: ({ output }) => joined(output, ({ content }) => content?.[0]?.text),
		textIn: (events) =>
			joined(events, ({ type, delta }) => (type === "response.output_text.delta" ? delta : "")),
	},
};

/** The data of every event of a stream, in order. */
export async function dataOf({ events }) {
	const all = [];
	for await (const { data } of events) all.push(data);
	return all;
}

/** The text of a model's response to `script` in a dialect, whole or streamed. */
export async function responseText(
	{ path, request, textOf, textIn },
	proxy,
	script,
	{ stream, headers, ...more } = {},
) {
	const options = { body: request(script, more), headers };
	if (stream) return textIn(await dataOf(await proxy.open(path, options)));
	const { status, json, text } = await proxy.ask(path, options);
	if (status !== 200) throw new Error(`${status}: ${text}`);
	return textOf(json);
}
