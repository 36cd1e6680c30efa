// The state of the server as this window knows it, and its description: shared by status bar, notices and panel.

import { l10n } from "vscode";
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

/** The reason why this window has no models. */
export type Absence = "not_installed" | "not_signed_in" | "none_offered";

/** The state in one line, an explanation, and whether it needs attention. */
export interface Notice {
	icon: string;
	label: string;
	detail: string;
	attention?: "warning" | "error";
	/** The action that removes the cause. */
	remedy?: Remedy;
}

/** The label of a button, and the command behind it without its prefix. */
export interface Remedy {
	title: string;
	command: "allow" | "getModels" | "useFreePort";
}

/** Describes a state; `absence` is the reason why there are no models, if it is known. Pure. */
export function noticeOf(state: ServerState, absence?: Absence): Notice {
	switch (state.kind) {
		case "off":
			return { icon: "circle-slash", label: l10n.t("Off"), detail: l10n.t("No server is running.") };
		case "starting":
			return STARTING;
		case "outdated":
			return { icon: "warning", label: l10n.t("Reload"), detail: state.reason, attention: "warning" };
		case "failed":
			return { icon: "error", label: l10n.t("Error"), detail: state.reason, attention: "error" };
		case "attached":
			return state.status ? noticeOfStatus(state.status, state.startedHere, absence) : STARTING;
		default:
			return state satisfies never;
	}
}

/** Said in the windows that didn't start the server. */
const OTHERS = l10n.t("Another window has started the server.");

const STARTING: Notice = {
	icon: "sync~spin",
	label: l10n.t("Starting"),
	detail: l10n.t("The server is starting."),
};

function noticeOfStatus(
	{ http, in_flight: inFlight, models, consent_needed: consentNeeded }: Status,
	startedHere: boolean,
	absence: Absence | undefined,
): Notice {
	switch (http.state) {
		case "off":
			return {
				icon: "circle-slash",
				label: l10n.t("Off"),
				detail: l10n.t("The server was stopped for all windows."),
			};
		case "port_taken":
			return {
				icon: "warning",
				label: l10n.t("{port} taken", { port: http.port }),
				detail: `${takenBy(http)} ${wayOut(http.free_port)}`,
				attention: "warning",
				...(http.free_port === undefined ? {} : { remedy: useFreePort(http.free_port) }),
			};
		case "failed":
			return {
				icon: "error",
				label: l10n.t("Error"),
				detail: l10n.t("Port {port} can't be opened: {reason}", { port: http.port, reason: http.message }),
				attention: "error",
			};
		case "running": {
			if (models === 0) {
				return {
					icon: "warning",
					label: l10n.t("No models"),
					attention: "warning",
					...whyNoModels(absence),
				};
			}
			// Running requests come first: the user may be about to allow them.
			if (consentNeeded && inFlight === 0) {
				return {
					icon: "warning",
					label: l10n.t("Allow models"),
					detail: l10n.t("A program wants to use a model. Run Allow Models... to allow it."),
					attention: "warning",
					remedy: { title: l10n.t("Allow..."), command: "allow" },
				};
			}
			const requests = inFlight > 0 ? ` (${inFlight})` : "";
			return {
				icon: "copilot-proxy",
				label: `${http.port}${requests}`,
				detail: `${usable(models, endpoint(http.port))}${startedHere ? "" : ` ${OTHERS}`}`,
			};
		}
		default:
			return http satisfies never;
	}
}

type PortTaken = Extract<Status["http"], { state: "port_taken" }>;

function takenBy({ port, holder }: PortTaken): string {
	return holder
		? l10n.t("Port {port} is in use by {program} (pid {pid}).", {
				port,
				program: holder.name,
				pid: String(holder.pid),
			})
		: l10n.t("Port {port} is in use by another program.", { port });
}

function wayOut(freePort: number | undefined): string {
	return freePort === undefined
		? l10n.t("Stop that program, or choose another port in copilotProxy.port.")
		: l10n.t("Use {port}, or stop that program.", { port: String(freePort) });
}

function useFreePort(port: number): Remedy {
	return { title: l10n.t("Use {port}", { port: String(port) }), command: "useFreePort" };
}

/** The reason why there are no models, and the action that removes it. */
export function whyNoModels(absence: Absence | undefined): { detail: string; remedy?: Remedy } {
	const remedy = (title: string): Remedy => ({ title, command: "getModels" });
	switch (absence) {
		case "not_installed":
			return {
				detail: l10n.t("No models are available: GitHub Copilot is not installed, or not enabled."),
				remedy: remedy(l10n.t("Install GitHub Copilot")),
			};
		case "not_signed_in":
			return {
				detail: l10n.t("No models are available: GitHub Copilot is not signed in."),
				remedy: remedy(l10n.t("Sign In")),
			};
		case "none_offered":
			return {
				detail: l10n.t("No models are available: GitHub Copilot offers none to your account."),
				remedy: remedy(l10n.t("Check Plan")),
			};
		case undefined:
			return { detail: l10n.t("No models are available. Install GitHub Copilot and sign in.") };
		default:
			return absence satisfies never;
	}
}

function usable(models: number, url: string): string {
	return models === 1
		? l10n.t("Programs on this machine can use 1 model at {url}.", { url })
		: l10n.t("Programs on this machine can use {models} models at {url}.", { models, url });
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
