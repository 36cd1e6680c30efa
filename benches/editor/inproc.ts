// The target `inproc`: the smallest HTTP server within the extension host itself. It has no limits, no access control, no
// usage and one dialect; each part is one chunk, as in extensions with such a server.

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import {
	CancellationTokenSource,
	LanguageModelChatMessage,
	LanguageModelChatMessageRole,
	LanguageModelTextPart,
} from "../../vscode-host/test/fake/vscode";
import { obeyHarness } from "./control";
import { type Message, Model } from "./model";

interface Question {
	stream?: boolean;
	messages: { role: string; content: string }[];
}

const model = new Model();
let asked = 0;

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
	const body: Buffer[] = [];
	for await (const piece of request) {
		body.push(piece);
	}
	const question: Question = JSON.parse(Buffer.concat(body).toString());
	const messages = question.messages.map(({ role, content }) => {
		const { Assistant, User } = LanguageModelChatMessageRole;
		const part = new LanguageModelTextPart(content);
		return new LanguageModelChatMessage(role === "assistant" ? Assistant : User, [part]);
	});
	const cancellation = new CancellationTokenSource();
	response.on("close", () => cancellation.cancel());
	const { stream } = await model.sendRequest(messages as Message[], {}, cancellation.token);

	asked += 1;
	const about = { id: `chatcmpl-${asked}`, created: Math.floor(Date.now() / 1000), model: model.id };
	if (!question.stream) {
		let content = "";
		for await (const part of stream) {
			content += part instanceof LanguageModelTextPart ? part.value : "";
		}
		const choice = { index: 0, message: { role: "assistant", content }, finish_reason: "stop" };
		response.setHeader("content-type", "application/json");
		response.end(JSON.stringify({ ...about, object: "chat.completion", choices: [choice] }));
		return;
	}
	const chunk = (delta: object, finish: string | null) => {
		const choices = [{ index: 0, delta, finish_reason: finish }];
		const json = JSON.stringify({ ...about, object: "chat.completion.chunk", choices });
		response.write(`data: ${json}\n\n`);
	};
	response.setHeader("content-type", "text/event-stream");
	for await (const part of stream) {
		if (part instanceof LanguageModelTextPart) {
			chunk({ content: part.value }, null);
		}
	}
	chunk({}, "stop");
	response.end("data: [DONE]\n\n");
}

const server = createServer((request, response) => void answer(request, response));
server.listen(0, "127.0.0.1", () => obeyHarness({ port: (server.address() as AddressInfo).port }));
