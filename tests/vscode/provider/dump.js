"use strict";
// What `dump:` prints: a request as plain JSON, its bytes as their length and digest. Pure.
const { createHash } = require("node:crypto");

const describePart = (part) =>
	part.type === "data"
		? {
				type: "data",
				mime: part.mime,
				bytes: part.data.byteLength,
				sha256: createHash("sha256").update(part.data).digest("hex"),
			}
		: part;

const describe = ({ messages, tools, toolMode, modelOptions }) => ({
	messages: messages.map(({ role, parts }) => ({ role, parts: parts.map(describePart) })),
	tools,
	toolMode,
	modelOptions,
});

module.exports = { describe };
