import assert from "node:assert/strict";
import { test } from "node:test";
import { ContextKeys, keysOf, stepsOf } from "../src/context-keys";
import type { HttpState, Status } from "../src/protocol";
import type { ServerState } from "../src/server-state";
import { fake } from "./fake/vscode";

const attached = (http: HttpState, more: Partial<Status> = {}): ServerState => ({
	kind: "attached",
	version: "0.1.0",
	startedHere: true,
	status: {
		http,
		in_flight: 0,
		editors: 1,
		models: 0,
		consent_needed: false,
		requests: 0,
		tokens_in: 0,
		tokens_out: 0,
		started_at: 0,
		...more,
	},
});
const running: HttpState = { state: "running", port: 8080 };

test("the keys tell which commands make sense", () => {
	assert.deepEqual(
		[{ kind: "off" } as const, attached(running), attached({ state: "port_taken", port: 1 })].map(keysOf),
		[
			{ off: true, running: false },
			{ off: false, running: true },
			{ off: false, running: false },
		],
	);
});

test("steps are reached by models and by an answer", () => {
	assert.deepEqual(stepsOf(attached(running)), []);
	assert.deepEqual(stepsOf(attached(running, { models: 1, requests: 1, consent_needed: true })), ["copilot"]);
	assert.deepEqual(stepsOf(attached(running, { models: 1, requests: 1 })), ["copilot", "allow", "ask"]);
});

test("a reached step is ticked once, and again when VS Code opens an editor that may be the walkthrough", () => {
	const keys = new ContextKeys();
	fake.executed.length = 0;
	const ticks = () => fake.executed.splice(0).filter(([, key]) => String(key).includes("reached"));
	const copilot = [true, false].map((value) => ["setContext", "copilotProxy.reached.copilot", value]);
	keys.show(attached(running, { models: 1 }));
	assert.deepEqual(ticks(), copilot);
	keys.show(attached(running, { models: 2 }));
	fake.changes.tabs.fire({ opened: [{ input: {} }], changed: [] });
	assert.deepEqual(ticks(), []);
	fake.changes.tabs.fire({ opened: [{ input: undefined }], changed: [] });
	assert.deepEqual(ticks(), copilot);
	keys.dispose();
});
