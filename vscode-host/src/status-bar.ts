// The status bar item. It shows the state that the server pushes and polls nothing.

import * as vscode from "vscode";
import type { Status } from "./protocol";
import { type Absence, isOff, type Notice, noticeOf, type ServerState } from "./server-state";

export class StatusBar implements vscode.Disposable {
	readonly #item = vscode.window.createStatusBarItem("status", vscode.StatusBarAlignment.Right, 100);
	#shown = "";

	constructor(command: string) {
		this.#item.name = "Copilot Proxy";
		this.#item.command = command;
		this.#item.show();
	}

	show(state: ServerState, absence?: Absence): void {
		const notice = noticeOf(state, absence);
		const shown = JSON.stringify([notice, state]);
		if (shown === this.#shown) {
			return; // each change of the item costs a message to the window
		}
		this.#shown = shown;
		this.#item.text = `$(${notice.icon}) Copilot Proxy: ${notice.label}`;
		this.#item.tooltip = tooltipOf(notice, state);
		this.#item.accessibilityInformation = { label: `Copilot Proxy: ${notice.label}. ${notice.detail}` };
		this.#item.backgroundColor =
			notice.attention && new vscode.ThemeColor(`statusBarItem.${notice.attention}Background`);
	}

	dispose(): void {
		this.#item.dispose();
	}
}

function tooltipOf({ detail, remedy }: Notice, state: ServerState): vscode.MarkdownString {
	const tooltip = new vscode.MarkdownString();
	tooltip.appendText(detail);
	if (state.kind === "attached" && state.status) {
		const rows = rowsOf(state.status, state.version).map(([name, value]) => `| ${name} | ${value} |`);
		tooltip.appendMarkdown(`\n\n| | |\n|---|---:|\n${rows.join("\n")}\n`);
	}
	const mend: [string, string][] = remedy ? [[remedy.title, `copilotProxy.${remedy.command}`]] : [];
	const links = [...mend, ...linksOf(state)];
	tooltip.isTrusted = { enabledCommands: links.map(([, command]) => command) };
	tooltip.appendMarkdown(
		`\n\n${links.map(([title, command]) => `[${title}](command:${command})`).join(" · ")}`,
	);
	return tooltip;
}

/** The most likely actions in the current state. */
function linksOf(state: ServerState): [title: string, command: string][] {
	const status = state.kind === "attached" ? state.status : undefined;
	return [
		[vscode.l10n.t("Open Panel"), "copilotProxy.showStatus"],
		isOff(state)
			? [vscode.l10n.t("Start Server"), "copilotProxy.start"]
			: [vscode.l10n.t("Stop Server"), "copilotProxy.stop"],
		...(status?.http.state === "running"
			? [[vscode.l10n.t("Copy Endpoint"), "copilotProxy.copyEndpoint"] as [string, string]]
			: []),
		[vscode.l10n.t("Show Logs"), "copilotProxy.showLogs"],
	];
}

function rowsOf(status: Status, version: string): [string, string][] {
	return [
		[vscode.l10n.t("Models"), count(status.models)],
		[vscode.l10n.t("Windows"), count(status.editors)],
		[vscode.l10n.t("Requests now"), count(status.in_flight)],
		[vscode.l10n.t("Requests"), count(status.requests)],
		[vscode.l10n.t("Tokens in"), count(status.tokens_in)],
		[vscode.l10n.t("Tokens out"), count(status.tokens_out)],
		[vscode.l10n.t("Up since"), new Date(status.started_at).toLocaleTimeString()],
		[vscode.l10n.t("Version"), version],
	];
}

function count(number: number): string {
	return number.toLocaleString("en-US");
}
