"use strict";
// The output of `dump:`: a request as plain JSON, with bytes as length and digest. Pure.
const { createHash } = require("node:crypto");

const describeData = ({ mime, data }) => ({
	type: "data",
	mime,
	bytes: data.byteLength,
	sha256: createHash("sha256").update(data).digest("hex"),
});

function describePart(part) {
	switch (part.type) {
		case "data":
			return describeData(part);
		case "tool_result":
			return { type: part.type, id: part.id, text: part.text };
		default:
			return part;
	}
}

/** Images and other data in tool results, which `dump:` does not show. */
const dataInResults = ({ messages }) =>
	messages
		.flatMap(({ parts }) => parts.flatMap(({ type, data }) => (type === "tool_result" ? data : [])))
		.map(describeData);

const describe = ({ messages, tools, toolMode, modelOptions }) => ({
	messages: messages.map(({ role, parts }) => ({ role, parts: parts.map(describePart) })),
	tools,
	toolMode,
	modelOptions,
});

module.exports = { dataInResults, describe };
