// Asks the user whether the web pages of an origin may use the models, and writes the answer to the settings.

import * as vscode from "vscode";
import type { FromEditor, OriginDecision } from "./protocol";
import type { Settings } from "./settings";

/** The `Origin` header of all files and sandboxed frames. The settings can't tell them apart, so the server keeps this answer. */
const NO_ORIGIN = "null";

const ALLOW = vscode.l10n.t("Allow");
const BLOCK = vscode.l10n.t("Block");

export class Origins {
	readonly #settings: Pick<Settings, "move">;

	constructor(settings: Pick<Settings, "move">) {
		this.#settings = settings;
	}

	/** Shows the question and resolves when the user has answered or dismissed it. */
	async ask(origin: string): Promise<FromEditor> {
		const chosen = await vscode.window.showWarningMessage(question(origin), ALLOW, BLOCK);
		const decision: OriginDecision = chosen === ALLOW ? "allow" : chosen === BLOCK ? "block" : "unanswered";
		if (origin !== NO_ORIGIN) {
			if (decision === "allow") {
				await this.#settings.move(origin, "blockedOrigins", "allowedOrigins");
			} else if (decision === "block") {
				await this.#settings.move(origin, "allowedOrigins", "blockedOrigins");
			}
		}
		return { type: "origin_answer", decision };
	}
}

function question(origin: string): string {
	return origin === NO_ORIGIN
		? vscode.l10n.t(
				"A web page without an address (a file or a sandboxed frame) wants to use the models of Copilot Proxy. Its requests can cost Copilot credits. The answer applies to all such pages for one hour.",
			)
		: vscode.l10n.t(
				"The web page {origin} wants to use the models of Copilot Proxy. Its requests can cost Copilot credits.",
				{ origin },
			);
}
