#!/usr/bin/env node
// The official Anthropic SDK for Node on the models of your VS Code. Install it with: npm install @anthropic-ai/sdk
// Usage: node anthropic_sdk.mjs [QUESTION]

import Anthropic from "@anthropic-ai/sdk";

const endpoint = process.env.VSCODE_LLM_ENDPOINT ?? "http://127.0.0.1:8080/v1/chat/completions";
const question = process.argv.slice(2).join(" ") || "Say hello in one sentence.";

// The SDK wants a key; the server needs none unless you have made some in VS Code.
const client = new Anthropic({
	baseURL: endpoint.replace("/v1/chat/completions", ""),
	apiKey: process.env.ANTHROPIC_API_KEY ?? "unused",
});

const stream = client.messages.stream({
	model: "claude-sonnet-4",
	max_tokens: 4096,
	messages: [{ role: "user", content: question }],
});
stream.on("text", (text) => process.stdout.write(text));
await stream.finalMessage();
process.stdout.write("\n");
