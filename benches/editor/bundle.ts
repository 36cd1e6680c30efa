// Runs the extension's shipped bundle in a plain node: its `vscode` is the tests' fake, which the caller has set up.

import { readFileSync } from "node:fs";
import Module from "node:module";
import { resolve } from "node:path";
import * as vscode from "../../vscode-host/test/fake/vscode";

/** An extension that has been activated. */
export interface Activated {
	/** Milliseconds to load the bundle, and to activate it. */
	readonly times: { load: number; activate: number };
	/** Deactivates it, as a window that closes does. */
	dispose(): void;
}

/** Loads and activates the bundle; `manifest` is its package.json. */
export function activateBundle(bundle: string, manifest: string): Activated {
	const modules = Module as unknown as { _load(name: string, ...more: unknown[]): unknown };
	const load = modules._load;
	modules._load = (name, ...more) => (name === "vscode" ? vscode : load(name, ...more));

	const subscriptions: { dispose(): unknown }[] = [];
	const started = performance.now();
	const { activate } = require(resolve(bundle)) as { activate(context: object): void };
	const loaded = performance.now();
	const extension = resolve(bundle, "../..");
	activate({
		subscriptions,
		extensionMode: vscode.ExtensionMode.Production,
		extensionPath: extension,
		extensionUri: vscode.Uri.file(extension),
		globalState: new vscode.FakeMemento({ greeted: true }),
		secrets: new vscode.FakeSecrets(),
		globalStorageUri: vscode.Uri.file("/nowhere"),
		asAbsolutePath: (path: string) => resolve(extension, path),
		extension: { packageJSON: JSON.parse(readFileSync(resolve(manifest), "utf8")) },
	});
	return {
		times: { load: loaded - started, activate: performance.now() - loaded },
		dispose: () => subscriptions.reverse().forEach((each) => void each.dispose()),
	};
}
