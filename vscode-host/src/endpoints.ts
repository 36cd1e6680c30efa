// The commands "Copy Endpoint" and "Copy curl Command": base URLs and a request of the open port, on the clipboard.

import * as vscode from "vscode";
import { powershell, tryOut } from "../webview/curl";
import { endpoint } from "./server-state";

/** The open port and what a request to it needs. */
export interface OpenServer {
	/** Undefined while no port is open. */
	port: number | undefined;
	needsKey: boolean;
	/** A model's name in requests; undefined if there is none. */
	model: string | undefined;
}

/** The APIs and the paths of their base URLs. */
const APIS = [
	["OpenAI", "/v1"],
	["Anthropic", ""],
	["Gemini", ""],
	["Ollama", ""],
] as const;

const START = vscode.l10n.t("Start Server");

/** Copies the base URL of the API that the user selects. */
export async function copyEndpoint(server: OpenServer): Promise<void> {
	const { port } = server;
	if (port === undefined) {
		return offerStart();
	}
	const items = APIS.map(([api, path]) => ({ label: api, description: endpoint(port) + path }));
	const picked = await vscode.window.showQuickPick(items, {
		title: vscode.l10n.t("Copy Endpoint"),
		placeHolder: vscode.l10n.t("Select the API of your program"),
	});
	if (picked) {
		await vscode.env.clipboard.writeText(picked.description);
		void vscode.window.showInformationMessage(
			vscode.l10n.t("Copied {url}, the base URL for programs that use the API of {api}.", {
				url: picked.description,
				api: picked.label,
			}),
		);
	}
}

/** Copies a request that works in a terminal as it is. */
export async function copyCurl({ port, needsKey, model }: OpenServer): Promise<void> {
	if (port === undefined) {
		return offerStart();
	}
	const command = curlFor(process.platform, endpoint(port), model ?? "gpt-4.1", needsKey);
	await vscode.env.clipboard.writeText(command);
	const copied = vscode.l10n.t("Copied a request to {url}. Paste it into a terminal.", {
		url: endpoint(port),
	});
	const key = vscode.l10n.t("Set COPILOT_PROXY_API_KEY to one of your keys there.");
	void vscode.window.showInformationMessage(needsKey ? `${copied} ${key}` : copied);
}

/** The request for the usual shell of a platform. */
function curlFor(platform: string, url: string, model: string, needsKey: boolean): string {
	if (platform !== "win32") {
		return tryOut(url, "openai", model, needsKey);
	}
	const body = { model, messages: [{ role: "user", content: "Say hello." }] };
	return powershell(`${url}/v1/chat/completions`, JSON.stringify(body), needsKey);
}

/** The port may be another program's: its address is not copied. */
async function offerStart(): Promise<void> {
	const text = vscode.l10n.t("The server's port is not open, so there is no endpoint to copy.");
	if ((await vscode.window.showWarningMessage(text, START)) === START) {
		await vscode.commands.executeCommand("copilotProxy.start");
	}
}
