"use strict";
// A fake sign-in to GitHub: it has a session for a GitHub Enterprise server and none for GitHub itself. An installed
// extension replaces the built-in one with the same id.
const vscode = require("vscode");
const { drive } = require("./drive"); // the harness copies it here

const ACCOUNT = { id: "1", label: "tester" };

const sessionFor = (scopes = ["read:user", "user:email", "repo", "workflow"]) => ({
	id: scopes.join(" "),
	accessToken: "gho_nobody",
	account: ACCOUNT,
	scopes,
});

exports.activate = (context) => {
	const changed = new vscode.EventEmitter();
	const provider = (sessions) => ({
		onDidChangeSessions: changed.event,
		getSessions: async (scopes) => sessions(scopes && [...scopes]),
		createSession: async (scopes) => sessionFor([...scopes]),
		removeSession: async () => {},
	});
	const register = (id, label, sessions) =>
		vscode.authentication.registerAuthenticationProvider(id, label, provider(sessions));
	context.subscriptions.push(
		changed,
		register("github-enterprise", "GitHub Enterprise Server", (scopes) => [sessionFor(scopes)]),
		register("github", "GitHub", () => []),
		drive("provider", { vscode, state: {} }),
	);
};
