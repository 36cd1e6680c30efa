// The item in the status bar: one line on how the server fares, as it pushes it. Nothing is asked for.

import * as vscode from "vscode";
import type { Status } from "./protocol";
import type { ServerState } from "./server";

/** One line, what stands behind it, and whether it wants attention. */
export interface Notice {
	icon: string;
	says: string;
	more: string;
	attention?: "warning" | "error";
}

export class StatusBar implements vscode.Disposable {
	readonly #item = vscode.window.createStatusBarItem("status", vscode.StatusBarAlignment.Right, 100);
	#shown = "";

	constructor(command: string) {
		this.#item.name = "Copilot Proxy";
		this.#item.command = command;
		this.#item.show();
	}

	show(state: ServerState): void {
		const notice = noticeOf(state);
		const shown = JSON.stringify([notice, state]);
		if (shown === this.#shown) {
			return; // each change of the item is a message to the window
		}
		this.#shown = shown;
		this.#item.text = `$(${notice.icon}) Copilot Proxy: ${notice.says}`;
		this.#item.tooltip = tooltipOf(notice, state);
		this.#item.accessibilityInformation = { label: `Copilot Proxy: ${notice.says}. ${notice.more}` };
		this.#item.backgroundColor =
			notice.attention && new vscode.ThemeColor(`statusBarItem.${notice.attention}Background`);
	}

	dispose(): void {
		this.#item.dispose();
	}
}

/** The state in words. Pure. */
export function noticeOf(state: ServerState): Notice {
	switch (state.kind) {
		case "off":
			return { icon: "circle-slash", says: "Off", more: "No server is running." };
		case "starting":
			return STARTING;
		case "outdated":
			return { icon: "warning", says: "Reload", more: state.reason, attention: "warning" };
		case "failed":
			return { icon: "error", says: "Error", more: state.reason, attention: "error" };
		case "attached":
			return state.status ? noticeOfStatus(state.status, state.startedHere) : STARTING;
		default:
			return state satisfies never;
	}
}

/** One server serves all windows; who wonders why this window's log is silent is told. */
const OTHERS = " Another window has started the server.";

const STARTING: Notice = { icon: "sync~spin", says: "Starting", more: "The server is starting." };

function noticeOfStatus(
	{ http, in_flight: inFlight, models, consent_needed: consentNeeded }: Status,
	startedHere: boolean,
): Notice {
	switch (http.state) {
		case "off":
			return { icon: "circle-slash", says: "Off", more: "The server was stopped, for all windows." };
		case "port_taken":
			return {
				icon: "warning",
				says: `${http.port} taken`,
				more: `Another program uses port ${http.port}. It is taken as soon as it is free; copilotProxy.port can name another one.`,
				attention: "warning",
			};
		case "failed":
			return {
				icon: "error",
				says: "Error",
				more: `Port ${http.port} can't be opened: ${http.message}`,
				attention: "error",
			};
		case "running": {
			if (models === 0) {
				return {
					icon: "warning",
					says: "No models",
					more: "Install GitHub Copilot and sign in.",
					attention: "warning",
				};
			}
			// While requests run, they are what counts: the person may be about to allow them.
			if (consentNeeded && inFlight === 0) {
				return {
					icon: "warning",
					says: "Allow models",
					more: "A program asked for a model, and you have not allowed it yet.",
					attention: "warning",
				};
			}
			const requests = inFlight > 0 ? ` (${inFlight})` : "";
			return {
				icon: "radio-tower",
				says: `${http.port}${requests}`,
				more: `Programs on this machine can use ${models === 1 ? "1 model" : `${models} models`} at ${endpoint(http.port)}.${startedHere ? "" : OTHERS}`,
			};
		}
		default:
			return http satisfies never;
	}
}

/** Where programs talk to. */
export function endpoint(port: number): string {
	return `http://127.0.0.1:${port}`;
}

function tooltipOf({ more }: Notice, state: ServerState): vscode.MarkdownString {
	const tooltip = new vscode.MarkdownString();
	tooltip.appendText(more);
	if (state.kind === "attached" && state.status) {
		const rows = rowsOf(state.status, state.version).map(([name, value]) => `| ${name} | ${value} |`);
		tooltip.appendMarkdown(`\n\n| | |\n|---|---:|\n${rows.join("\n")}\n`);
	}
	const links = linksOf(state);
	tooltip.isTrusted = { enabledCommands: links.map(([, command]) => command) };
	tooltip.appendMarkdown(
		`\n\n${links.map(([title, command]) => `[${title}](command:${command})`).join(" · ")}`,
	);
	return tooltip;
}

/** Whether it is to be started rather than stopped. */
export function isOff(state: ServerState): boolean {
	return (
		state.kind === "off" ||
		state.kind === "failed" ||
		(state.kind === "attached" && state.status?.http.state === "off")
	);
}

/** What a person is likely to want next. */
function linksOf(state: ServerState): [title: string, command: string][] {
	const status = state.kind === "attached" ? state.status : undefined;
	return [
		["Open Panel", "copilotProxy.showStatus"],
		isOff(state) ? ["Start Server", "copilotProxy.start"] : ["Stop Server", "copilotProxy.stop"],
		...(status?.http.state === "running"
			? [["Copy Endpoint", "copilotProxy.copyEndpoint"] as [string, string]]
			: []),
		["Show Logs", "copilotProxy.showLogs"],
	];
}

function rowsOf(status: Status, version: string): [string, string][] {
	return [
		["Models", count(status.models)],
		["Windows", count(status.editors)],
		["Requests now", count(status.in_flight)],
		["Requests", count(status.requests)],
		["Tokens in", count(status.tokens_in)],
		["Tokens out", count(status.tokens_out)],
		["Up since", new Date(status.started_at).toLocaleTimeString()],
		["Version", version],
	];
}

function count(number: number): string {
	return number.toLocaleString("en-US");
}
