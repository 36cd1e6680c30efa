// The command "Diagnose": runs the program's doctor and shows its findings, errors first.

import * as vscode from "vscode";
import type { Cli } from "./cli";
import type { Finding, Report } from "./generated";
import type { Remedy } from "./server-state";
import type { Documents } from "./virtual-documents";

/** Runs the diagnosis and shows it as Markdown. */
export async function diagnose(
	cli: Cli,
	documents: Documents,
	remedy?: () => Remedy | undefined,
): Promise<void> {
	const result = await vscode.window.withProgress(
		{
			location: vscode.ProgressLocation.Notification,
			title: vscode.l10n.t("Copilot Proxy: Checking the server and its models with a test request"),
			cancellable: true,
		},
		(_, token) => report(cli, token),
	);
	if (result) {
		const text = markdown(result, new Date());
		const uri = documents.add(`${vscode.l10n.t("Copilot Proxy Diagnosis")}.md`, text);
		await vscode.commands.executeCommand("markdown.showPreview", uri);
		void offer(result, text, remedy?.());
	}
}

const COPY = vscode.l10n.t("Copy Report");
const AGAIN = vscode.l10n.t("Diagnose Again");

/** The button for an error of a subject: its label, and the command without its prefix. */
const BUTTONS: Readonly<Record<string, readonly [title: string, command: string]>> = {
	server: [vscode.l10n.t("Start Server"), "start"],
	port: [vscode.l10n.t("Start Server"), "start"],
	key: [vscode.l10n.t("Manage Keys..."), "manageKeys"],
	consent: [vscode.l10n.t("Allow..."), "allow"],
	models: [vscode.l10n.t("Get Models"), "getModels"],
	request: [vscode.l10n.t("Show Logs"), "showLogs"],
};

/** Offers the action that removes the first error. That of the server's state is more exact than the one of the subject. */
async function offer(report: Report, text: string, remedy: Remedy | undefined): Promise<void> {
	const errors = report.findings.filter(({ status }) => status === "error");
	const found = errors.flatMap(({ subject }) => (BUTTONS[subject] ? [BUTTONS[subject]] : []))[0];
	const mend = errors.length > 0 && remedy ? ([remedy.title, remedy.command] as const) : found;
	const labels = [...(mend ? [mend[0]] : []), COPY, AGAIN];
	const summary = `Copilot Proxy: ${summaryOf(report)}`;
	const chosen =
		errors.length > 0
			? await vscode.window.showWarningMessage(summary, ...labels)
			: await vscode.window.showInformationMessage(summary, ...labels);
	if (chosen === COPY) {
		await vscode.env.clipboard.writeText(text);
	} else if (chosen === AGAIN) {
		await vscode.commands.executeCommand("copilotProxy.diagnose");
	} else if (chosen !== undefined && mend) {
		await vscode.commands.executeCommand(`copilotProxy.${mend[1]}`);
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
export function markdown(report: Report, at: Date): string {
	const { version, base_url: url, findings } = report;
	const parts = SECTIONS.map(([status, title]) => {
		const these = findings.filter((finding) => finding.status === status);
		return these.length === 0 ? "" : `## ${title}\n\n${these.map(item).join("\n")}\n`;
	});
	const foot = vscode.l10n.t("Version {version}, {url}, {time}", { version, url, time: at.toLocaleString() });
	return [`# Copilot Proxy: ${summaryOf(report)}\n`, ...parts, "---\n", `${plain(foot)}\n`]
		.filter(Boolean)
		.join("\n");
}

function summaryOf({ findings }: Report): string {
	const errors = findings.filter(({ status }) => status === "error").length;
	switch (errors) {
		case 0:
			return vscode.l10n.t("No problems found");
		case 1:
			return vscode.l10n.t("1 problem found");
		default:
			return vscode.l10n.t("{count} problems found", { count: errors });
	}
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
