// One window of the soak test: the shipped bundle of the extension under node, beside the tests' fake of `vscode`, with the
// scripted models of tests/vscode/provider and two tools. It starts the server as a window does, and starts it again.
// Usage: node editor.js BUNDLE MANIFEST SERVER PORT

import { activateBundle } from "../../benches/editor/bundle";
import { obeyHarness } from "../../benches/editor/control";
import * as vscode from "../../vscode-host/test/fake/vscode";
import { interpret } from "../vscode/provider/interpreter";
import { errorFor, partFor, requestFrom } from "../vscode/provider/parts";
import { waiting } from "../vscode/provider/response-context";
import { asRead, refusal } from "../vscode/provider/rules";
import { choose } from "../vscode/provider/script";

const [bundle = "", manifest = "", serverPath = "", port = ""] = process.argv.slice(2);

type Token = vscode.CancellationTokenSource["token"];

/** Requests of this window's models, by what became of them; `active` are still running. */
const counts = { active: 0, completed: 0, failed: 0, cancelled: 0 };

/** Rough, so that a body of megabytes costs nothing here. */
const count = (text: string) => Math.ceil(text.length / 4);

class ScriptedModel {
	readonly vendor = "copilot";
	readonly version = "1";
	readonly family: string;
	readonly name: string;
	readonly capabilities = { supportsToolCalling: true, supportsImageToText: true };

	constructor(
		readonly id: string,
		readonly maxInputTokens: number,
	) {
		this.family = id;
		this.name = id;
	}

	async sendRequest(messages: unknown, options: { toolMode: unknown }, token: Token) {
		const request = requestFrom(messages, options);
		const refused = refusal(request);
		if (refused) {
			counts.failed += 1;
			throw new Error(refused);
		}
		return { stream: respond(asRead(request), token) };
	}
}

async function* respond(request: ReturnType<typeof asRead>, token: Token): AsyncGenerator<unknown> {
	counts.active += 1;
	let outcome: "completed" | "failed" | "cancelled" = "cancelled"; // the reader has stopped
	const context = {
		...waiting(token),
		count,
		given: () => ({}),
		prompt: () => [],
		reportsUsage: true,
		stats: () => counts,
		tools: request.tools,
	};
	try {
		for await (const part of interpret(choose(request.messages).phase, context)) {
			yield partFor(part);
		}
		outcome = "completed";
	} catch (error) {
		outcome = token.isCancellationRequested ? "cancelled" : "failed";
		const { code } = error as { code?: string };
		throw code === undefined ? error : errorFor(error as { code: string; message: string });
	} finally {
		counts.active -= 1;
		counts[outcome] += 1;
	}
}

const tools: Record<string, (input: { a: number; b: number }, token: Token) => unknown> = {
	test_add: ({ a, b }) => ({ content: [new vscode.LanguageModelTextPart(String(a + b))] }),
	test_hang: (_input, token) =>
		new Promise((_resolve, reject) =>
			token.onCancellationRequested(() => reject(new vscode.CancellationError())),
		),
};

const { fake } = vscode;
fake.models = [
	new ScriptedModel("scripted-1", 100_000_000), // so that no body is refused for its size
	new ScriptedModel("scripted-mini", 1_000),
] as unknown as vscode.FakeModel[];
fake.activeExtensions.add("GitHub.copilot-chat");
fake.tools = Object.keys(tools).map((name) => ({
	name,
	description: name,
	inputSchema: { type: "object", properties: { a: { type: "number" }, b: { type: "number" } } },
	tags: ["test"],
}));
fake.invokeTool = (name, { input }, token) => tools[name]?.(input as { a: number; b: number }, token);
fake.settings = { autoStart: true, port: Number(port), serverPath };
// They aren't read here and would grow with every request.
fake.log.push = () => 0;
fake.executed.push = () => 0;
fake.notifications.push = () => 0;

const extension = activateBundle(bundle, manifest);
obeyHarness(extension.times, {
	counts: () => counts,
	heap() {
		globalThis.gc?.();
		return { heap: process.memoryUsage().heapUsed };
	},
	close() {
		extension.dispose();
		// Pending frames are written first; then the process ends, as an extension host does.
		setTimeout(() => process.exit(), 100);
		return {};
	},
});
