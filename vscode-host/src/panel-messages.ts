// Messages between the extension and its panel's page. Types only; both sides import this file.

import type { Activity, CatalogModel, EditorTool, Exchange, ModelInfo } from "./protocol";

export type ToPanel =
	| { type: "view"; view: PanelView }
	| { type: "tools"; tools: ToolsView }
	| { type: "activity"; activity: Activity }
	| { type: "exchange"; exchange: Exchange }
	| { type: "model_catalog"; models: CatalogModel[] };

export type FromPanel =
	/** The page can receive messages; sent each time that VS Code has created it. */
	| { type: "ready" }
	| { type: "run"; command: Command }
	| { type: "copy"; text: string }
	/** Show the bodies of this request. */
	| { type: "get_exchange"; id: string }
	/** This request runs in auto mode and should be stopped. */
	| { type: "stop_request"; id: string }
	| { type: "set"; name: string; value: unknown }
	| { type: "readTools" };

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
] as const;
export type Command = (typeof COMMANDS)[number];

/** The state as the page shows it, without decisions left to it. */
export interface PanelView {
	title: string;
	detail: string;
	tone: "idle" | "running" | "warning" | "error";
	actions: Command[];
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

export type ToolsView = { isRestricted: boolean; tools: EditorTool[] };

/** One setting, as package.json declares it and as it stands. */
export interface SettingView {
	name: string;
	kind: "switch" | "number" | "text" | "lines" | "patterns";
	/** Whether the page hides the value. */
	isSecret: boolean;
	description: string;
	value: unknown;
	isDefault: boolean;
	minimum?: number;
	maximum?: number;
}
