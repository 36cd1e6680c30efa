#!/usr/bin/env node
// Asks a model of your VS Code with nothing but Node's own fetch, and prints the answer as it comes.
// Usage: node node_fetch.mjs [QUESTION]

const endpoint = process.env.VSCODE_LLM_ENDPOINT ?? "http://127.0.0.1:8080/v1/chat/completions";
const question = process.argv.slice(2).join(" ") || "Say hello in one sentence.";

const response = await fetch(endpoint, {
	method: "POST",
	headers: { "content-type": "application/json" },
	body: JSON.stringify({ model: "gpt-4o", stream: true, messages: [{ role: "user", content: question }] }),
});
if (!response.ok) {
	throw new Error((await response.json()).error.message);
}

let unread = "";
for await (const bytes of response.body.pipeThrough(new TextDecoderStream())) {
	const lines = (unread + bytes).split("\n");
	unread = lines.pop();
	for (const line of lines) {
		if (line.startsWith("data: ") && line !== "data: [DONE]") {
			const event = JSON.parse(line.slice("data: ".length));
			if (event.error) {
				throw new Error(event.error.message);
			}
			process.stdout.write(event.choices[0]?.delta.content ?? "");
		}
	}
}
process.stdout.write("\n");
