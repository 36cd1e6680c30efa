// Finds out why this window has no models, and removes the cause: installs Copilot, signs in, or shows the account's plan.

import * as vscode from "vscode";
import type { Absence } from "./server-state";

const COPILOT = "GitHub.copilot-chat";
const PLANS = "https://github.com/settings/copilot";

/** Providers of accounts that Copilot signs in with. */
const ACCOUNTS = ["github", "github-enterprise"];

export class ModelAbsence implements vscode.Disposable {
	readonly #changed = new vscode.EventEmitter<void>();
	readonly onDidChange = this.#changed.event;
	readonly #subscriptions: vscode.Disposable[];
	#reason: Absence | undefined;

	/** `hasModels` tells whether this window has any. */
	constructor(private readonly hasModels: () => boolean) {
		const check = () => void this.check();
		this.#subscriptions = [
			vscode.extensions.onDidChange(check),
			vscode.authentication.onDidChangeSessions(check),
		];
	}

	/** The reason that was found last; undefined while the window has models, or before it was looked for. */
	get reason(): Absence | undefined {
		return this.hasModels() ? undefined : this.#reason;
	}

	/** Looks for the reason. */
	async check(): Promise<void> {
		const before = this.#reason;
		this.#reason = this.hasModels() ? undefined : await find();
		if (this.#reason !== before) {
			this.#changed.fire();
		}
	}

	/** Removes the cause, as far as a command can. */
	async resolve(): Promise<void> {
		await this.check();
		switch (this.#reason) {
			case "not_installed":
				await vscode.commands.executeCommand("workbench.extensions.installExtension", COPILOT, {
					enable: true,
					justification: vscode.l10n.t("Copilot Proxy serves the models of GitHub Copilot."),
				});
				return this.check();
			case "not_signed_in":
				await vscode.commands.executeCommand("workbench.action.chat.triggerSetup");
				return;
			case "none_offered":
				await vscode.env.openExternal(vscode.Uri.parse(PLANS));
				return;
			case undefined:
				return;
			default:
				this.#reason satisfies never;
		}
	}

	dispose(): void {
		vscode.Disposable.from(...this.#subscriptions).dispose();
		this.#changed.dispose();
	}
}

async function find(): Promise<Absence> {
	if (!vscode.extensions.getExtension(COPILOT)) {
		return "not_installed";
	}
	const accounts = await Promise.all(
		ACCOUNTS.map((provider) =>
			vscode.authentication.getAccounts(provider).then(
				(found) => found.length,
				() => 0, // there is no such provider
			),
		),
	);
	return accounts.some((count) => count > 0) ? "none_offered" : "not_signed_in";
}
