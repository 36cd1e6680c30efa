// The command "Set up a Client...": the user selects a client, reviews the change, and applies it. The server program's
// `setup` command lists the clients, plans the changes and writes the files.

import { homedir } from "node:os";
import * as vscode from "vscode";
import type { Cli } from "./cli";
import type { Review } from "./diff-review";
import type { ClientEntry, FileChange, Plan } from "./generated";
import type { Documents } from "./virtual-documents";

/** The user's choice, and the folder that it applies to. */
interface Selection {
	client: ClientEntry;
	cwd: string;
	undo: boolean;
}

type Choice = vscode.QuickPickItem & { selection?: Selection };

const UNDO = vscode.l10n.t("Undo");
const OPEN = vscode.l10n.t("Open File");
const COPY = vscode.l10n.t("Copy");

/** Whether its file is in a workspace folder, not in the home directory. */
const isOfFolder = ({ scope }: ClientEntry) => scope === "project";

export class Setup {
	constructor(
		private readonly cli: Cli,
		private readonly documents: Documents,
		private readonly review: Review,
	) {}

	/** Runs the whole dialog; `client` skips the selection. */
	async start(client?: string): Promise<void> {
		if (client !== undefined) {
			const [cwd = homedir()] = folders();
			const found = (await this.#clients(cwd)).find((each) => each.client === client);
			return found && this.#carryOut({ client: found, cwd, undo: false });
		}
		const picked = await vscode.window.showQuickPick(this.#choices(), {
			title: vscode.l10n.t("Set up a Client"),
			placeHolder: vscode.l10n.t("Select the program that should use Copilot's models"),
			matchOnDescription: true,
		});
		if (picked?.selection) {
			await this.#carryOut(picked.selection);
		}
	}

	async #choices(): Promise<Choice[]> {
		const [cwd = homedir(), ...others] = folders();
		const clients = await this.#clients(cwd);
		const selections = clients.map((client) => ({ client, cwd, undo: false }));
		// Each workspace folder has files of its own.
		const more = await Promise.all(
			others.map(async (folder) =>
				(await this.#clients(folder))
					.filter(isOfFolder)
					.map((client) => ({ client, cwd: folder, undo: false })),
			),
		);
		const all = [...selections, ...more.flat()];
		const hasUserFile = new Set(clients.filter(({ scope }) => scope === "user").map(({ client }) => client));
		const choice = (selection: Selection) =>
			choiceOf(selection, isOfFolder(selection.client) && hasUserFile.has(selection.client.client));
		// The user's own files first, then those of the folders; what is on this machine before the rest.
		const rank = ({ client }: Selection) => (isOfFolder(client) ? 2 : 0) + (client.installed ? 0 : 1);
		const written = all
			.filter(({ client }) => client.file !== null && (!isOfFolder(client) || folders().length > 0))
			.sort((one, other) => rank(one) - rank(other));
		const undone = written
			.filter(({ client }) => client.set_up)
			.map((selection) => ({ ...selection, undo: true }));
		return [
			separator(vscode.l10n.t("writes a file, after showing the change")),
			...written.map(choice),
			separator(vscode.l10n.t("shows a text to copy")),
			...all.filter(({ client }) => client.file === null).map(choice),
			...(undone.length > 0 ? [separator(vscode.l10n.t("undo")), ...undone.map(choice)] : []),
		];
	}

	async #clients(cwd: string): Promise<ClientEntry[]> {
		const run = await this.cli.run(["setup", "--json"], cwd);
		return JSON.parse(await run.line());
	}

	async #carryOut(selection: Selection): Promise<void> {
		const { client, cwd, undo } = selection;
		// The plan names what an undo would lose, and the user decides.
		const more = [...(client.scope ? ["--scope", client.scope] : []), ...(undo ? ["--undo", "--force"] : [])];
		const run = await this.cli.run(["setup", client.client, "--json", ...more], cwd);
		const plan: Plan = JSON.parse(await run.line());
		switch (plan.plan) {
			case "write":
			case "undo": {
				const agrees = await this.#agreed(client, plan);
				run.answer(agrees ? "y" : "");
				const { code, stderr } = await run.ended;
				if (!agrees) {
					return;
				}
				if (code !== 0) {
					throw new Error(stderr);
				}
				return this.#done(selection, plan);
			}
			case "copy":
				return this.#copy(client, plan);
			case "nothing":
				return this.#offer(plan.message, client.set_up ? [UNDO] : [], selection);
			default:
				plan satisfies never;
		}
	}

	/** Shows one file after the other. */
	async #agreed(client: ClientEntry, plan: Changes): Promise<boolean> {
		for (const change of plan.changes) {
			if (!(await this.review.agreed(reviewOf(client, plan, change)))) {
				return false;
			}
		}
		return true;
	}

	#done(selection: Selection, plan: Changes): Promise<void> {
		if (plan.plan === "write") {
			const done = vscode.l10n.t("{client} is set up. Next: {next}.", {
				client: selection.client.title,
				next: plan.next,
			});
			const text = `${done} ${vscode.l10n.t("It works while VS Code is open.")}`;
			return this.#offer(text, [OPEN, UNDO], selection);
		}
		const file = plan.changes.map((change) => short(change.file)).join(", ");
		const isThere = plan.changes.some(({ after }) => after !== null);
		return this.#offer(vscode.l10n.t("{file} was restored.", { file }), isThere ? [OPEN] : [], selection);
	}

	async #offer(text: string, buttons: string[], selection: Selection): Promise<void> {
		switch (await vscode.window.showInformationMessage(text, ...buttons)) {
			case UNDO:
				return this.#carryOut({ ...selection, undo: true });
			case OPEN:
				await vscode.window.showTextDocument(vscode.Uri.file(selection.client.file ?? ""));
				return;
		}
	}

	async #copy({ title }: ClientEntry, { into, text }: Extract<Plan, { plan: "copy" }>): Promise<void> {
		const shown = await vscode.workspace.openTextDocument(this.documents.add(into, text));
		await vscode.window.showTextDocument(shown, { preview: true });
		const chosen = await vscode.window.showInformationMessage(
			vscode.l10n.t("Set up {client} by hand: the text says where to put it.", { client: title }),
			COPY,
		);
		if (chosen === COPY) {
			await vscode.env.clipboard.writeText(text);
		}
	}
}

/** A plan that changes files. */
type Changes = Extract<Plan, { plan: "write" | "undo" }>;

function reviewOf(
	{ title }: ClientEntry,
	plan: Changes,
	{ file, before, after }: FileChange,
): Parameters<Review["agreed"]>[0] {
	const name = short(file);
	const shown = { file, before: before ?? "", after: after ?? "" };
	if (plan.plan === "write") {
		const note = plan.note === null ? "" : ` ${plan.note}`;
		const names = { client: title, file: name };
		const question =
			before === null
				? vscode.l10n.t("{client}: make {file} as shown on the right?", names)
				: vscode.l10n.t("{client}: write {file} as shown on the right?", names);
		return {
			...shown,
			title: vscode.l10n.t("{file}: now ↔ with Copilot Proxy", { file: name }),
			question: question + note,
			yes: vscode.l10n.t("Write"),
		};
	}
	const lost = plan.changed
		? ` ${vscode.l10n.t("It was changed after it was set up: these changes would be lost.")}`
		: "";
	const names = { client: title, file: name };
	const question =
		after === null
			? vscode.l10n.t("{client}: remove {file}, which was not there before?", names)
			: vscode.l10n.t("{client}: put {file} back as shown on the right?", names);
	return {
		...shown,
		title: vscode.l10n.t("{file}: now ↔ as before", { file: name }),
		question: question + lost,
		yes: after === null ? vscode.l10n.t("Remove") : vscode.l10n.t("Put Back"),
	};
}

/** The label tells a folder's file from the user's, where a client has both. */
function choiceOf(selection: Selection, isSecondScope: boolean): Choice {
	const { client, undo } = selection;
	const { title } = client;
	const installed = vscode.l10n.t("installed");
	const setUp = client.set_up
		? `$(check) ${vscode.l10n.t("set up")}, `
		: client.installed
			? `${installed}, `
			: "";
	const mark = undo ? "" : setUp;
	const name = isSecondScope ? vscode.l10n.t("{client} in This Folder", { client: title }) : title;
	return {
		label: undo ? `${UNDO}: ${name}` : name,
		description: client.file === null ? (client.installed ? installed : "") : `${mark}${short(client.file)}`,
		selection,
	};
}

function separator(label: string): Choice {
	return { label, kind: vscode.QuickPickItemKind.Separator };
}

function folders(): string[] {
	const all = vscode.workspace.workspaceFolders ?? [];
	return all.filter(({ uri }) => uri.scheme === "file").map(({ uri }) => uri.fsPath);
}

/** The path with `~` for the home folder. */
function short(file: string): string {
	const home = homedir();
	return file.startsWith(home) ? `~${file.slice(home.length)}` : file;
}
