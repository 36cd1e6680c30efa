// The user's API keys. They are in VS Code's secret storage, which all windows share; each window sends them to its server.

import * as vscode from "vscode";
import type { PersonKey } from "./protocol";
import type { Settings } from "./settings";

/** Name of the entry in the secret storage. */
const STORED = "keys";

/** Name of the key that was a setting in earlier versions. */
const DEFAULT = "default";

const MANAGE = vscode.l10n.t("Manage Keys...");

export class Keys implements vscode.Disposable {
	readonly #changed = new vscode.EventEmitter<void>();
	readonly onDidChange = this.#changed.event;
	readonly #subscription: vscode.Disposable;
	#all: readonly PersonKey[] | undefined;
	/** The text that they were read from. */
	#stored: string | undefined;

	constructor(private readonly secrets: vscode.SecretStorage) {
		this.#subscription = secrets.onDidChange(({ key }) => {
			if (key === STORED) {
				void this.read().catch(() => undefined); // the last keys stay
			}
		});
	}

	/** All keys; undefined while they can't be read. */
	get all(): readonly PersonKey[] | undefined {
		return this.#all;
	}

	/** The key for commands of this extension, preferably one that permits all models; empty if there is none. */
	get own(): string {
		const all = this.#all ?? [];
		return (all.find(({ models }) => models.length === 0) ?? all[0])?.key ?? "";
	}

	/** Reads the keys from the secret storage. */
	async read(): Promise<void> {
		const stored = (await this.secrets.get(STORED)) ?? "[]";
		if (stored !== this.#stored) {
			this.#all = JSON.parse(stored);
			this.#stored = stored;
			this.#changed.fire();
		}
	}

	/** Replaces all keys. */
	async write(keys: readonly PersonKey[]): Promise<void> {
		await this.secrets.store(STORED, JSON.stringify(keys));
		await this.read();
	}

	/** Moves the key that earlier versions had in the settings to the secret storage. */
	async moveFrom(settings: Pick<Settings, "apiKey" | "write">): Promise<void> {
		const key = settings.apiKey;
		if (key === "" || this.#all === undefined) {
			return;
		}
		const before = this.#all.find(({ name }) => name === DEFAULT);
		const others = this.#all.filter((other) => other.name !== DEFAULT && other.key !== key);
		await this.write([...others, { models: [], tools: true, ...before, name: DEFAULT, key }]);
		await settings.write("apiKey", "");
		const text = vscode.l10n.t(
			"The API key in the setting copilotProxy.apiKey was moved to VS Code's secret storage. Clients use it as before.",
		);
		void vscode.window.showInformationMessage(text, MANAGE).then((chosen) => {
			return chosen === MANAGE && vscode.commands.executeCommand("copilotProxy.manageKeys");
		});
	}

	dispose(): void {
		this.#subscription.dispose();
		this.#changed.dispose();
	}
}
