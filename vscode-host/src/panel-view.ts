// Computes the view of the panel from the state of the extension's parts. Pure.

import { l10n } from "vscode";
import type { Command, PanelView, SettingView, Totals } from "./panel-messages";
import type { ModelInfo } from "./protocol";
import type { Absence, ServerState } from "./server-state";
import { endpoint, isOff, noticeOf } from "./server-state";

export interface Sources {
	state: ServerState;
	models: readonly ModelInfo[];
	settings: SettingView[];
	needsKey: boolean;
	/** The reason why there are no models, if it is known. */
	absence?: Absence | undefined;
}

export function viewOf({ state, models, settings, needsKey, absence }: Sources): PanelView {
	const { label, detail, attention, remedy } = noticeOf(state, absence);
	const status = state.kind === "attached" ? state.status : undefined;
	const port = status?.http.state === "running" ? status.http.port : undefined;
	const totals = totalsOf(state);
	return {
		title: port === undefined ? label : l10n.t("Running on port {port}", { port }),
		detail,
		tone: attention ?? (port === undefined ? "idle" : "running"),
		actions: actionsOf(state),
		// The others are among the actions.
		...(remedy && remedy.command !== "allow" ? { remedy } : {}),
		...(port === undefined ? {} : { endpoint: endpoint(port) }),
		needsKey,
		...(totals ? { totals } : {}),
		models: [...models],
		settings,
	};
}

function actionsOf(state: ServerState): Command[] {
	const status = state.kind === "attached" ? state.status : undefined;
	const allow: Command[] = status?.consent_needed ? ["allow"] : [];
	const port: Command[] = isOff(state) ? ["start"] : ["stop", "restart"];
	return [...allow, ...port, "setUp", "diagnose", "showLogs"];
}

function totalsOf(state: ServerState): Totals | undefined {
	if (state.kind !== "attached" || !state.status) {
		return undefined;
	}
	const { requests, in_flight, tokens_in, tokens_out, editors, started_at } = state.status;
	return {
		requests,
		running: in_flight,
		tokensIn: tokens_in,
		tokensOut: tokens_out,
		windows: editors,
		startedAt: started_at,
		version: state.version,
	};
}
