import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { Models } from "../src/models";
import { FakeModel, fake, LanguageModelError } from "./fake/vscode";

beforeEach(() => {
	fake.models = [];
	fake.activeExtensions.clear();
	delete process.env.COPILOT_PROXY_TEST_REPORTS_USAGE;
});

async function told(...models: FakeModel[]) {
	fake.models = models;
	const read = new Models();
	await read.read();
	read.dispose();
	return read.infos;
}

test("a model is sent with all its properties", async () => {
	const capabilities = { supportsToolCalling: true, supportsImageToText: false };
	const more = {
		pricing: "1x",
		inputCost: 2,
		category: { label: "Premium" },
		priceCategory: undefined,
		count() {},
	};
	assert.deepEqual(await told(new FakeModel("copilot", "gpt", { capabilities, ...more })), [
		{
			vendor: "copilot",
			id: "gpt",
			family: "gpt",
			version: "1",
			name: "GPT",
			max_input_tokens: 1000,
			tools: true,
			images: false,
			reports_usage: false,
			extra: { pricing: "1x", inputCost: 2, category: { label: "Premium" } },
		},
	]);
});

test("unknown capabilities of a model are left out", async () => {
	const [info] = (await told(new FakeModel("v", "m", { maxInputTokens: Number.NaN }))) ?? [];
	assert.deepEqual(
		[info?.tools, info?.images, info?.max_input_tokens, info?.extra],
		[undefined, undefined, 0, {}],
	);
});

test("only models of Copilot and those marked by a test report usage", async () => {
	const models = [new FakeModel("copilot", "a"), new FakeModel("other", "a"), new FakeModel("other", "b")];
	const marks = async () => (await told(...models))?.map((info) => info.reports_usage);
	assert.deepEqual(await marks(), [false, false, false]);
	fake.activeExtensions.add("GitHub.copilot-chat");
	assert.deepEqual(await marks(), [true, false, false]);
	process.env.COPILOT_PROXY_TEST_REPORTS_USAGE = "other/b,other/c";
	assert.deepEqual(await marks(), [true, false, true]);
});

test("several change events cause one read", async (test) => {
	test.mock.timers.enable({ apis: ["setTimeout"] });
	const models = new Models();
	const before = fake.modelReads;
	const read = new Promise((resolve) => models.onDidRead(resolve));
	fake.models = [new FakeModel("copilot", "gpt")];
	fake.changes.models.fire();
	fake.changes.models.fire();
	fake.changes.models.fire();
	test.mock.timers.tick(50);
	await read;
	assert.equal(fake.modelReads, before + 1);
	assert.equal(models.find("copilot", "gpt"), fake.models[0]);
});

test("models are found by vendor and id", async () => {
	const models = new Models();
	fake.models = [new FakeModel("a", "m"), new FakeModel("b", "m")];
	await models.read();
	assert.equal(models.find("b", "m"), fake.models[1]);
	assert.throws(() => models.find("b", "n"), LanguageModelError);
});

test("a failed read rejects its callers, and the next read succeeds", async () => {
	const models = new Models();
	const select = Object.getOwnPropertyDescriptor(fake, "models");
	Object.defineProperty(fake, "models", {
		configurable: true,
		get() {
			throw new Error("no window");
		},
	});
	await assert.rejects(models.read(), /no window/);
	Object.defineProperty(fake, "models", select ?? {});
	await models.read();
	assert.deepEqual(models.infos, []);
});
