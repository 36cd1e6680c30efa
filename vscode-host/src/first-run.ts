// The notification of the first successful start: the endpoint for programs, and the walkthrough. It is shown once per
// installation.

import * as vscode from "vscode";
import type { ServerState } from "./server-state";
import { endpoint } from "./server-state";

const GREETED = "greeted";
const WALKTHROUGH = "copilot-proxy.copilot-proxy#start";
const SET_UP = vscode.l10n.t("Set up Claude Code");
const CURL = vscode.l10n.t("Copy curl Command");
const START = vscode.l10n.t("Get Started");

export class FirstRun {
	constructor(private readonly memory: vscode.Memento) {}

	/** Shows the notification if this window is focused and started the server. */
	greet(state: ServerState): void {
		const status = state.kind === "attached" && state.startedHere ? state.status : undefined;
		const port = status?.http.state === "running" && status.models > 0 ? status.http.port : undefined;
		if (port === undefined || !vscode.window.state.focused || this.memory.get(GREETED) === true) {
			return;
		}
		void this.memory.update(GREETED, true); // saved first: it counts as shown even if the window closes before it is read
		const text = vscode.l10n.t(
			"Copilot Proxy is ready: programs on this machine can use Copilot's models at {url}.",
			{ url: endpoint(port) },
		);
		void vscode.window.showInformationMessage(text, SET_UP, CURL, START).then((chosen) => {
			switch (chosen) {
				case START:
					return vscode.commands.executeCommand("workbench.action.openWalkthrough", WALKTHROUGH);
				case SET_UP:
					return vscode.commands.executeCommand("copilotProxy.setUp", "claude-code");
				case CURL:
					return vscode.commands.executeCommand("copilotProxy.copyCurl");
				default:
					return undefined;
			}
		});
	}
}
