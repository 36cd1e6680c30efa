// The command "Diagnose": runs the program's doctor and shows its findings, errors first.

import * as vscode from "vscode";
import type { Cli } from "./cli";
import type { Finding, Report } from "./generated";
import type { Documents } from "./virtual-documents";

/** Runs the diagnosis and shows it as Markdown. */
export async function diagnose(cli: Cli, documents: Documents): Promise<void> {
	const result = await vscode.window.withProgress(
		{
			location: vscode.ProgressLocation.Notification,
			title: vscode.l10n.t("Copilot Proxy: Checking the server and its models with a test request"),
			cancellable: true,
		},
		(_, token) => report(cli, token),
	);
	if (result) {
		const uri = documents.add(`${vscode.l10n.t("Copilot Proxy Diagnosis")}.md`, markdown(result, new Date()));
		await vscode.commands.executeCommand("markdown.showPreview", uri);
	}
}

/** Runs `doctor`; undefined if the user cancels. */
async function report(cli: Cli, token: vscode.CancellationToken): Promise<Report | undefined> {
	const run = await cli.run(["doctor", "--json"]);
	token.onCancellationRequested(() => run.stop());
	run.answer();
	const { stdout, stderr } = await run.ended;
	if (token.isCancellationRequested) {
		return undefined;
	}
	if (stdout === "") {
		throw new Error(stderr || "copilot-proxy doctor printed nothing");
	}
	return JSON.parse(stdout);
}

const SECTIONS = [
	["error", `✗ ${vscode.l10n.t("Errors")}`],
	["warning", `⚠ ${vscode.l10n.t("Warnings")}`],
	["info", `ℹ ${vscode.l10n.t("Information")}`],
	["ok", `✓ ${vscode.l10n.t("OK")}`],
] as const;

/** The report as Markdown. Pure. */
export function markdown({ version, base_url: url, findings }: Report, at: Date): string {
	const errors = findings.filter(({ status }) => status === "error").length;
	const summary =
		errors === 0
			? vscode.l10n.t("No problems found")
			: errors === 1
				? vscode.l10n.t("1 problem found")
				: vscode.l10n.t("{count} problems found", { count: errors });
	const parts = SECTIONS.map(([status, title]) => {
		const these = findings.filter((finding) => finding.status === status);
		return these.length === 0 ? "" : `## ${title}\n\n${these.map(item).join("\n")}\n`;
	});
	const foot = vscode.l10n.t("Version {version}, {url}, {time}", { version, url, time: at.toLocaleString() });
	return [`# Copilot Proxy: ${summary}\n`, ...parts, "---\n", `${plain(foot)}\n`].filter(Boolean).join("\n");
}

/** A hint is text of this project and may contain Markdown; a finding may contain any characters, so it is escaped. */
function item({ subject, found, hint }: Finding): string {
	const todo = hint === undefined ? "" : `  \n  → ${hint.replaceAll("<", "\\<")}`;
	return `- **${plain(subject)}**: ${plain(found)}${todo}`;
}

/** Escapes a text for Markdown and puts it on one line. */
function plain(text: string): string {
	return text.replaceAll(/\s+/g, " ").replaceAll(/[\\`*_{}[\]<>#|~&]/g, "\\$&");
}
