// The panel that a click on the status bar opens. It shows what it is sent and sends back what was clicked; what that
// means is decided here.

import { readFile } from "node:fs/promises";
import * as vscode from "vscode";
import type { ModelInfo } from "./protocol";
import type { ServerState } from "./server";
import { endpoint, noticeOf } from "./status-bar";

/** What the panel shows. */
export interface View {
	state: ServerState;
	models: readonly ModelInfo[];
}

/** What the panel says. */
type FromPanel = { type: "ready" } | { type: "run"; command: string } | { type: "copy"; text: string };

/** The commands that its buttons may run. */
const COMMANDS = new Set(["start", "stop", "restart", "allow", "showLogs", "copyEndpoint"]);

export class Panel implements vscode.Disposable {
	#panel: vscode.WebviewPanel | undefined;

	constructor(
		private readonly extension: vscode.Uri,
		private readonly view: () => View,
	) {}

	/** Brings it to the front. */
	async show(): Promise<void> {
		if (this.#panel) {
			return this.#panel.reveal();
		}
		const media = vscode.Uri.joinPath(this.extension, "media");
		const page = await readFile(vscode.Uri.joinPath(media, "panel.html").fsPath, "utf8");
		const panel = vscode.window.createWebviewPanel(
			"copilotProxy.panel",
			"Copilot Proxy",
			vscode.ViewColumn.Active,
			{ enableScripts: true, localResourceRoots: [media] },
		);
		panel.iconPath = vscode.Uri.joinPath(media, "icon.png");
		panel.onDidDispose(() => {
			this.#panel = undefined;
		});
		panel.webview.onDidReceiveMessage((message: FromPanel) => this.#heard(message));
		panel.webview.html = page
			.replaceAll("{{source}}", panel.webview.cspSource)
			.replaceAll("{{media}}", panel.webview.asWebviewUri(media).toString());
		this.#panel = panel;
	}

	/** What it shows has changed. */
	update(): void {
		void this.#panel?.webview.postMessage(shown(this.view()));
	}

	dispose(): void {
		this.#panel?.dispose();
	}

	#heard(message: FromPanel): void {
		switch (message.type) {
			case "ready":
				return this.update();
			case "run":
				if (COMMANDS.has(message.command)) {
					void vscode.commands.executeCommand(`copilotProxy.${message.command}`);
				}
				return;
			case "copy":
				void vscode.env.clipboard.writeText(message.text);
				return;
			default:
				message satisfies never;
		}
	}
}

/** The view in the form the page takes: no decisions are left to it. */
function shown({ state, models }: View) {
	const { says, more, attention } = noticeOf(state);
	const status = state.kind === "attached" ? state.status : undefined;
	const port = status?.http.state === "running" ? status.http.port : undefined;
	const isOff = state.kind === "off" || state.kind === "failed" || status?.http.state === "off";
	return {
		title: port === undefined ? says : `Running on port ${port}`,
		more,
		tone: attention ?? (port === undefined ? "idle" : "running"),
		actions: [...(isOff ? ["start"] : ["stop", "restart"]), ...(status?.consent_needed ? ["allow"] : [])],
		endpoints:
			port === undefined
				? []
				: [
						{ name: "OpenAI", url: `${endpoint(port)}/v1` },
						{ name: "Anthropic", url: endpoint(port) },
					],
		figures: status && {
			"Requests now": status.in_flight,
			Requests: status.requests,
			"Tokens in": status.tokens_in,
			"Tokens out": status.tokens_out,
			Windows: status.editors,
		},
		models: models.map(({ vendor, id, name, max_input_tokens: limit, tools, images }) => ({
			id,
			name,
			vendor,
			limit,
			tools: tools ?? false,
			images: images ?? false,
		})),
	};
}
