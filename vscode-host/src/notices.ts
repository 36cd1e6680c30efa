// Notifications of states that need an action: each once, and only in the focused window.

import * as vscode from "vscode";
import { failureOf } from "./failure";
import type { ServerState } from "./server-state";
import { noticeOf } from "./server-state";

/** A button of a notification, and the command behind it. */
type Button = [title: string, command: string, ...args: unknown[]];

const SETTINGS: Button = [vscode.l10n.t("Change Port"), "workbench.action.openSettings", "copilotProxy.port"];
const LOGS: Button = [vscode.l10n.t("Show Logs"), "copilotProxy.showLogs"];
const RETRY: Button = [vscode.l10n.t("Retry"), "copilotProxy.start"];
const RELOAD: Button = [vscode.l10n.t("Reload Window"), "workbench.action.reloadWindow"];

export class Notices {
	#shown = "";

	/** Shows a state that needs an action of the user. */
	show(state: ServerState): void {
		const subject = subjectOf(state);
		if (subject === this.#shown) {
			return;
		}
		this.#shown = subject;
		if (!vscode.window.state.focused) {
			return; // only the focused window shows a notification; here the status bar is enough
		}
		const { detail, remedy } = noticeOf(state);
		const mend: Button[] = remedy ? [[remedy.title, `copilotProxy.${remedy.command}`]] : [];
		switch (subject) {
			case "failed":
				return show("error", `Copilot Proxy: ${detail}`, RETRY, LOGS);
			case "outdated":
				return show("warning", `Copilot Proxy: ${detail}`, RELOAD);
			case "port":
				return show("warning", `Copilot Proxy: ${detail}`, ...mend, SETTINGS);
			case "consent":
				return show("info", `Copilot Proxy: ${detail}`, ...mend);
			default:
				return;
		}
	}
}

/** Runs a command and shows its error, if it fails. */
export async function showFailures(run: () => Promise<void>): Promise<void> {
	try {
		await run();
	} catch (error) {
		show("error", `Copilot Proxy: ${failureOf(error).message}`);
	}
}

function subjectOf(state: ServerState): string {
	switch (state.kind) {
		case "failed":
		case "outdated":
			return state.kind;
		case "attached": {
			const { startedHere, status } = state;
			const http = status?.http;
			if (http?.state === "port_taken") {
				// The server looks for the program that has the port and for a free one; both come together, a moment later.
				return startedHere && http.free_port !== undefined ? "port" : "";
			}
			if (http?.state === "failed") {
				return startedHere ? "port" : "";
			}
			return status?.consent_needed ? "consent" : "";
		}
		default:
			return "";
	}
}

function show(kind: "info" | "warning" | "error", text: string, ...buttons: Button[]): void {
	const { showErrorMessage, showInformationMessage, showWarningMessage } = vscode.window;
	const showMessage = { info: showInformationMessage, warning: showWarningMessage, error: showErrorMessage }[
		kind
	];
	void showMessage(text, ...buttons.map(([title]) => title)).then((chosen) => {
		const [, command, ...args] = buttons.find(([title]) => title === chosen) ?? [];
		return command && vscode.commands.executeCommand(command, ...args);
	});
}
