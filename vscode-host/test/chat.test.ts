import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import type * as vscode from "vscode";
import { runChat } from "../src/chat";
import { Consent } from "../src/model-consent";
import { Models } from "../src/models";
import type { Outbox } from "../src/outbox";
import type { Chat, Message } from "../src/protocol";
import { Request } from "../src/running-request";
import {
	FakeMemento,
	FakeModel,
	fake,
	LanguageModelChatMessage,
	LanguageModelDataPart,
	LanguageModelError,
	LanguageModelTextPart,
	LanguageModelThinkingPart,
	LanguageModelToolCallPart,
	LanguageModelToolResultPart,
	parts,
} from "./fake/vscode";

const memory = () => new FakeMemento() as unknown as vscode.Memento;

const question: Chat = {
	vendor: "copilot",
	model: "gpt",
	messages: [],
	tools: [],
	required: false,
	options: {},
	configuration: {},
	include_encrypted_thinking: false,
};

let model: FakeModel;
let models: Models;

beforeEach(async () => {
	model = new FakeModel("copilot", "gpt");
	fake.models = [model];
	models = new Models();
	await models.read();
});

/** A request that records its response instead of sending it. */
function recording(): { request: Request; recorded: unknown[] } {
	const recorded: unknown[] = [];
	const outbox = {
		full: undefined,
		flush() {},
		message: (_: number, message: unknown) => recorded.push(message),
		text: (kind: number, _: number, text: string) => recorded.push([kind === 1 ? "text" : "thinking", text]),
	};
	return { request: new Request(1, outbox as unknown as Outbox), recorded };
}

async function responseOf(...all: unknown[]): Promise<unknown[]> {
	const { request, recorded } = recording();
	model.answer = () => parts(...all);
	await runChat(question, request, models, new Consent(memory()));
	return recorded;
}

/** Runs a chat and returns the request that the model got. */
async function requestFor(chat: Partial<Chat>): Promise<FakeModel["asked"][number] | undefined> {
	await runChat({ ...question, ...chat }, recording().request, models, new Consent(memory()));
	return model.asked.at(-1);
}

const text = (value: string) => new LanguageModelTextPart(value);
const data = { type: "part", part: { type: "data", mime: "usage", base64: "e30=" } };

test("text parts are sent, empty ones are dropped", async () => {
	assert.deepEqual(await responseOf(text("a "), text(""), text("b")), [
		["text", "a "],
		["text", "b"],
	]);
});

test("a surrogate pair that is split across parts is sent whole", async () => {
	assert.deepEqual(
		await responseOf(text("a\ud83d"), text("\ude00b"), text("\ud83d"), text(""), text("\ude00")),
		[
			["text", "a"],
			["text", "😀b"],
			["text", "😀"],
		],
	);
});

test("a lone surrogate at the end is sent", async () => {
	assert.deepEqual(await responseOf(text("a\ud83d")), [
		["text", "a"],
		["text", "\ud83d"],
	]);
});

test("thinking sends its id when it changes, and one part with its metadata", async () => {
	const thought = (value: string | string[], id?: string, metadata?: object) =>
		new LanguageModelThinkingPart(value, id, metadata);
	const sent = await responseOf(
		thought("hm", "a"),
		thought(["m", "m"], "a"),
		thought("so", "b"),
		thought("", "b", { encrypted_content: "sig", toolId: "1" }),
		thought("", undefined, { vscode_reasoning_done: true }),
		thought("anon"),
		text("yes"),
	);
	assert.deepEqual(sent, [
		{ type: "thinking_id", id: "a" },
		["thinking", "hm"],
		["thinking", "mm"],
		{ type: "thinking_id", id: "b" },
		["thinking", "so"],
		{ type: "part", part: { type: "thinking", text: "", id: "b", metadata: { encrypted_content: "sig" } } },
		["thinking", "anon"],
		["text", "yes"],
	]);
});

test("calls and data are recognized by their shape", async () => {
	const call = { type: "part", part: { type: "tool_call", id: "1", name: "look", input: { at: [1] } } };
	assert.deepEqual(
		await responseOf(
			new LanguageModelToolCallPart("1", "look", { at: [1] }),
			{ callId: "1", name: "look", input: { at: [1] } },
			{ callId: undefined, name: "look", input: undefined },
			new LanguageModelDataPart(Buffer.from("{}"), "usage"),
			{ mimeType: "usage", data: new Uint8Array(Buffer.from(" {} ")).subarray(1, 3) },
		),
		[call, call, { type: "part", part: { type: "tool_call", id: "", name: "look", input: {} } }, data, data],
	);
});

test("unknown parts are dropped", async () => {
	assert.deepEqual(
		await responseOf(undefined, null, 7, "words", {}, { value: 7 }, { value: { node: {} } }, []),
		[],
	);
});

test("messages are converted to VS Code's classes", async () => {
	const image = { type: "data", mime: "image/png", base64: "AQID" } as const;
	const messages: Message[] = [
		{ role: "system", parts: [{ type: "text", text: "Be brief." }] },
		{ role: "user", name: "ann", parts: [{ type: "text", text: "GetExchange:" }, image] },
		{
			role: "assistant",
			parts: [
				{ type: "thinking", text: "hm", id: "t" },
				{ type: "thinking", text: "without an id nobody takes it back" },
				{ type: "thinking", text: "", metadata: { signature: "sig" } },
				{ type: "tool_call", id: "1", name: "look", input: { at: 1 } },
			],
		},
		{
			role: "user",
			parts: [
				{ type: "tool_result", id: "1", content: [{ type: "text", text: "seen" }, image], is_error: false },
			],
		},
	];
	const picture = new LanguageModelDataPart(Buffer.from([1, 2, 3]), "image/png");
	assert.deepEqual((await requestFor({ messages }))?.messages, [
		new LanguageModelChatMessage(1, [text("Be brief.")], undefined),
		new LanguageModelChatMessage(1, [text("GetExchange:"), picture], "ann"),
		new LanguageModelChatMessage(
			2,
			[
				new LanguageModelThinkingPart("hm", "t"),
				new LanguageModelThinkingPart("", undefined, { signature: "sig" }),
				new LanguageModelToolCallPart("1", "look", { at: 1 }),
			],
			undefined,
		),
		new LanguageModelChatMessage(
			1,
			[new LanguageModelToolResultPart("1", [text("seen"), picture])],
			undefined,
		),
	]);
});

test("options are passed on unchanged, and empty ones are left out", async () => {
	const justification = "A program on this machine wants to use the models through Copilot Proxy.";
	assert.deepEqual((await requestFor({ options: { temperature: 0.5 } }))?.options, {
		justification,
		modelOptions: { temperature: 0.5 },
	});
	const schema = { type: "object" };
	const tools = [
		{ name: "look", description: "Looks.", input_schema: schema },
		{ name: "wait", description: "" },
	];
	assert.deepEqual((await requestFor({ tools, configuration: { reasoningEffort: "high" } }))?.options, {
		justification,
		modelOptions: {},
		tools: [
			{ name: "look", description: "Looks.", inputSchema: schema },
			{ name: "wait", description: "" },
		],
		toolMode: 1,
		configuration: { reasoningEffort: "high" },
	});
	assert.equal((await requestFor({ tools: tools.slice(1), required: true }))?.options.toolMode, 2);
	assert.deepEqual((await requestFor({ include_encrypted_thinking: true }))?.options, {
		justification,
		modelOptions: {},
		includeEncryptedThinking: true,
	});
});

test("a removed model is looked up once more", async () => {
	const older = model;
	const newer = new FakeModel("copilot", "gpt");
	older.answer = () => {
		fake.models = [newer];
		throw LanguageModelError.NotFound("copilot/gpt");
	};
	newer.answer = () => parts(text("here"));
	const { request, recorded } = recording();
	await runChat(question, request, models, new Consent(memory()));
	assert.deepEqual(recorded, [["text", "here"]]);
});

test("an unknown model fails with NotFound", async () => {
	fake.models = [];
	const reads = fake.modelReads;
	await assert.rejects(
		runChat({ ...question, model: "none" }, recording().request, models, new Consent(memory())),
		(error) =>
			error instanceof LanguageModelError && error.code === "NotFound" && error.message === "copilot/none",
	);
	assert.equal(fake.modelReads, reads + 1);
});

test("a failure in the middle of a response comes after its parts", async () => {
	const { request, recorded } = recording();
	model.answer = async function* () {
		yield text("a");
		throw new Error("Response got filtered.");
	};
	await assert.rejects(runChat(question, request, models, new Consent(memory())), /Response got filtered/);
	assert.deepEqual(recorded, [["text", "a"]]);
});

test("a cancelled request reads no further parts", async () => {
	const { request, recorded } = recording();
	let pulled = 0;
	model.answer = async function* () {
		for (;;) {
			pulled += 1;
			yield text(`${pulled} `);
			if (pulled === 2) {
				request.cancel();
			}
		}
	};
	await runChat(question, request, models, new Consent(memory()));
	assert.deepEqual(recorded, [
		["text", "1 "],
		["text", "2 "],
	]);
	assert.equal(pulled, 3);
	assert.ok(model.asked[0]?.token.isCancellationRequested);
});

test("a paused request reads no further parts until it is resumed or cancelled", async () => {
	for (const goOn of ["resume", "cancel"] as const) {
		const { request } = recording();
		let pulled = 0;
		model.answer = async function* () {
			for (; pulled < 3; pulled += 1) {
				yield text("a");
			}
		};
		request.pause();
		const answered = runChat(question, request, models, new Consent(memory()));
		for (let turn = 0; turn < 5; turn += 1) {
			await new Promise<void>((resolve) => setImmediate(resolve));
		}
		assert.equal(pulled, 0);
		request[goOn]();
		await answered;
		assert.equal(pulled, goOn === "resume" ? 3 : 1);
	}
});
