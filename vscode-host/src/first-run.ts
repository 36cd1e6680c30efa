// One greeting, the first time that everything is ready: where programs talk to, and the walkthrough. It helps once and
// never comes again, in no window.

import * as vscode from "vscode";
import type { ServerState } from "./server-state";
import { endpoint } from "./server-state";

const GREETED = "greeted";
const WALKTHROUGH = "copilot-proxy.copilot-proxy#start";
const START = "Get Started";
const COPY = "Copy Endpoint";

export class FirstRun {
	constructor(private readonly memory: vscode.Memento) {}

	/** Greets in the focused window, if it started the server. */
	greet(state: ServerState): void {
		const status = state.kind === "attached" && state.startedHere ? state.status : undefined;
		const port = status?.http.state === "running" && status.models > 0 ? status.http.port : undefined;
		if (port === undefined || !vscode.window.state.focused || this.memory.get(GREETED) === true) {
			return;
		}
		void this.memory.update(GREETED, true); // before it is read: a window that closes meanwhile has greeted too
		const text = `Copilot Proxy is ready: programs on this machine can use Copilot's models at ${endpoint(port)}.`;
		void vscode.window.showInformationMessage(text, START, COPY).then((chosen) => {
			switch (chosen) {
				case START:
					return vscode.commands.executeCommand("workbench.action.openWalkthrough", WALKTHROUGH);
				case COPY:
					return vscode.commands.executeCommand("copilotProxy.copyEndpoint");
				default:
					return undefined;
			}
		});
	}
}
