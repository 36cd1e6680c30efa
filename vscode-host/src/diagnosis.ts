// "Diagnose": has the program's doctor look at the server and shows what it found, what is wrong first.

import * as vscode from "vscode";
import type { Documents } from "./documents";
import type { Program } from "./program";

/** What `doctor --json` says. */
export interface Report {
	ok: boolean;
	version: string;
	base_url: string;
	findings: Finding[];
}

interface Finding {
	subject: string;
	verdict: "well" | "note" | "wrong";
	found: string;
	/** What to do. */
	advice?: string;
}

/** Looks, and shows what was found. */
export async function diagnose(program: Program, documents: Documents): Promise<void> {
	const report = await vscode.window.withProgress(
		{
			location: vscode.ProgressLocation.Notification,
			title: "Copilot Proxy: looking at the server and its models, and asking one of them",
			cancellable: true,
		},
		(_, token) => examined(program, token),
	);
	if (report) {
		const uri = documents.add("Copilot Proxy Diagnosis.md", told(report, new Date()));
		await vscode.commands.executeCommand("markdown.showPreview", uri);
	}
}

/** Undefined where the person no longer wants to know. */
async function examined(program: Program, token: vscode.CancellationToken): Promise<Report | undefined> {
	const run = await program.run(["doctor", "--json"]);
	token.onCancellationRequested(() => run.stop());
	run.answer();
	const { said, complained } = await run.ended;
	if (token.isCancellationRequested) {
		return undefined;
	}
	if (said === "") {
		throw new Error(complained || "the doctor said nothing");
	}
	return JSON.parse(said);
}

const VERDICTS = [
	["wrong", "✗ What is wrong"],
	["note", "⚠ Worth knowing"],
	["well", "✓ What is well"],
] as const;

/** As Markdown. Pure. */
export function told({ version, base_url: url, findings }: Report, at: Date): string {
	const wrong = findings.filter(({ verdict }) => verdict === "wrong").length;
	const summary =
		wrong === 0 ? "All is well" : wrong === 1 ? "One thing is wrong" : `${wrong} things are wrong`;
	const parts = VERDICTS.map(([verdict, title]) => {
		const these = findings.filter((finding) => finding.verdict === verdict);
		return these.length === 0 ? "" : `## ${title}\n\n${these.map(item).join("\n")}\n`;
	});
	const foot = `Version ${version} looked at ${url} on ${at.toLocaleString()}.`;
	return [`# Copilot Proxy: ${summary}\n`, ...parts, "---\n", `${plain(foot)}\n`].filter(Boolean).join("\n");
}

/** The advice is ours and may hold code; what was found may hold anything. */
function item({ subject, found, advice }: Finding): string {
	const todo = advice === undefined ? "" : `  \n  → ${advice.replaceAll("<", "\\<")}`;
	return `- **${plain(subject)}**: ${plain(found)}${todo}`;
}

/** Text that Markdown leaves as it is, on one line. */
function plain(text: string): string {
	return text.replaceAll(/\s+/g, " ").replaceAll(/[\\`*_{}[\]<>#|~&]/g, "\\$&");
}
