import assert from "node:assert/strict";
import { test } from "node:test";
import { viewOf } from "../src/panel-view";
import type { HttpState } from "../src/protocol";
import type { ServerState } from "../src/server-state";

const attached = (http: HttpState, consentNeeded = false): ServerState => ({
	kind: "attached",
	version: "0.1.0",
	startedHere: true,
	status: {
		http,
		in_flight: 1,
		editors: 2,
		models: 1,
		consent_needed: consentNeeded,
		requests: 3,
		tokens_in: 4,
		tokens_out: 5,
		started_at: 6,
	},
});
const shown = (state: ServerState) => viewOf({ state, models: [], settings: [], needsKey: false });

test("a running server has an endpoint, totals and a stop action", () => {
	assert.deepEqual(shown(attached({ state: "running", port: 8080 })), {
		title: "Running on port 8080",
		detail: "Programs on this machine can use 1 model at http://127.0.0.1:8080.",
		tone: "running",
		actions: ["stop", "restart", "setUp", "diagnose", "showLogs"],
		endpoint: "http://127.0.0.1:8080",
		needsKey: false,
		totals: {
			requests: 3,
			running: 1,
			tokensIn: 4,
			tokensOut: 5,
			windows: 2,
			startedAt: 6,
			version: "0.1.0",
		},
		models: [],
		settings: [],
	});
});

test("without a server the view has a start action and no totals", () => {
	assert.deepEqual(shown({ kind: "off" }), {
		title: "Off",
		detail: "No server is running.",
		tone: "idle",
		actions: ["start", "setUp", "diagnose", "showLogs"],
		needsKey: false,
		models: [],
		settings: [],
	});
});

test("the actions depend on the state", () => {
	const actions = (state: ServerState) => shown(state).actions.join(" ");
	assert.deepEqual(
		[
			actions(attached({ state: "off" })),
			actions(attached({ state: "running", port: 1 }, true)),
			actions(attached({ state: "port_taken", port: 1, free_port: 2 })),
			actions({ kind: "starting" }),
			actions({ kind: "failed", reason: "it died" }),
		],
		[
			"start setUp diagnose showLogs",
			"allow stop restart setUp diagnose showLogs",
			"stop restart setUp diagnose showLogs",
			"stop restart setUp diagnose showLogs",
			"start setUp diagnose showLogs",
		],
	);
});

test("the remedy removes the cause of the state", () => {
	const { remedy } = shown(attached({ state: "port_taken", port: 1, free_port: 2 }));
	assert.deepEqual(remedy, { title: "Use 2", command: "useFreePort" });
	// Allow Models... is among the actions.
	assert.equal(shown(attached({ state: "running", port: 1 }, true)).remedy, undefined);
});
