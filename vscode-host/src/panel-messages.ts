// What the extension and the page of its panel say to each other. Types only: both sides are built from this file.

import type { Activity, CatalogModel, EditorTool, Exchange, ModelInfo } from "./protocol";

export type ToPanel =
	| { type: "view"; view: PanelView }
	| { type: "tools"; tools: ToolsView }
	| { type: "activity"; activity: Activity }
	| { type: "exchange"; exchange: Exchange }
	| { type: "model_catalog"; models: CatalogModel[] };

export type FromPanel =
	/** The page can be told things. It says so reset whenever VS Code has thrown it away and made it again. */
	| { type: "ready" }
	| { type: "run"; command: Command }
	| { type: "copy"; text: string }
	/** The request and the reply of this request are to be shown. */
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

/** How things stand, in the form the page takes: no decisions are left to it. */
export interface PanelView {
	title: string;
	more: string;
	tone: "idle" | "running" | "warning" | "error";
	actions: Command[];
	/** Where programs talk to; absent while they can't. */
	endpoint?: string;
	/** Programs must send a key. */
	needsKey: boolean;
	/** Absent while no server is attached. */
	totals?: Totals;
	/** Those of this window. */
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
	/** Not to be seen by who looks over one's shoulder. */
	isSecret: boolean;
	description: string;
	value: unknown;
	isDefault: boolean;
	minimum?: number;
	maximum?: number;
}
