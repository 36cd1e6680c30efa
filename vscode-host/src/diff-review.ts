// Shows a planned change of a file in VS Code's diff editor and asks the user to apply it. A notification asks as well,
// but it hides after some seconds; the buttons in the diff's title bar remain.

import { basename } from "node:path";
import * as vscode from "vscode";
import { deferred } from "./deferred";
import type { Documents } from "./virtual-documents";

/** A planned change of a file. */
export interface Change {
	file: string;
	before: string;
	after: string;
	/** Title of the diff's tab. */
	title: string;
	question: string;
	/** Label of the button that applies the change. */
	yes: string;
}

/** The context key that shows the buttons; package.json's menus use it. */
const PENDING = "copilotProxy.reviewing";
const NO = vscode.l10n.t("Cancel");

export class Review implements vscode.Disposable {
	#decide: ((agreed: boolean) => void) | undefined;
	readonly #commands = [
		vscode.commands.registerCommand("copilotProxy.agree", () => this.#decide?.(true)),
		vscode.commands.registerCommand("copilotProxy.decline", () => this.#decide?.(false)),
	];

	constructor(private readonly documents: Documents) {}

	/** Resolves to whether the user applies the change. Closing the diff or opening the next one means no. */
	async agreed({ file, before, after, title, question, yes }: Change): Promise<boolean> {
		this.#decide?.(false);
		const { promise, resolve } = deferred<boolean>();
		this.#decide = resolve;
		const [left, right] = [before, after].map((text) => this.documents.add(basename(file), text));
		await vscode.commands.executeCommand("vscode.diff", left, right, title, { preview: false });
		await vscode.commands.executeCommand("setContext", PENDING, true);
		const isIt = ({ input }: vscode.Tab) =>
			input instanceof vscode.TabInputTextDiff && input.modified.toString() === right?.toString();
		const tabs = () => vscode.window.tabGroups.all.flatMap((group) => group.tabs.filter(isIt));
		const closing = vscode.window.tabGroups.onDidChangeTabs(({ closed }) => {
			if (closed.some(isIt) && tabs().length === 0) {
				resolve(false);
			}
		});
		void vscode.window
			.showInformationMessage(question, yes, NO)
			.then((chosen) => chosen !== undefined && resolve(chosen === yes));
		try {
			return await promise;
		} finally {
			closing.dispose();
			if (this.#decide === resolve) {
				this.#decide = undefined;
				await vscode.commands.executeCommand("setContext", PENDING, false);
			}
			await vscode.window.tabGroups.close(tabs());
		}
	}

	dispose(): void {
		this.#decide?.(false);
		for (const command of this.#commands) {
			command.dispose();
		}
	}
}
