// An extension host as far as the extension sees one: node runs the bundle that is shipped, beside a fake of `vscode`
// whose only model is the harness's. The server is there already; the extension finds it as a second window does.
// Usage: node host.js BUNDLE MANIFEST

import { readFileSync } from "node:fs";
import Module from "node:module";
import { resolve } from "node:path";
import * as vscode from "../../vscode-host/test/fake/vscode";
import { obeyHarness } from "./control";
import { Model } from "./model";

const [bundle = "", manifest = ""] = process.argv.slice(2).map((path) => resolve(path));
const { fake } = vscode;
fake.models = [new Model()] as unknown as vscode.FakeModel[];
fake.activeExtensions.add("GitHub.copilot-chat");
fake.settings = { autoStart: false, port: 0 };
fake.log.push = () => 0; // nobody reads it here, and it would grow with every request

const modules = Module as unknown as { _load(name: string, ...more: unknown[]): unknown };
const load = modules._load;
modules._load = (name, ...more) => (name === "vscode" ? vscode : load(name, ...more));

const started = performance.now();
const { activate } = require(bundle) as { activate(context: object): void };
const loaded = performance.now();
activate({
	subscriptions: [],
	extensionMode: vscode.ExtensionMode.Production,
	extensionPath: resolve(bundle, "../.."),
	extensionUri: vscode.Uri.file(resolve(bundle, "../..")),
	globalState: new vscode.FakeMemento({ greeted: true }),
	globalStorageUri: vscode.Uri.file("/nowhere"),
	asAbsolutePath: (path: string) => resolve(bundle, "../..", path),
	extension: { packageJSON: JSON.parse(readFileSync(manifest, "utf8")) },
});
obeyHarness({ load: loaded - started, activate: performance.now() - loaded });
