"use strict";
// The editor tools for tests: one for each kind of result and of failure. package.json describes them.
const vscode = require("vscode");

const { LanguageModelDataPart: Data, LanguageModelTextPart: Text, LanguageModelToolResult: Result } = vscode;

// One red pixel.
const PNG = Buffer.from(
	"iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC",
	"base64",
);

/** A prompt-tsx tree of lines in its JSON form: type 1 is an element, type 2 a text. */
const tree = (lines) => ({
	node: {
		type: 1,
		ctor: 2,
		ctorName: "Lines",
		props: {},
		references: [],
		children: lines.map((text) => ({ type: 2, priority: 1, text, references: [], lineBreakBefore: true })),
	},
});

const tools = {
	test_add: { invoke: ({ input: { a, b } }) => new Result([new Text(String(a + b))]) },
	test_tree: {
		invoke: () => new Result([new vscode.LanguageModelPromptTsxPart(tree(["src/", "README.md"]))]),
	},
	test_picture: { invoke: () => new Result([new Text("one red pixel"), Data.image(PNG, "image/png")]) },
	test_confirm: {
		prepareInvocation: () => ({ confirmationMessages: { title: "Really?", message: "Do what was asked?" } }),
		invoke: () => new Result([new Text("confirmed")]),
	},
	test_fail: {
		invoke: ({ input: { message = "failed as asked" } }) => {
			throw new Error(message);
		},
	},
};

/** A tool that never returns; `state.hangs` counts its calls, `state.toolCancellations` their cancellations. */
const hanging = (state) => ({
	invoke: (_options, token) =>
		new Promise((_done, reject) => {
			state.hangs += 1;
			token.onCancellationRequested(() => {
				state.toolCancellations += 1;
				reject(new vscode.CancellationError());
			});
		}),
});

/** Registers every tool. */
const registerTools = (state) =>
	Object.entries({ ...tools, test_hang: hanging(state) }).map(([name, tool]) =>
		vscode.lm.registerTool(name, tool),
	);

module.exports = { registerTools };
