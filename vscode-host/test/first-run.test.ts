import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import type * as vscode from "vscode";
import { FirstRun } from "../src/first-run";
import type { Status } from "../src/protocol";
import type { ServerState } from "../src/server-state";
import { FakeMemento, fake } from "./fake/vscode";

beforeEach(() => {
	fake.notifications.length = 0;
	fake.executed.length = 0;
	fake.focused = true;
	fake.click = undefined;
});

const ready = (more: Partial<Status & { startedHere: boolean }> = {}): ServerState => {
	const { startedHere = true, ...status } = more;
	return {
		kind: "attached",
		version: "0.1.0",
		startedHere,
		status: {
			http: { state: "running", port: 8080 },
			in_flight: 0,
			editors: 1,
			models: 8,
			consent_needed: false,
			requests: 0,
			tokens_in: 0,
			tokens_out: 0,
			started_at: 0,
			...status,
		},
	};
};
const memory = () => new FakeMemento() as unknown as vscode.Memento;

test("the notification is shown once, when the server is ready", () => {
	const remembered = memory();
	const window = new FirstRun(remembered);
	window.greet({ kind: "starting" });
	window.greet(ready({ models: 0 }));
	assert.deepEqual(fake.notifications, []);
	window.greet(ready());
	window.greet(ready());
	new FirstRun(remembered).greet(ready());
	assert.deepEqual(fake.notifications, [
		[
			"Copilot Proxy is ready: programs on this machine can use Copilot's models at http://127.0.0.1:8080.",
			"Set up Claude Code",
			"Copy curl Command",
			"Get Started",
		],
	]);
});

test("it is not shown in an unfocused window or one that didn't start the server", () => {
	const window = new FirstRun(memory());
	window.greet(ready({ startedHere: false }));
	fake.focused = false;
	window.greet(ready());
	assert.deepEqual(fake.notifications, []);
});

test("each button runs its command", async () => {
	for (const label of ["Get Started", "Set up Claude Code", "Copy curl Command"]) {
		fake.click = label;
		new FirstRun(memory()).greet(ready());
	}
	await new Promise((resolve) => setImmediate(resolve));
	assert.deepEqual(fake.executed, [
		["workbench.action.openWalkthrough", "copilot-proxy.copilot-proxy#start"],
		["copilotProxy.setUp", "claude-code"],
		["copilotProxy.copyCurl"],
	]);
});
