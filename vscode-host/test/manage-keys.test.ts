import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import type * as vscode from "vscode";
import { Keys } from "../src/keys";
import { ManageKeys } from "../src/manage-keys";
import type { PersonKey } from "../src/protocol";
import { FakeSecrets, fake } from "./fake/vscode";

const CI: PersonKey = { name: "ci", key: "one", models: ["gpt*"], tools: false, per_day: 5 };
const MINE: PersonKey = { name: "mine", key: "two", models: [], tools: true };

let secrets = new FakeSecrets();

beforeEach(() => {
	secrets = new FakeSecrets();
	fake.dialog.length = 0;
	fake.notifications.length = 0;
	fake.clipboard = "";
	fake.click = undefined;
});

/** Runs the dialog with these answers: labels of items, texts, undefined to dismiss. */
async function manage(before: PersonKey[], ...answers: (string | undefined)[]): Promise<PersonKey[]> {
	secrets.values.set("keys", JSON.stringify(before));
	fake.answers = answers;
	const keys = new Keys(secrets as unknown as vscode.SecretStorage);
	await new ManageKeys(keys).start();
	assert.deepEqual(fake.answers, [], "answers that nothing asked for");
	keys.dispose();
	return JSON.parse(secrets.values.get("keys") ?? "[]");
}

test("a key is added with its models, tools and limits, and copied", async () => {
	const [made, ...others] = await manage(
		[],
		"Add Key",
		" ci ",
		"Models",
		"claude-*, gpt-5-mini,",
		"Editor's Tools",
		"Credits per Day",
		"2.5",
		"Credits in All",
		"100",
		"Add and Copy",
	);
	assert.match(made?.key ?? "", /^cp-[\w-]{32}$/);
	assert.deepEqual(made, {
		name: "ci",
		key: fake.clipboard,
		models: ["claude-*", "gpt-5-mini"],
		tools: false,
		per_day: 2.5,
		total: 100,
	});
	assert.deepEqual(others, []);
	assert.deepEqual(fake.notifications, [["The key ci was copied. From now on every request needs a key."]]);
	const [again] = await manage([], "Add Key", "ci", "Add and Copy");
	assert.notEqual(again?.key, made?.key);
});

test("a dismissed dialog changes nothing", async () => {
	for (const answers of [
		[undefined],
		["Add Key", undefined],
		["Add Key", "x", undefined],
		["ci", undefined],
	]) {
		assert.deepEqual(await manage([CI], ...answers), [CI]);
	}
	assert.equal(fake.clipboard, "");
});

test("the list says what each key permits, and never its text", async () => {
	await manage([CI, MINE], undefined);
	assert.deepEqual(fake.dialog, [
		["$(add) Add Key...", "$(key) ci: gpt* · no tools · 5 credits per day", "$(key) mine: all models"],
	]);
});

test("a key is copied, changed and revoked", async () => {
	assert.deepEqual(await manage([CI, MINE], "ci", "Copy"), [CI, MINE]);
	assert.equal(fake.clipboard, "one");
	const changed = await manage([CI, MINE], "ci", "Change", "Credits per Day", "", "Name", "build", "Save");
	assert.deepEqual(changed, [{ name: "build", key: "one", models: ["gpt*"], tools: false }, MINE]);
	fake.click = "Revoke";
	assert.deepEqual(await manage([CI, MINE], "ci", "Revoke"), [MINE]);
	fake.click = undefined;
	assert.deepEqual(await manage([CI, MINE], "ci", "Revoke"), [CI, MINE]);
});

test("a name that another key has and a limit that is no positive number are refused", async () => {
	await assert.rejects(manage([CI, MINE], "Add Key", "mine"), /There is a key mine already/);
	await assert.rejects(manage([CI], "Add Key", " "), /Enter a name/);
	for (const limit of ["0", "-1", "much", "1e999"]) {
		await assert.rejects(manage([CI], "ci", "Change", "Credits per Month", limit), /positive number/);
	}
});
