"use strict";
// Replaces the extension under test in the tests of the harness. It can't be the provider itself, since VS Code doesn't
// ask for consent when an extension uses its own models.
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
