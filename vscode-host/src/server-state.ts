// The state of the server as this window knows it, and its description: shared by status bar, notices and panel.

import type { Status } from "./protocol";

export type ServerState =
	/** No server runs, and none should. */
	| { kind: "off" }
	/** The extension looks for a server, starts one or waits for one. */
	| { kind: "starting" }
	/** Attached; `status` is the last one that the server sent. Errors are shown in the window that started it. */
	| { kind: "attached"; version: string; startedHere: boolean; status: Status | undefined }
	/** The server's protocol is newer: this window must be reloaded. */
	| { kind: "outdated"; reason: string }
	/** The server could not be started, or ended repeatedly. */
	| { kind: "failed"; reason: string };

/** The state in one line, an explanation, and whether it needs attention. */
export interface Notice {
	icon: string;
	label: string;
	detail: string;
	attention?: "warning" | "error";
}

/** Describes a state. Pure. */
export function noticeOf(state: ServerState): Notice {
	switch (state.kind) {
		case "off":
			return { icon: "circle-slash", label: "Off", detail: "No server is running." };
		case "starting":
			return STARTING;
		case "outdated":
			return { icon: "warning", label: "Reload", detail: state.reason, attention: "warning" };
		case "failed":
			return { icon: "error", label: "Error", detail: state.reason, attention: "error" };
		case "attached":
			return state.status ? noticeOfStatus(state.status, state.startedHere) : STARTING;
		default:
			return state satisfies never;
	}
}

/** Said in the windows that didn't start the server. */
const OTHERS = " Another window has started the server.";

const STARTING: Notice = { icon: "sync~spin", label: "Starting", detail: "The server is starting." };

function noticeOfStatus(
	{ http, in_flight: inFlight, models, consent_needed: consentNeeded }: Status,
	startedHere: boolean,
): Notice {
	switch (http.state) {
		case "off":
			return { icon: "circle-slash", label: "Off", detail: "The server was stopped for all windows." };
		case "port_taken":
			return {
				icon: "warning",
				label: `${http.port} taken`,
				detail: `Port ${http.port} is in use by another program. Stop that program, or choose another port in copilotProxy.port.`,
				attention: "warning",
			};
		case "failed":
			return {
				icon: "error",
				label: "Error",
				detail: `Port ${http.port} can't be opened: ${http.message}`,
				attention: "error",
			};
		case "running": {
			if (models === 0) {
				return {
					icon: "warning",
					label: "No models",
					detail: "No models are available. Install GitHub Copilot and sign in.",
					attention: "warning",
				};
			}
			// Running requests come first: the user may be about to allow them.
			if (consentNeeded && inFlight === 0) {
				return {
					icon: "warning",
					label: "Allow models",
					detail: "A program wants to use a model. Run Allow Models... to allow it.",
					attention: "warning",
				};
			}
			const requests = inFlight > 0 ? ` (${inFlight})` : "";
			return {
				icon: "radio-tower",
				label: `${http.port}${requests}`,
				detail: `Programs on this machine can use ${models === 1 ? "1 model" : `${models} models`} at ${endpoint(http.port)}.${startedHere ? "" : OTHERS}`,
			};
		}
		default:
			return http satisfies never;
	}
}

/** Base URL of the server on a port. */
export function endpoint(port: number): string {
	return `http://127.0.0.1:${port}`;
}

/** Whether the user's next action is to start the server rather than to stop it. */
export function isOff(state: ServerState): boolean {
	return (
		state.kind === "off" ||
		state.kind === "failed" ||
		(state.kind === "attached" && state.status?.http.state === "off")
	);
}
