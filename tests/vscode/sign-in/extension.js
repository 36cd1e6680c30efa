"use strict";
// Somebody is signed in to a GitHub Enterprise server, and to GitHub itself nobody is. An extension of the user's with the
// id of one that VS Code brings along replaces it: so this stands where VS Code's own sign-in stands.
const vscode = require("vscode");
const { drive } = require("./drive"); // laid beside this file by the harness

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
