// Messages between the page and its host: the extension in VS Code, or the server in a browser. Types only; all sides
// import this file.

import type { Activity, CatalogModel, EditorTool, Exchange, ModelInfo, UsageResponse } from "./protocol";

export type ToPanel =
	| { type: "view"; view: PanelView }
	| { type: "tools"; tools: ToolsView }
	| { type: "activity"; activity: Activity }
	| { type: "exchange"; exchange: Exchange }
	| { type: "model_catalog"; models: CatalogModel[] }
	| ({ type: "usage" } & UsageView)
	/** A request of the page failed; a sentence for the user. */
	| { type: "problem"; message: string };

export type FromPanel =
	/** The page can receive messages; sent each time that VS Code has created it. */
	| { type: "ready" }
	| { type: "run"; command: Command }
	| { type: "copy"; text: string }
	/** Show the bodies of this request. */
	| { type: "get_exchange"; id: string }
	/** Cancel this request. */
	| { type: "stop_request"; id: string }
	| { type: "set"; name: string; value: unknown }
	| { type: "readTools" }
	/** Sum the usage of these days. */
	| ({ type: "get_usage" } & UsageQuery)
	/** Send a request to the server, as a program would. */
	| { type: "resend"; path: string; headers: [name: string, value: string][]; body: string }
	/** Save a file, at a place that the user chooses. */
	| { type: "save"; name: string; text: string };

/** The commands that buttons of the page may run, without their prefix. */
export const COMMANDS = [
	"start",
	"stop",
	"restart",
	"allow",
	"setUp",
	"diagnose",
	"showLogs",
	"openSettings",
	"getModels",
	"useFreePort",
	"chooseModel",
] as const;
export type Command = (typeof COMMANDS)[number];

/** The state as the page shows it, without decisions left to it. */
export interface PanelView {
	title: string;
	detail: string;
	tone: "idle" | "running" | "warning" | "error";
	actions: Command[];
	/** A further action, the most likely one: it removes the cause of the state. */
	remedy?: { title: string; command: Command };
	/** Base URL; absent while the port is closed. */
	endpoint?: string;
	/** Programs must send a key. */
	needsKey: boolean;
	/** Absent while no server is attached. */
	totals?: Totals;
	/** Models of this window. */
	models: ModelInfo[];
	settings: SettingView[];
}

export interface Totals {
	requests: number;
	running: number;
	tokensIn: number;
	tokensOut: number;
	windows: number;
	/** In milliseconds since 1970. */
	startedAt: number;
	version: string;
}

/** A question about the usage: days as `YYYY-MM-DD`. */
export interface UsageQuery {
	from: string;
	to: string;
	by: "model" | "client" | "session" | "day";
}

/** The usage of some days, or the reason why it can't be read. */
export type UsageView = Omit<UsageResponse, "report"> & { report?: UsageReport };

export interface UsageSums {
	requests: number;
	input_tokens: number;
	cached_tokens: number;
	output_tokens: number;
	credits: number;
	estimated_credits: number;
	unknown_requests: number;
}

/** The response of `GET /v1/usage`, as far as the page shows it. */
export interface UsageReport {
	data: (UsageSums & { key: string })[];
	totals: UsageSums;
	cache: { breaks: { prefix_break: string; requests: number; lost_tokens: number }[] };
}

export type ToolsView = { isRestricted: boolean; tools: EditorTool[] };

/** One setting, as package.json declares it and as it stands. */
export interface SettingView {
	name: string;
	kind: "switch" | "number" | "text" | "choice" | "lines" | "patterns";
	/** The values of a choice, with their labels. */
	options?: { value: string; label: string; about?: string }[];
	/** Whether the page hides the value. */
	isSecret: boolean;
	description: string;
	value: unknown;
	isDefault: boolean;
	minimum?: number;
	maximum?: number;
}
