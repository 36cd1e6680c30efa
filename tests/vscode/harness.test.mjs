// Tests of the harness and the scripted provider, without the extension under test.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";
import { alive, processesOf, startEditor, until } from "./harness/index.mjs";

let editor;
let window;

before(async () => {
	editor = await startEditor({ extensions: [path.join(import.meta.dirname, "consumer")] });
	window = await editor.open();
});
after(() => editor?.stop());

/** Runs in the consumer: sends a request to a model and returns the parts of its response as plain data. */
async function asking({ vscode }, vendor, id, content, options) {
	const [model] = await vscode.lm.selectChatModels({ vendor, id });
	const response = await model.sendRequest([vscode.LanguageModelChatMessage.User(content)], options);
	const parts = [];
	for await (const part of response.stream) {
		if (part instanceof vscode.LanguageModelDataPart)
			parts.push({ [part.mimeType]: JSON.parse(new TextDecoder().decode(part.data)) });
		else if (part instanceof vscode.LanguageModelThinkingPart) parts.push({ thinking: part.value });
		else if (part instanceof vscode.LanguageModelToolCallPart)
			parts.push({ call: part.name, input: part.input });
		else parts.push({ text: part.value });
	}
	return parts;
}
const answer = (content, options) => window.consumer(asking, "scripted", "scripted-1", content, options);
const textOf = (parts) => parts.map(({ text }) => text).join("");

test("the models of both vendors can be selected", async () => {
	const models = await window.consumer(async ({ vscode }) =>
		(await vscode.lm.selectChatModels()).map(({ vendor, id }) => `${vendor}/${id}`),
	);
	assert.deepEqual(models.toSorted(), [
		"copilot/claude-haiku-4.5",
		"copilot/claude-opus-4.6",
		"copilot/claude-sonnet-4.5",
		"copilot/gpt-4.1",
		"copilot/gpt-5-mini",
		"scripted/scripted-1",
		"scripted/scripted-mini",
		"scripted/scripted-usage",
	]);
});

test("a script produces its parts one by one", async () => {
	const tools = [{ name: "get", description: "Gets.", inputSchema: { type: "object" } }];
	assert.deepEqual(await answer('say:Hello, world\nthink:hm\ncall:get {"a":1}\nusage:7 5 3', { tools }), [
		{ text: "Hello, " },
		{ text: "world" },
		{ thinking: "hm" },
		{ call: "get", input: { a: 1 } },
		{
			usage: {
				prompt_tokens: 7,
				completion_tokens: 5,
				total_tokens: 12,
				prompt_tokens_details: { cached_tokens: 3 },
				completion_tokens_details: { reasoning_tokens: 0 },
			},
		},
	]);
	const parts = await answer("parts:2000 40");
	assert.deepEqual(
		parts.map(({ text }) => text),
		Array.from({ length: 2000 }, (_, i) => String(i).padEnd(40, ".")),
	);
});

test("the halves of a surrogate pair can arrive in two parts", async () => {
	assert.deepEqual(await answer("units:😀"), [{ text: "\ud83d" }, { text: "\ude00" }]);
});

test("dump shows what reached the model", async () => {
	const tools = [{ name: "get", description: "Gets.", inputSchema: { type: "object" } }];
	assert.deepEqual(
		JSON.parse(textOf(await answer("dump:", { tools, modelOptions: { temperature: 0.5, stop: ["x"] } }))),
		{
			messages: [{ role: "user", parts: [{ type: "text", text: "dump:" }] }],
			tools,
			toolMode: "auto",
			modelOptions: { temperature: 0.5 },
		},
	);
});

test("a failure keeps its code or name and the text before it", async () => {
	const failure = (content) =>
		window.consumer(async ({ vscode }, content) => {
			const [model] = await vscode.lm.selectChatModels({ id: "scripted-1" });
			let said = "";
			try {
				const { text } = await model.sendRequest([vscode.LanguageModelChatMessage.User(content)]);
				for await (const piece of text) said += piece;
			} catch ({ name, code, message }) {
				return { said, name, code, message };
			}
		}, content);
	assert.deepEqual(await failure("say:half\nfail:Blocked too many"), {
		said: "half",
		name: "LanguageModelError",
		code: "Blocked",
		message: "too many",
	});
	assert.deepEqual(await failure("fail:ChatQuotaExceeded all used"), {
		said: "",
		name: "ChatQuotaExceeded",
		message: "all used",
	});
	assert.deepEqual(await failure("fail:ChatRateLimited slow down"), {
		said: "",
		name: "ChatRateLimited",
		message: "slow down",
	});
});

test("requests that Copilot refuses are refused", async () => {
	const tools = ["a", "b"].map((name) => ({ name, description: name }));
	await assert.rejects(
		answer("say:no", { tools, toolMode: 2 }),
		/Required is not supported with more than one tool/,
	);
});

test("a cancellation reaches the provider, and stats counts it", async () => {
	const before = JSON.parse(textOf(await answer("stats:")));
	await window.consumer(async ({ vscode }) => {
		const [model] = await vscode.lm.selectChatModels({ id: "scripted-1" });
		const source = new vscode.CancellationTokenSource();
		const response = await model.sendRequest(
			[vscode.LanguageModelChatMessage.User("say:on\nhang:")],
			{},
			source.token,
		);
		try {
			for await (const _ of response.text) source.cancel();
		} catch {
			/* as Copilot does: the stream of a cancelled request rejects */
		}
	});
	await until(
		async () => JSON.parse(textOf(await answer("stats:"))).cancelled === before.cancelled + 1,
		"the cancellation to be counted",
	);
});

test("a Copilot model needs consent: a refusal is NoPermissions, consent is kept", async () => {
	const ask = (content) =>
		window.consumer(asking, "copilot", "gpt-4.1", content, { justification: "To be tested." });
	const refused = ask("say:no").then(
		() => assert.fail("it answered"),
		({ code }) => code,
	);
	assert.match(
		await window.answer("Cancel"),
		/'Scripted Consumer' wants to access the language models[\s\S]*To be tested\./,
	);
	assert.equal(await refused, "NoPermissions");
	const allowed = ask("say:yes");
	await window.answer("Allow");
	const [said, ended] = await allowed;
	assert.deepEqual([said, ended.usage.completion_tokens], [{ text: "yes" }, 1]);
	assert.deepEqual(await ask("say:again\ncut:"), [{ text: "again" }]);
});

test("a change of the models fires its event", async () => {
	await window.provider(({ state }) => {
		state.models.scripted.push({ ...state.models.scripted[0], id: "scripted-new" });
		state.changed.fire();
	});
	await until(() => window.consumer(({ state }) => state.changes > 0), "onDidChangeChatModels");
	await until(
		() =>
			window.consumer(
				async ({ vscode }) => (await vscode.lm.selectChatModels({ id: "scripted-new" })).length,
			),
		"the new model",
	);
});

test("each test tool returns its kind of result or fails as described", async () => {
	const invoke = (name, input = {}) =>
		window.consumer(
			async ({ vscode }, name, input) => {
				const { content } = await vscode.lm.invokeTool(name, { input, toolInvocationToken: undefined });
				return content.map(
					(part) => part.mimeType ?? part.value.node?.children.map(({ text }) => text) ?? part.value,
				);
			},
			name,
			input,
		);
	assert.deepEqual(await invoke("test_add", { a: 40, b: 2 }), ["42"]);
	assert.deepEqual(await invoke("test_tree"), [["src/", "README.md"]]);
	assert.deepEqual(await invoke("test_picture"), ["one red pixel", "image/png"]);
	await assert.rejects(invoke("test_fail", { message: "no luck" }), /no luck/);
	const confirmed = invoke("test_confirm");
	assert.match(await window.answer("Yes"), /Really\?/);
	assert.deepEqual(await confirmed, ["confirmed"]);
});

test("a cancelled tool call sees its token cancelled", async () => {
	const hearing = window.consumer(async ({ vscode }) => {
		const source = new vscode.CancellationTokenSource();
		const running = vscode.lm.invokeTool(
			"test_hang",
			{ input: {}, toolInvocationToken: undefined },
			source.token,
		);
		setTimeout(() => source.cancel(), 100);
		await running.then(
			() => {},
			() => {},
		);
	});
	await until(() => window.provider(({ state }) => state.toolCancellations === 1), "the cancellation");
	await hearing;
});

test("the harness uses the command palette, the status bar and notifications", async () => {
	await window.untilStatus("copilot-proxy-tests.consumer", "status", "Consumer: ready");
	await window.command("Scripted Consumer: Greet");
	await until(
		async () => (await window.notifications()).some((text) => text.includes("Hello from the palette")),
		"the notification",
	);
});

test("a proposed API is refused to extensions that don't declare it", () =>
	assert.rejects(
		window.consumer(async ({ vscode }) => {
			const [model] = await vscode.lm.selectChatModels({ id: "scripted-1" });
			await model.sendRequest([new vscode.LanguageModelChatMessage(3, "a system message")]);
		}),
		/CANNOT use API proposal: languageModelSystem/,
	));

test("reloads and crashes start a new extension host, and each window has its own", async () => {
	const first = window.pid;
	window = await editor.reload(window);
	await until(() => !alive(first), "the first extension host to end");
	const second = window.pid;
	window = await editor.killExtensionHost(window);
	const other = await editor.open();
	assert.equal(new Set([first, second, window.pid, other.pid]).size, 4);
	await editor.close(other);
});

test("stopping leaves no process and no file", async () => {
	assert.ok(processesOf(editor.run).some(({ pid }) => pid === window.pid));
	assert.deepEqual(await editor.stop(), []);
	assert.deepEqual(processesOf(editor.run), []);
	assert.equal(fs.existsSync(editor.run), false);
});
