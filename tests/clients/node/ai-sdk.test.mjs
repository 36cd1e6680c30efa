// The Vercel AI SDK with its providers for OpenAI (responses and chat), OpenAI-compatible APIs, Anthropic and Google:
// whole and streamed text, tools and objects.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createAnthropic } from "@ai-sdk/anthropic";
import { createGoogleGenerativeAI } from "@ai-sdk/google";
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { APICallError, generateText, isStepCount, Output, streamText, tool } from "ai";
import { z } from "zod";
import { collect, startDemo } from "./demo.mjs";

// Suppresses the warning about an unknown model.
globalThis.AI_SDK_LOG_WARNINGS = false;

const url = await startDemo();
const baseURL = `${url}/v1`;
const openai = createOpenAI({ baseURL, apiKey: "unused" });
const providers = {
	"openai responses": openai("scripted-1"),
	"openai chat": openai.chat("scripted-1"),
	"openai-compatible": createOpenAICompatible({ name: "proxy", baseURL, supportsStructuredOutputs: true })("scripted-1"),
	anthropic: createAnthropic({ baseURL, apiKey: "unused" })("scripted-1"),
	google: createGoogleGenerativeAI({ baseURL: `${url}/v1beta`, apiKey: "unused" })("scripted-1"),
};
const SCHEMA_NAMES = {
	"openai responses": "response",
	"openai chat": "response",
	"openai-compatible": "response",
	anthropic: "json",
	google: "answer",
};

for (const [name, model] of Object.entries(providers)) {
	describe(name, () => {
		test("generates text with usage", async () => {
			const { text, finishReason, usage } = await generateText({ model, prompt: "say:Hello from the demo." });
			assert.deepEqual([text, finishReason], ["Hello from the demo.", "stop"]);
			assert.ok(usage.inputTokens > 0 && usage.outputTokens > 0, JSON.stringify(usage));
		});

		test("streams text", async () => {
			const { textStream } = streamText({ model, prompt: "slow:3 50" });
			assert.deepEqual(await collect(textStream), ["p0 ", "p1 ", "p2 "]);
		});

		test("takes a turn: runs tools until the answer", async () => {
			const towns = [];
			const weather = tool({
				description: "The weather in a town",
				inputSchema: z.object({ town: z.string() }),
				execute: ({ town }) => {
					towns.push(town);
					return `sunny in ${town}`;
				},
			});
			const { text } = await generateText({
				model,
				prompt: 'say:Let me look.\ncall:weather {"town":"Ulm"}\ncall:weather {"town":"Bonn"}\nthen:\ncall:weather {"town":"Kiel"}\nthen:\nsay:Sunny everywhere.',
				tools: { weather },
				stopWhen: isStepCount(5),
			});
			assert.deepEqual([towns, text], [["Ulm", "Bonn", "Kiel"], "Sunny everywhere."]);
		});

		test("streams tool calls", async () => {
			const { fullStream } = streamText({
				model,
				prompt: 'call:weather {"town":"Ulm"}',
				tools: { weather: tool({ inputSchema: z.object({ town: z.string() }) }) },
			});
			const calls = (await collect(fullStream)).filter((part) => part.type === "tool-call");
			assert.deepEqual(calls.map((call) => call.input), [{ town: "Ulm" }]);
		});

		test("throws a failure with its status", async () => {
			await assert.rejects(
				generateText({ model, prompt: "fail:ChatRateLimited slow down", maxRetries: 0 }),
				(error) => APICallError.isInstance(error) && error.statusCode === 429,
			);
		});

		test("reports a failure in mid-stream", async () => {
			const { fullStream } = streamText({ model, prompt: "say:half a\nfail:Error the model broke off", onError() {} });
			const parts = await collect(fullStream);
			const heard = parts.filter((part) => part.type === "text-delta").map((part) => part.text);
			assert.equal(heard.join(""), "half a");
			assert.match(JSON.stringify(parts.find((part) => part.type === "error")?.error) ?? "", /broke off/);
		});

		test("generates an object that fits its schema", async () => {
			const schema = z.object({ name: z.string(), age: z.number() });
			// Each provider has its own default name for a schema.
			const prompt = `call:${SCHEMA_NAMES[name]} {"name":"Ada","age":36}`;
			const { output } = await generateText({ model, prompt, output: Output.object({ schema }) });
			assert.deepEqual(output, { name: "Ada", age: 36 });

			const stream = streamText({ model, prompt, output: Output.object({ schema }) });
			assert.deepEqual((await collect(stream.partialOutputStream)).at(-1), { name: "Ada", age: 36 });
		});
	});
}
