import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { answer } from "../src/chat";
import { Consent } from "../src/consent";
import { Models } from "../src/models";
import type { Outbox } from "../src/outbox";
import type { Chat, Message } from "../src/protocol";
import { Request } from "../src/request";
import {
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

/** A request whose answer is kept instead of sent. */
function listening(): { request: Request; heard: unknown[] } {
	const heard: unknown[] = [];
	const outbox = {
		full: undefined,
		flush() {},
		message: (_: number, message: unknown) => heard.push(message),
		words: (kind: number, _: number, text: string) => heard.push([kind === 1 ? "text" : "thinking", text]),
	};
	return { request: new Request(1, outbox as unknown as Outbox), heard };
}

async function heard(...all: unknown[]): Promise<unknown[]> {
	const { request, heard } = listening();
	model.answer = () => parts(...all);
	await answer(question, request, models, new Consent());
	return heard;
}

/** What the model was asked. */
async function asked(chat: Partial<Chat>): Promise<FakeModel["asked"][number] | undefined> {
	await answer({ ...question, ...chat }, listening().request, models, new Consent());
	return model.asked.at(-1);
}

const text = (value: string) => new LanguageModelTextPart(value);
const data = { type: "part", part: { type: "data", mime: "usage", base64: "e30=" } };

test("text parts are passed on, empty ones are not", async () => {
	assert.deepEqual(await heard(text("a "), text(""), text("b")), [
		["text", "a "],
		["text", "b"],
	]);
});

test("characters whose halves come in two parts stay whole", async () => {
	assert.deepEqual(await heard(text("a\ud83d"), text("\ude00b"), text("\ud83d"), text(""), text("\ude00")), [
		["text", "a"],
		["text", "😀b"],
		["text", "😀"],
	]);
});

test("half a character at the end is not lost", async () => {
	assert.deepEqual(await heard(text("a\ud83d")), [
		["text", "a"],
		["text", "\ud83d"],
	]);
});

test("a thought is announced when its id changes, and comes whole where its provider wants metadata back", async () => {
	const thought = (value: string | string[], id?: string, metadata?: object) =>
		new LanguageModelThinkingPart(value, id, metadata);
	const said = await heard(
		thought("hm", "a"),
		thought(["m", "m"], "a"),
		thought("so", "b"),
		thought("", "b", { encrypted_content: "sig", toolId: "1" }),
		thought("", undefined, { vscode_reasoning_done: true }),
		thought("anon"),
		text("yes"),
	);
	assert.deepEqual(said, [
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

test("calls and data are passed on, told by their shape", async () => {
	const call = { type: "part", part: { type: "tool_call", id: "1", name: "look", input: { at: [1] } } };
	assert.deepEqual(
		await heard(
			new LanguageModelToolCallPart("1", "look", { at: [1] }),
			{ callId: "1", name: "look", input: { at: [1] } },
			{ callId: undefined, name: "look", input: undefined },
			new LanguageModelDataPart(Buffer.from("{}"), "usage"),
			{ mimeType: "usage", data: new Uint8Array(Buffer.from(" {} ")).subarray(1, 3) },
		),
		[call, call, { type: "part", part: { type: "tool_call", id: "", name: "look", input: {} } }, data, data],
	);
});

test("what is none of these is left out", async () => {
	assert.deepEqual(
		await heard(undefined, null, 7, "words", {}, { value: 7 }, { value: { node: {} } }, []),
		[],
	);
});

test("messages become VS Code's, one to one", async () => {
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
	assert.deepEqual((await asked({ messages }))?.messages, [
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

test("options are passed on as they stand, and those that are empty not at all", async () => {
	const justification = "A program on this machine asks through Copilot Proxy.";
	assert.deepEqual((await asked({ options: { temperature: 0.5 } }))?.options, {
		justification,
		modelOptions: { temperature: 0.5 },
	});
	const schema = { type: "object" };
	const tools = [
		{ name: "look", description: "Looks.", input_schema: schema },
		{ name: "wait", description: "" },
	];
	assert.deepEqual((await asked({ tools, configuration: { reasoningEffort: "high" } }))?.options, {
		justification,
		modelOptions: {},
		tools: [
			{ name: "look", description: "Looks.", inputSchema: schema },
			{ name: "wait", description: "" },
		],
		toolMode: 1,
		configuration: { reasoningEffort: "high" },
	});
	assert.equal((await asked({ tools: tools.slice(1), required: true }))?.options.toolMode, 2);
	assert.deepEqual((await asked({ include_encrypted_thinking: true }))?.options, {
		justification,
		modelOptions: {},
		includeEncryptedThinking: true,
	});
});

test("a model that has vanished is looked for once more", async () => {
	const older = model;
	const newer = new FakeModel("copilot", "gpt");
	older.answer = () => {
		fake.models = [newer];
		throw LanguageModelError.NotFound("copilot/gpt");
	};
	newer.answer = () => parts(text("here"));
	const { request, heard } = listening();
	await answer(question, request, models, new Consent());
	assert.deepEqual(heard, [["text", "here"]]);
});

test("a model that is not there is not found", async () => {
	fake.models = [];
	const reads = fake.modelReads;
	await assert.rejects(
		answer({ ...question, model: "none" }, listening().request, models, new Consent()),
		(error) =>
			error instanceof LanguageModelError && error.code === "NotFound" && error.message === "copilot/none",
	);
	assert.equal(fake.modelReads, reads + 1);
});

test("a failure while the model speaks comes after what it said", async () => {
	const { request, heard } = listening();
	model.answer = async function* () {
		yield text("a");
		throw new Error("Response got filtered.");
	};
	await assert.rejects(answer(question, request, models, new Consent()), /Response got filtered/);
	assert.deepEqual(heard, [["text", "a"]]);
});

test("a cancelled request reads no further part", async () => {
	const { request, heard } = listening();
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
	await answer(question, request, models, new Consent());
	assert.deepEqual(heard, [
		["text", "1 "],
		["text", "2 "],
	]);
	assert.equal(pulled, 3);
	assert.ok(model.asked[0]?.token.isCancellationRequested);
});

test("a paused request pulls no further part, until it goes on or is cancelled", async () => {
	for (const goOn of ["resume", "cancel"] as const) {
		const { request } = listening();
		let pulled = 0;
		model.answer = async function* () {
			for (; pulled < 3; pulled += 1) {
				yield text("a");
			}
		};
		request.pause();
		const answered = answer(question, request, models, new Consent());
		for (let turn = 0; turn < 5; turn += 1) {
			await new Promise<void>((resolve) => setImmediate(resolve));
		}
		assert.equal(pulled, 0);
		request[goOn]();
		await answered;
		assert.equal(pulled, goOn === "resume" ? 3 : 1);
	}
});
