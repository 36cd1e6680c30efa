"use strict";
// Stands where the extension under test stands, so that the harness can be tested without it: VS Code asks nobody for
// consent when the provider uses its own models.
const vscode = require("vscode");
const { drive } = require("../provider/drive");

exports.activate = (context) => {
	const state = { changes: 0 };
	const item = vscode.window.createStatusBarItem("status", vscode.StatusBarAlignment.Right);
	item.text = "$(radio-tower) Consumer: ready";
	item.show();
	context.subscriptions.push(
		item,
		vscode.commands.registerCommand("scriptedConsumer.greet", () =>
			vscode.window.showInformationMessage("Hello from the palette"),
		),
		vscode.lm.onDidChangeChatModels(() => {
			state.changes += 1;
		}),
		drive("consumer", { vscode, state }),
	);
};
