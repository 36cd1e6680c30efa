"use strict";
// The models by vendor, in VS Code's form. `reportsUsage` is an addition: whether every response ends with its usage, as
// Copilot's do. Tests change the lists, so `offered` returns new ones.

const model = (id, family, more) => ({
	id,
	family,
	name: `${id} (scripted)`,
	version: `${id}-2026-01-01`,
	maxInputTokens: 200_000,
	maxOutputTokens: 16_000,
	capabilities: { imageInput: true, toolCalling: true },
	reportsUsage: false,
	...more,
});

// VS Code requires consent for these.
const copilot = (id, family, more) =>
	model(id, family, {
		requiresAuthorization: { label: "GitHub" },
		reportsUsage: true,
		...more,
	});

const offered = () => ({
	copilot: [
		copilot("gpt-4.1", "gpt-4.1", { maxInputTokens: 111_000 }),
		copilot("gpt-5-mini", "gpt-5-mini", { maxInputTokens: 128_000 }),
		copilot("claude-sonnet-4.5", "claude-sonnet-4.5"),
		copilot("claude-opus-4.6", "claude-opus-4.6"),
		copilot("claude-haiku-4.5", "claude-haiku-4.5"),
	],
	scripted: [
		model("scripted-1", "scripted"),
		model("scripted-mini", "scripted-mini", {
			maxInputTokens: 16_384,
			capabilities: { imageInput: false, toolCalling: true },
		}),
		model("scripted-usage", "scripted-usage", { reportsUsage: true }),
	],
});

module.exports = { offered };
