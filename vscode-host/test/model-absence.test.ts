import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { ModelAbsence } from "../src/model-absence";
import { fake } from "./fake/vscode";

const COPILOT = "GitHub.copilot-chat";

beforeEach(() => {
	fake.missingExtensions.clear();
	fake.accounts = [];
	fake.executed.length = 0;
	fake.opened.length = 0;
});

test("each reason has the remedy that removes it", async () => {
	const absence = new ModelAbsence(() => false);
	fake.missingExtensions.add(COPILOT);
	await absence.check();
	assert.equal(absence.reason, "not_installed");
	await absence.resolve();
	assert.deepEqual(fake.executed.pop()?.slice(0, 2), ["workbench.extensions.installExtension", COPILOT]);

	fake.missingExtensions.clear();
	await absence.check();
	assert.equal(absence.reason, "not_signed_in");
	await absence.resolve();
	assert.deepEqual(fake.executed.pop(), ["workbench.action.chat.triggerSetup"]);

	fake.accounts = ["me"];
	await absence.resolve();
	assert.equal(absence.reason, "none_offered");
	assert.deepEqual(fake.opened, ["https://github.com/settings/copilot"]);
	absence.dispose();
});

test("an extension or an account that comes or goes changes the reason", async () => {
	let hasModels = false;
	const absence = new ModelAbsence(() => hasModels);
	let changes = 0;
	absence.onDidChange(() => {
		changes += 1;
	});
	const settled = () => new Promise((resolve) => setImmediate(resolve));
	fake.changes.extensions.fire();
	await settled();
	assert.deepEqual([absence.reason, changes], ["not_signed_in", 1]);
	fake.accounts = ["me"];
	fake.changes.sessions.fire({});
	await settled();
	assert.deepEqual([absence.reason, changes], ["none_offered", 2]);
	hasModels = true;
	assert.equal(absence.reason, undefined);
	absence.dispose();
});
