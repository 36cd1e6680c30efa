#!/usr/bin/env node
// The official OpenAI SDK for Node on the models of your VS Code. Install it with: npm install openai
// Usage: node openai_sdk.mjs [QUESTION]

import OpenAI from "openai";

const endpoint = process.env.VSCODE_LLM_ENDPOINT ?? "http://127.0.0.1:8080/v1/chat/completions";
const question = process.argv.slice(2).join(" ") || "Say hello in one sentence.";

// The SDK wants a key; the server needs none unless you have made some in VS Code.
const client = new OpenAI({
	baseURL: endpoint.replace("/chat/completions", ""),
	apiKey: process.env.OPENAI_API_KEY ?? "unused",
});

const stream = await client.chat.completions.create({
	model: "gpt-4o",
	messages: [{ role: "user", content: question }],
	stream: true,
});
for await (const chunk of stream) {
	process.stdout.write(chunk.choices[0]?.delta.content ?? "");
}
process.stdout.write("\n");
