// Read-only virtual documents; each is removed when its last editor closes.

import * as vscode from "vscode";

/** The scheme of their URIs; package.json names it, too. */
export const SCHEME = "copilot-proxy";

export class Documents implements vscode.Disposable {
	readonly #texts = new Map<string, string>();
	readonly #subscriptions = [
		vscode.workspace.registerTextDocumentContentProvider(SCHEME, {
			provideTextDocumentContent: (uri) => this.#texts.get(uri.toString()),
		}),
		vscode.workspace.onDidCloseTextDocument(({ uri }) => this.#texts.delete(uri.toString())),
	];
	#made = 0;

	/** Adds a text and returns its URI. VS Code takes the language from the extension of the name. */
	add(name: string, text: string): vscode.Uri {
		this.#made += 1;
		const uri = vscode.Uri.from({ scheme: SCHEME, path: `/${this.#made}/${name}` });
		this.#texts.set(uri.toString(), text);
		return uri;
	}

	dispose(): void {
		for (const subscription of this.#subscriptions) {
			subscription.dispose();
		}
	}
}
