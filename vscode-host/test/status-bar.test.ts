import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { Notices } from "../src/notices";
import type { HttpState, Status } from "../src/protocol";
import type { Absence, ServerState } from "../src/server-state";
import { StatusBar } from "../src/status-bar";
import { fake, type MarkdownString, ThemeColor } from "./fake/vscode";

beforeEach(() => {
	fake.notifications.length = 0;
	fake.focused = true;
});

function attached(http: HttpState, more: Partial<Status & { startedHere: boolean }> = {}): ServerState {
	const { startedHere = false, ...status } = more;
	return {
		kind: "attached",
		version: "0.1.0",
		startedHere,
		status: {
			http,
			in_flight: 0,
			editors: 2,
			models: 8,
			consent_needed: false,
			requests: 1234,
			tokens_in: 56,
			tokens_out: 7,
			started_at: 0,
			...status,
		},
	};
}

const running: HttpState = { state: "running", port: 8080 };

test("the status bar shows each state in one line", () => {
	const bar = new StatusBar("open");
	const line = (state: ServerState) => {
		bar.show(state);
		return fake.statusItem.text;
	};
	const withoutStatus: ServerState = {
		kind: "attached",
		version: "0.1.0",
		startedHere: true,
		status: undefined,
	};
	assert.deepEqual(
		[
			line({ kind: "off" }),
			line({ kind: "starting" }),
			line(withoutStatus),
			line(attached(running)),
			line(attached(running, { in_flight: 3 })),
			line(attached(running, { models: 0 })),
			line(attached(running, { consent_needed: true })),
			line(attached(running, { consent_needed: true, in_flight: 1 })),
			line(attached({ state: "port_taken", port: 8080 })),
			line(attached({ state: "failed", port: 80, message: "denied" })),
			line(attached({ state: "off" })),
			line({ kind: "outdated", reason: "reload" }),
			line({ kind: "failed", reason: "no program" }),
		],
		[
			"$(circle-slash) Copilot Proxy: Off",
			"$(sync~spin) Copilot Proxy: Starting",
			"$(sync~spin) Copilot Proxy: Starting",
			"$(copilot-proxy) Copilot Proxy: 8080",
			"$(copilot-proxy) Copilot Proxy: 8080 (3)",
			"$(warning) Copilot Proxy: No models",
			"$(warning) Copilot Proxy: Allow models",
			"$(copilot-proxy) Copilot Proxy: 8080 (1)",
			"$(warning) Copilot Proxy: 8080 taken",
			"$(error) Copilot Proxy: Error",
			"$(circle-slash) Copilot Proxy: Off",
			"$(warning) Copilot Proxy: Reload",
			"$(error) Copilot Proxy: Error",
		],
	);
	assert.equal(fake.statusItem.command, "open");
});

test("the tooltip is a table, and warnings and errors have a background color", () => {
	const bar = new StatusBar("open");
	bar.show(attached(running, { in_flight: 3 }));
	const { value } = fake.statusItem.tooltip as MarkdownString;
	assert.match(
		value,
		/^Programs on this machine can use 8 models at http:\/\/127\.0\.0\.1:8080\. Another window has started the server\.\n\n\| \| \|\n/,
	);
	for (const row of ["| Models | 8 |", "| Windows | 2 |", "| Requests now | 3 |", "| Requests | 1,234 |"]) {
		assert.ok(value.includes(row), `${row} in ${value}`);
	}
	assert.match(value, /\[Open Panel\]\(command:copilotProxy\.showStatus\) · \[Stop Server\]/);
	bar.show(attached(running, { startedHere: true }));
	assert.ok(!(fake.statusItem.tooltip as MarkdownString).value.includes("Another window"));
	assert.ok(!fake.statusItem.backgroundColor);
	bar.show(attached({ state: "port_taken", port: 8080 }));
	assert.deepEqual(fake.statusItem.backgroundColor, new ThemeColor("statusBarItem.warningBackground"));
});

test("a taken port is notified once, in the window that started the server", () => {
	const holder = { name: "python3", pid: 1812 };
	const taken = (startedHere: boolean) =>
		attached({ state: "port_taken", port: 8080, holder, free_port: 8081 }, { startedHere });
	new Notices().show(taken(false));
	assert.deepEqual(fake.notifications, []);
	const notices = new Notices();
	// The server is still looking for the program and for a free port.
	notices.show(attached({ state: "port_taken", port: 8080 }));
	assert.deepEqual(fake.notifications, []);
	notices.show(taken(true));
	notices.show(taken(true));
	assert.equal(fake.notifications.length, 1);
	assert.deepEqual(fake.notifications[0], [
		"Copilot Proxy: Port 8080 is in use by python3 (pid 1812). Use 8081, or stop that program.",
		"Use 8081",
		"Change Port",
	]);
	notices.show(attached(running));
	notices.show(taken(true));
	assert.equal(fake.notifications.length, 2);
});

test("an unfocused window shows no notification", () => {
	fake.focused = false;
	new Notices().show({ kind: "failed", reason: "no program" });
	assert.deepEqual(fake.notifications, []);
	fake.focused = true;
	new Notices().show({ kind: "failed", reason: "no program" });
	assert.deepEqual(fake.notifications, [["Copilot Proxy: no program", "Retry", "Show Logs"]]);
});

test("the reason for missing models and its remedy are in the tooltip", () => {
	const bar = new StatusBar("open");
	const shown = (absence?: Absence) => {
		bar.show(attached(running, { models: 0 }), absence);
		const [detail, , link] = (fake.statusItem.tooltip as MarkdownString).value.split(/\n\n/);
		return `${detail} ${link?.trim().split(" · ")[0]}`;
	};
	assert.deepEqual(
		[shown("not_installed"), shown("not_signed_in"), shown("none_offered")],
		[
			"No models are available: GitHub Copilot is not installed, or not enabled. [Install GitHub Copilot](command:copilotProxy.getModels)",
			"No models are available: GitHub Copilot is not signed in. [Sign In](command:copilotProxy.getModels)",
			"No models are available: GitHub Copilot offers none to your account. [Check Plan](command:copilotProxy.getModels)",
		],
	);
});
