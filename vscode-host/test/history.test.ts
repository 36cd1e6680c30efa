import assert from "node:assert/strict";
import { test } from "node:test";
import { History, type HistoryItems } from "../src/history";
import {
	data,
	encodedData,
	keys,
	message,
	text,
	thinking,
	toolCall,
	toolResult,
	tools,
} from "./fake/history";
import {
	LanguageModelChatMessageRole,
	LanguageModelDataPart,
	LanguageModelTextPart,
	LanguageModelThinkingPart,
	LanguageModelToolCallPart,
	LanguageModelToolResultPart,
} from "./fake/vscode";

const { User, Assistant } = LanguageModelChatMessageRole;

function history(): History {
	return new History((error) => {
		throw error;
	});
}

async function taken(held: History, stream: number): Promise<HistoryItems> {
	const result = held.take(stream);
	assert.equal(result.kind, "items");
	return held.decoded((result as Extract<typeof result, { kind: "items" }>).items);
}

test("items are decoded to VS Code's classes", async () => {
	const held = history();
	held.addItem(1, message(1, "system", text("Be brief.")));
	held.addItem(1, message(2, "user", text("größer 日本語 😀"), data("image/png", Buffer.of(1, 2, 3))));
	held.addItem(1, message(3, "user", encodedData("a/b", "AR=="), text("")));
	const seal = { signature: "ü" };
	held.addItem(
		1,
		message(
			4,
			"assistant",
			thinking("hm", "t", seal),
			thinking("well"),
			toolCall("1", "read", { path: "ä" }),
		),
	);
	held.addItem(1, message(5, "user", toolResult("1", text("x"), data("a/b", Buffer.of(255)))));
	held.addItem(1, tools(6, [{ name: "a", description: "ö", input_schema: { type: "object" } }]));
	const { messages, tools: offered } = await taken(held, 1);
	assert.deepEqual(
		messages.map(({ role, content }) => [role, content]),
		[
			[User, [new LanguageModelTextPart("Be brief.")]],
			[
				User,
				[
					new LanguageModelTextPart("größer 日本語 😀"),
					new LanguageModelDataPart(Buffer.of(1, 2, 3), "image/png"),
				],
			],
			[User, [new LanguageModelDataPart(Buffer.of(1), "a/b"), new LanguageModelTextPart("")]],
			[
				Assistant,
				[
					new LanguageModelThinkingPart("hm", "t", seal),
					new LanguageModelToolCallPart("1", "read", { path: "ä" }),
				],
			],
			[
				User,
				[
					new LanguageModelToolResultPart("1", [
						new LanguageModelTextPart("x"),
						new LanguageModelDataPart(Buffer.of(255), "a/b"),
					]),
				],
			],
		],
	);
	assert.deepEqual(offered, [{ name: "a", description: "ö", inputSchema: { type: "object" } }]);
});

test("held items are used again, in any order and by several requests", async () => {
	const held = history();
	held.addItem(1, message(1, "user", text("one")));
	held.addItem(1, message(2, "assistant", text("two")));
	const first = await taken(held, 1);
	held.addKnown(2, keys(1, 2));
	held.addKnown(3, keys(2));
	held.addItem(2, message(3, "user", text("three")));
	const second = await taken(held, 2);
	assert.equal(second.messages.length, 3);
	assert.equal(second.messages[0], first.messages[0]);
	assert.equal(second.messages[1], first.messages[1]);
	assert.deepEqual((await taken(held, 3)).messages, [first.messages[1]]);
	assert.equal(held.take(2).kind, "none");
});

test("a request with an item that isn't held is missing, whatever else it has", () => {
	const held = history();
	held.addItem(1, message(1, "user", text("one")));
	held.forget(keys(1, 9));
	held.addKnown(2, keys(1));
	held.addItem(2, message(2, "user", text("two")));
	assert.equal(held.take(2).kind, "missing");
	assert.equal(held.take(1).kind, "items");
	held.forget(keys());
	held.addKnown(3, keys(2));
	assert.equal(held.take(3).kind, "missing");
});

test("a long history is decoded in later turns, keeps its order and no reference to what was read", async () => {
	const held = history();
	const count = 400;
	for (let number = 0; number < count; number += 1) {
		const payload = message(number, "user", text(`${number}${"ü".repeat(32 * 1024)}`));
		held.addItem(1, payload);
		payload.fill(0xff); // the next read overwrites it
	}
	const result = held.take(1);
	assert.equal(result.kind, "items");
	const items = held.decoded((result as Extract<typeof result, { kind: "items" }>).items);
	assert.ok(items instanceof Promise, "13 MB were decoded in one turn");
	let turns = 0;
	let ended = false;
	const counted = (async () => {
		for (; !ended; turns += 1) {
			await new Promise((resolve) => setImmediate(resolve));
		}
	})();
	const { messages } = await items;
	ended = true;
	await counted;
	assert.ok(turns > 2, `${turns} turns`);
	const starts = messages.map(({ content }) =>
		Number.parseInt((content[0] as LanguageModelTextPart).value, 10),
	);
	assert.deepEqual(
		starts,
		Array.from({ length: count }, (_, number) => number),
	);
});

test("an invalid item is reported", () => {
	assert.throws(() => history().addItem(1, message(1, "user", Buffer.of(9))), /a part of kind 9/);
	assert.throws(
		() => history().addItem(1, message(1, "user", text("cut")).subarray(0, -1)),
		/ends too early/,
	);
});
