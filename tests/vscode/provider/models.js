"use strict";
// The models on offer, by vendor, as VS Code wants them. `reportsUsage` is ours: whether every answer ends with a count of
// its tokens, as Copilot's do. Tests change the lists while they run, so `offered` gives fresh ones.

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

// VS Code asks the user before another extension may use one of these.
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
