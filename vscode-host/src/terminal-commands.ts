// The program `copilot-proxy` in terminals: on the PATH of VS Code's own, installed for others, and started there with an
// agent.

import { copyFile, mkdir, readFile, readlink, rm, stat, symlink, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import * as vscode from "vscode";

/** The agents that have a command of their own: the last part of its name, the terminal's title, and the program. */
export const AGENTS = [
	["runClaudeCode", "Claude Code", "claude"],
	["runCodex", "Codex", "codex"],
	["runOpencode", "opencode", "opencode"],
] as const;

const COPY = vscode.l10n.t("Copy Line");
const REPLACE = vscode.l10n.t("Replace");

/** Puts the program on the PATH of the terminals that are opened from now on. */
export function addToTerminals(collection: vscode.EnvironmentVariableCollection, program: string): void {
	collection.description = vscode.l10n.t("Adds the command `copilot-proxy`.");
	const value = dirname(program) + delimiter;
	if (collection.get("PATH")?.value !== value) {
		collection.prepend("PATH", value);
	}
}

/** Starts an agent with Copilot's models in a new terminal. */
export function runInTerminal(title: string, program: string): void {
	const terminal = vscode.window.createTerminal({ name: title });
	terminal.show();
	terminal.sendText(`copilot-proxy run -- ${program}`);
}

/** The folder for the user's programs, and the name of ours there. */
export function linkPath(platform: string = process.platform, env = process.env, home = homedir()): string {
	// Windows needs a privilege for links, and has one folder of the user's on its PATH.
	return platform === "win32"
		? join(
				env.LOCALAPPDATA ?? join(home, "AppData", "Local"),
				"Microsoft",
				"WindowsApps",
				"copilot-proxy.cmd",
			)
		: join(home, ".local", "bin", "copilot-proxy");
}

/** Files of the extension's folder `share` that shells and `man` find below `~/.local/share`. */
const MANUALS = [
	"man/man1/copilot-proxy.1",
	"bash-completion/completions/copilot-proxy",
	"fish/vendor_completions.d/copilot-proxy.fish",
];

/** The command "Install 'copilot-proxy' Command"; `share` is the extension's folder of manuals. */
export async function installCommand(program: string, storage: string, share: string): Promise<void> {
	const path = linkPath();
	if ((await isForeign(path, storage)) && !(await mayReplace(path))) {
		return;
	}
	await link(path, program);
	if (process.platform !== "win32") {
		await Promise.all(MANUALS.map((name) => copyManual(share, name)));
	}
	const folder = dirname(path);
	if (process.platform === "win32" || (process.env.PATH ?? "").split(delimiter).includes(folder)) {
		void vscode.window.showInformationMessage(
			vscode.l10n.t("Installed {path}. `copilot-proxy` now works in every terminal.", { path }),
		);
		return;
	}
	const line = `export PATH="${folder}:$PATH"`;
	const chosen = await vscode.window.showWarningMessage(
		vscode.l10n.t(
			"Installed {path}. That folder is not on your PATH: add `{line}` to your shell's start-up file.",
			{ path, line },
		),
		COPY,
	);
	if (chosen === COPY) {
		await vscode.env.clipboard.writeText(line);
	}
}

/** Points an installed command to the program of this version. Does nothing if there is none, or another one. */
export async function updateCommand(program: string, storage: string): Promise<void> {
	const path = linkPath();
	const target = await targetOf(path);
	if (target !== undefined && target !== program && target.startsWith(storage)) {
		await link(path, program);
	}
}

/** Copies a file to where it is found. One that isn't packaged, or can't be copied, is not missed. */
async function copyManual(share: string, name: string): Promise<void> {
	const target = join(homedir(), ".local", "share", name);
	await mkdir(dirname(target), { recursive: true })
		.then(() => copyFile(join(share, name), target))
		.catch(() => undefined);
}

async function link(path: string, program: string): Promise<void> {
	await mkdir(dirname(path), { recursive: true });
	await rm(path, { force: true });
	if (process.platform === "win32") {
		await writeFile(path, `@"${program}" %*\r\n`);
	} else {
		await symlink(program, path);
	}
}

/** The program that an installed command starts; undefined if it is no link, or there is none. */
async function targetOf(path: string): Promise<string | undefined> {
	if (process.platform === "win32") {
		const text = await readFile(path, "utf8").catch(() => "");
		return /^@"(.+)" %\*/.exec(text)?.[1];
	}
	return readlink(path).catch(() => undefined);
}

/** Whether the path has something that this extension has not put there. */
async function isForeign(path: string, storage: string): Promise<boolean> {
	const target = await targetOf(path);
	const exists =
		target !== undefined ||
		(await stat(path).then(
			() => true,
			() => false,
		));
	return exists && !target?.startsWith(storage);
}

async function mayReplace(path: string): Promise<boolean> {
	const question = vscode.l10n.t("{path} exists and is not from this extension. Replace it?", { path });
	return (await vscode.window.showWarningMessage(question, { modal: true }, REPLACE)) === REPLACE;
}
