// A fake extension host: node runs the shipped bundle with a fake of `vscode` whose only model is the harness's. The server
// is running already; the extension finds it as a second window does.
// Usage: node host.js BUNDLE MANIFEST

import * as vscode from "../../vscode-host/test/fake/vscode";
import { activateBundle } from "./bundle";
import { obeyHarness } from "./control";
import { Model } from "./model";

const [bundle = "", manifest = ""] = process.argv.slice(2);
const { fake } = vscode;
fake.models = [new Model()] as unknown as vscode.FakeModel[];
fake.activeExtensions.add("GitHub.copilot-chat");
fake.settings = { autoStart: false, port: 0 };
fake.log.push = () => 0; // it isn't read here and would grow with every request

obeyHarness(activateBundle(bundle, manifest).times);
