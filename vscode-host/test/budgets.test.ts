import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { showBudgetNotice } from "../src/budgets";
import type { FromEditor } from "../src/protocol";
import { fake } from "./fake/vscode";

const budget = "all/day/credits";

beforeEach(() => {
	fake.notifications.length = 0;
});

/** Shows a notice while the user chooses this button, and returns the messages to the server. */
async function show(add: string | undefined, button: string | undefined): Promise<FromEditor[]> {
	const sent: FromEditor[] = [];
	fake.click = button;
	await showBudgetNotice({ budget, message: "The budget is used up.", ...(add ? { add } : {}) }, (message) =>
		sent.push(message),
	);
	fake.click = undefined;
	return sent;
}

test("a used-up budget can be raised or lifted", async () => {
	assert.deepEqual(await show("Add 50", "Add 50"), [{ type: "change_budget", budget, change: "add" }]);
	assert.deepEqual(await show("Add 50", "Lift for Today"), [
		{ type: "change_budget", budget, change: "lift_today" },
	]);
	assert.deepEqual(await show("Add 50", undefined), []);
	assert.match(JSON.stringify(fake.notifications), /The budget is used up/);
});

test("a warning before that has no buttons", async () => {
	assert.deepEqual(await show(undefined, undefined), []);
	assert.doesNotMatch(JSON.stringify(fake.notifications), /Lift/);
});
