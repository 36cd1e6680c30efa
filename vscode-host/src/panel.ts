// The panel that a click on the status bar opens: its page, and the messages to and from it. It keeps no state, since
// VS Code discards a hidden page and a new one gets everything again.

import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import * as vscode from "vscode";
import {
	COMMANDS,
	type FromPanel,
	type PanelView,
	type ToolsView,
	type ToPanel,
	type UsageQuery,
} from "./panel-messages";
import type { Activity, CatalogModel, Exchange, UsageResponse } from "./protocol";

/** Functions of the extension that the panel needs. */
export interface PanelHost {
	view(): PanelView;
	/** Reads the tools; with `startServers` it starts the MCP servers first. */
	tools(startServers: boolean): Promise<ToolsView>;
	/** Subscribes to the requests, or ends the subscription. */
	watch(enabled: boolean): void;
	/** Requests the bodies of a request. */
	getExchange(id: string): void;
	/** Cancels a running request. */
	stopRequest(id: string): void;
	/** Writes a setting. */
	set(name: string, value: unknown): Promise<void>;
	/** Requests the sums of the usage. */
	getUsage(query: UsageQuery): void;
	/** Sends a request to the server's HTTP port. */
	resend(path: string, headers: [name: string, value: string][], body: string): Promise<void>;
}

export class Panel implements vscode.Disposable {
	/** The type under which VS Code keeps the panel over a reload. */
	static readonly viewType = "copilotProxy.panel";

	#panel: vscode.WebviewPanel | undefined;
	#isWatching = false;

	constructor(
		private readonly extension: vscode.Uri,
		private readonly host: PanelHost,
	) {}

	/** Whether it is visible. */
	get isWatching(): boolean {
		return this.#isWatching;
	}

	/** Opens it or brings it to the front. */
	async show(): Promise<void> {
		if (this.#panel) {
			return this.#panel.reveal();
		}
		const page = await this.#page();
		if (this.#panel) {
			return; // a second click while the page was read
		}
		const { Active } = vscode.ViewColumn;
		await this.#fill(vscode.window.createWebviewPanel(Panel.viewType, "Copilot Proxy", Active), page);
	}

	/** Fills a panel that VS Code has restored after a reload of the window; the page restores its own state. */
	async deserializeWebviewPanel(panel: vscode.WebviewPanel): Promise<void> {
		const page = await this.#page();
		if (this.#panel) {
			return panel.dispose();
		}
		await this.#fill(panel, page);
	}

	/** The page's source. */
	#page(): Promise<string> {
		return readFile(vscode.Uri.joinPath(this.extension, "media", "panel.html").fsPath, "utf8");
	}

	async #fill(panel: vscode.WebviewPanel, page: string): Promise<void> {
		const media = vscode.Uri.joinPath(this.extension, "media");
		const out = vscode.Uri.joinPath(this.extension, "out");
		panel.webview.options = { enableScripts: true, localResourceRoots: [out] };
		this.#panel = panel;
		panel.iconPath = vscode.Uri.joinPath(media, "icon.png");
		panel.onDidDispose(() => {
			this.#panel = undefined;
			this.#watch(false);
		});
		panel.onDidChangeViewState(() => {
			if (!panel.visible) {
				this.#watch(false);
			}
		});
		panel.webview.onDidReceiveMessage((message: FromPanel) => void this.#receive(message));
		const texts = JSON.stringify(vscode.l10n.bundle ?? {});
		panel.webview.html = page
			.replace('lang="en"', `lang="${vscode.env.language}"`)
			.replaceAll("{{nonce}}", randomBytes(16).toString("hex"))
			.replaceAll("{{source}}", panel.webview.cspSource)
			.replaceAll("{{out}}", panel.webview.asWebviewUri(out).toString())
			.replaceAll("{{l10n}}", () => texts.replaceAll("&", "&amp;").replaceAll('"', "&quot;"));
	}

	/** Sends the page the current view. */
	update(): void {
		if (this.#panel) {
			this.#post({ type: "view", view: this.host.view() });
		}
	}

	/** Passes on running and recent requests. */
	activity(activity: Activity): void {
		this.#post({ type: "activity", activity });
	}

	/** Passes on the bodies of a request. */
	exchange(exchange: Exchange): void {
		this.#post({ type: "exchange", exchange });
	}

	/** Passes on the models of all windows. */
	modelCatalog(models: CatalogModel[]): void {
		this.#post({ type: "model_catalog", models });
	}

	/** Passes on the sums of the usage. */
	usage(usage: UsageResponse): void {
		this.#post({ type: "usage", ...usage } as ToPanel);
	}

	dispose(): void {
		this.#panel?.dispose();
	}

	#post(message: ToPanel): void {
		void this.#panel?.webview.postMessage(message);
	}

	async #receive(message: FromPanel): Promise<void> {
		switch (message.type) {
			case "ready":
				this.update();
				this.#watch(true);
				return this.#showTools(false);
			case "run":
				if (COMMANDS.includes(message.command)) {
					void vscode.commands.executeCommand(`copilotProxy.${message.command}`);
				}
				return;
			case "copy":
				return vscode.env.clipboard.writeText(message.text);
			case "get_exchange":
				return this.host.getExchange(message.id);
			case "stop_request":
				return this.host.stopRequest(message.id);
			case "set":
				await this.host.set(message.name, message.value);
				return this.update();
			case "readTools":
				return this.#showTools(true);
			case "get_usage":
				return this.host.getUsage({ from: message.from, to: message.to, by: message.by });
			case "resend":
				return this.#resend(message.path, message.headers, message.body);
			case "save":
				return save(message.name, message.text);
			default:
				message satisfies never;
		}
	}

	async #resend(path: string, headers: [name: string, value: string][], body: string): Promise<void> {
		try {
			await this.host.resend(path, headers, body);
		} catch (error) {
			const reason = error instanceof Error ? error.message : String(error);
			this.#post({
				type: "problem",
				message: vscode.l10n.t("The request could not be sent: {reason}", { reason }),
			});
		}
	}

	#watch(enabled: boolean): void {
		if (enabled || this.#isWatching) {
			this.#isWatching = enabled;
			this.host.watch(enabled);
		}
	}

	async #showTools(startServers: boolean): Promise<void> {
		this.#post({ type: "tools", tools: await this.host.tools(startServers) });
	}
}

/** Saves a text as a file that the user names. */
async function save(name: string, text: string): Promise<void> {
	const folder = vscode.workspace.workspaceFolders?.[0]?.uri ?? vscode.Uri.file(homedir());
	const target = await vscode.window.showSaveDialog({ defaultUri: vscode.Uri.joinPath(folder, name) });
	if (target) {
		await vscode.workspace.fs.writeFile(target, new TextEncoder().encode(text));
	}
}
