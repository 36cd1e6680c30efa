// The state of the server as this window knows it, and its description: shared by status bar, notices and panel.

import type { Status } from "./protocol";

export type ServerState =
	/** No server runs, and none should. */
	| { kind: "off" }
	/** One is being looked for, started or waited for. */
	| { kind: "starting" }
	/** Attached; `status` is the last one that the server sent. Errors are shown in the window that started it. */
	| { kind: "attached"; version: string; startedHere: boolean; status: Status | undefined }
	/** The server's protocol is newer: this window must be reloaded. */
	| { kind: "outdated"; reason: string }
	/** It could not be started, or ended again and again. */
	| { kind: "failed"; reason: string };

/** The state in one line, an explanation, and whether it needs attention. */
export interface Notice {
	icon: string;
	says: string;
	more: string;
	attention?: "warning" | "error";
}

/** Describes a state. Pure. */
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

/** One server serves all windows; the starting window's extension has its log. */
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
				more: `Another program uses port ${http.port}. Copilot Proxy takes it as soon as it is free, or set another one in copilotProxy.port.`,
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
			// Running requests come first: the user may be about to allow them.
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

/** Base URL of the server on a port. */
export function endpoint(port: number): string {
	return `http://127.0.0.1:${port}`;
}

/** Whether the next step is to start the server, not to stop it. */
export function isOff(state: ServerState): boolean {
	return (
		state.kind === "off" ||
		state.kind === "failed" ||
		(state.kind === "attached" && state.status?.http.state === "off")
	);
}
