"use strict";
// A fake of GitHub Copilot for a real VS Code: scripted models of two vendors, test tools, and a socket through which a
// test reads the requests and changes the models.
const vscode = require("vscode");
const { dataInResults, describe } = require("./dump");
const { drive } = require("./drive");
const { offered } = require("./models");
const { errorFor, partFor, requestFrom } = require("./parts");
const { count, interpret } = require("./interpreter");
const { asRead, refusal } = require("./rules");
const { choose } = require("./script");
const { statsOf, waiting } = require("./response-context");
const { registerTools } = require("./tools");

/** The state that tests access through the socket. After a change of `models`, fire `changed`. */
const state = {
	changed: new vscode.EventEmitter(),
	models: offered(),
	scripts: {}, // the script of a prompt that has no directives, by the prompt; for pictures
	nanoPerToken: 0, // the cost that a usage reports, in billionths of a credit
	requests: [], // {vendor, model, initiator, configuration, counts, outcome, ...} of every request since the host started
	hangs: 0,
	toolCancellations: 0,
};
state.stats = () => statsOf(state.requests);

const textsOf = ({ parts }) => parts.filter(({ text }) => text !== undefined).map(({ text }) => text);

/** The messages with the script of each prompt that `state.scripts` has. */
const withScripts = (messages) =>
	messages.map(({ role, parts }) => ({
		role,
		parts: parts.map((part) => ({ ...part, text: state.scripts[part.text] ?? part.text })),
	}));

/** Responds to one request; each part is passed to `say`. */
async function answer(model, request, record, say, token) {
	const refused = refusal(request);
	if (refused) throw new Error(refused);
	const read = asRead(request);
	const { script, phase } = choose(withScripts(read.messages));
	record.counts = script.every(({ name }) => name !== "stats");
	const context = {
		...waiting(token),
		count,
		given: () => describe(read),
		nanoPerToken: state.nanoPerToken,
		prompt: () => read.messages.flatMap(textsOf),
		reportsUsage: model.reportsUsage,
		stats: state.stats,
		tools: read.tools,
	};
	for await (const part of interpret(phase, context)) say(partFor(part));
}

const providerOf = (vendor) => ({
	onDidChangeLanguageModelChatInformation: state.changed.event,

	provideLanguageModelChatInformation: () => state.models[vendor],

	async provideLanguageModelChatResponse({ id }, messages, options, progress, token) {
		const model = state.models[vendor].find((each) => each.id === id);
		if (!model) throw vscode.LanguageModelError.NotFound(`${vendor}/${id}`);
		const request = requestFrom(messages, options);
		const { requestInitiator: initiator, modelConfiguration: configuration } = options;
		const record = {
			vendor,
			model: id,
			initiator,
			configuration,
			counts: true,
			outcome: "active",
			resultData: dataInResults(request),
			...describe(request),
		};
		state.requests.push(record);
		try {
			await answer(model, request, record, (part) => progress.report(part), token);
			record.outcome = "completed";
		} catch (error) {
			record.outcome = token.isCancellationRequested ? "cancelled" : "failed";
			if (token.isCancellationRequested) throw new Error("network request aborted");
			throw error.code === undefined ? error : errorFor(error);
		}
	},

	async provideTokenCount(_model, text) {
		if (typeof text === "string") return count(text);
		const [message] = requestFrom([text], {}).messages;
		return textsOf(message).reduce((sum, each) => sum + count(each), 0);
	},
});

exports.activate = (context) => {
	const providers = Object.keys(state.models).map((vendor) =>
		vscode.lm.registerLanguageModelChatProvider(vendor, providerOf(vendor)),
	);
	context.subscriptions.push(...providers, ...registerTools(state), drive("provider", { vscode, state }));
};
