// The command "Manage Keys...": adds, copies, changes and revokes the user's API keys.

import { randomBytes } from "node:crypto";
import * as vscode from "vscode";
import type { Keys } from "./keys";
import type { PersonKey } from "./protocol";

const TITLE = vscode.l10n.t("Manage Keys");
const REVOKE = vscode.l10n.t("Revoke");
/** The server cuts longer names. */
const LONGEST_NAME = 100;

type Action = vscode.QuickPickItem & { run?: () => Promise<void> };

/** A permission or limit of a key as a line of a menu: label, value shown, and the question that changes it. */
type Field = vscode.QuickPickItem & { change(key: PersonKey): Promise<PersonKey | undefined> };

export class ManageKeys {
	constructor(private readonly keys: Keys) {}

	/** Shows the keys and runs the chosen action. */
	async start(): Promise<void> {
		await this.keys.read();
		const add: Action = { label: `$(add) ${vscode.l10n.t("Add Key...")}`, run: () => this.#add() };
		const known = this.#all.map(
			(key): Action => ({
				label: `$(key) ${key.name}`,
				description: summary(key),
				run: () => this.#menu(key),
			}),
		);
		const placeHolder =
			known.length === 0
				? vscode.l10n.t("No key is needed now. From the first one on every request must carry a key")
				: vscode.l10n.t("Every request must carry one of these keys");
		await choose([add, ...known], placeHolder);
	}

	get #all(): readonly PersonKey[] {
		return this.keys.all ?? [];
	}

	async #add(): Promise<void> {
		const name = await this.#askName("");
		const key = `cp-${randomBytes(24).toString("base64url")}`;
		const made =
			name &&
			(await this.#edit({ name, key, models: [], tools: true }, `$(check) ${vscode.l10n.t("Add and Copy")}`));
		if (!made) {
			return;
		}
		const isFirst = this.#all.length === 0;
		await this.keys.write([...this.#all, made]);
		await copy(made, isFirst ? ` ${vscode.l10n.t("From now on every request needs a key.")}` : "");
	}

	async #menu(key: PersonKey): Promise<void> {
		const actions: Action[] = [
			{ label: `$(copy) ${vscode.l10n.t("Copy")}`, run: () => copy(key) },
			{ label: `$(edit) ${vscode.l10n.t("Change...")}`, run: () => this.#change(key) },
			{ label: `$(trash) ${vscode.l10n.t("Revoke...")}`, run: () => this.#revoke(key) },
		];
		await choose(actions, `${key.name}: ${summary(key)}`);
	}

	async #change(key: PersonKey): Promise<void> {
		const changed = await this.#edit(key, `$(check) ${vscode.l10n.t("Save")}`);
		if (changed) {
			await this.#replace(key, [changed]);
		}
	}

	async #revoke(key: PersonKey): Promise<void> {
		const isLast = this.#all.length === 1;
		const ending = vscode.l10n.t("Programs that use it are refused at once, and their running requests end.");
		const last = vscode.l10n.t("It is the last key: from then on requests need none.");
		const detail = isLast ? `${ending} ${last}` : ending;
		const question = vscode.l10n.t("Revoke the key {name}?", { name: key.name });
		const chosen = await vscode.window.showWarningMessage(question, { modal: true, detail }, REVOKE);
		if (chosen === REVOKE) {
			await this.#replace(key, []);
		}
	}

	/** Replaces a key as it is stored now: another window may have changed the others. */
	async #replace(key: PersonKey, by: PersonKey[]): Promise<void> {
		await this.keys.read();
		await this.keys.write(this.#all.flatMap((other) => (other.key === key.key ? by : [other])));
	}

	/** Lets the user change the fields of a key until they are accepted; undefined if the menu is dismissed. */
	async #edit(draft: PersonKey, accept: string): Promise<PersonKey | undefined> {
		let key = draft;
		for (;;) {
			const fields = this.#fields(key);
			const items: (vscode.QuickPickItem | Field)[] = [{ label: accept }, ...fields];
			const picked = await vscode.window.showQuickPick(items, { title: TITLE, placeHolder: key.name });
			if (!picked) {
				return undefined;
			}
			if (!("change" in picked)) {
				return key;
			}
			key = (await picked.change(key)) ?? key;
		}
	}

	#fields(key: PersonKey): Field[] {
		const field = (label: string, description: string, change: Field["change"]) => ({
			label,
			description,
			change,
		});
		const limit = (label: string, name: "per_day" | "per_month" | "total") =>
			field(label, key[name] === undefined ? vscode.l10n.t("no limit") : String(key[name]), async (key) => {
				const text = await askLimit(label, key[name]);
				if (text === undefined) {
					return undefined;
				}
				const { [name]: _, ...others } = key;
				return text === "" ? others : { ...others, [name]: Number(text) };
			});
		return [
			field(vscode.l10n.t("Name"), key.name, async (key) => {
				const name = await this.#askName(key.name);
				return name === undefined ? undefined : { ...key, name };
			}),
			field(vscode.l10n.t("Models"), key.models.join(", ") || vscode.l10n.t("all"), async (key) => {
				const text = await ask(
					vscode.l10n.t("Models, separated by commas; * and ? stand for any characters"),
					{
						value: key.models.join(", "),
						placeHolder: vscode.l10n.t("claude-*, gpt-5-mini (empty: all models)"),
					},
				);
				return text === undefined ? undefined : { ...key, models: words(text) };
			}),
			field(
				vscode.l10n.t("Editor's Tools"),
				key.tools ? vscode.l10n.t("allowed") : vscode.l10n.t("not allowed"),
				async (key) => ({
					...key,
					tools: !key.tools,
				}),
			),
			limit(vscode.l10n.t("Credits per Day"), "per_day"),
			limit(vscode.l10n.t("Credits per Month"), "per_month"),
			limit(vscode.l10n.t("Credits in All"), "total"),
		];
	}

	async #askName(before: string): Promise<string | undefined> {
		const others = this.#all.map(({ name }) => name).filter((name) => name !== before);
		const name = await ask(vscode.l10n.t("Name of the key: who uses it"), {
			value: before,
			placeHolder: "ci",
			validateInput(text) {
				const name = text.trim();
				if (name === "" || Buffer.byteLength(name) > LONGEST_NAME) {
					return vscode.l10n.t("Enter a name of at most {count} characters.", { count: LONGEST_NAME });
				}
				return others.includes(name) ? vscode.l10n.t("There is a key {name} already.", { name }) : undefined;
			},
		});
		return name?.trim();
	}
}

async function choose(actions: Action[], placeHolder: string): Promise<void> {
	const picked = await vscode.window.showQuickPick(actions, { title: TITLE, placeHolder });
	await picked?.run?.();
}

async function ask(prompt: string, options: vscode.InputBoxOptions): Promise<string | undefined> {
	return vscode.window.showInputBox({ title: TITLE, prompt, ignoreFocusOut: true, ...options });
}

function askLimit(label: string, before: number | undefined): Promise<string | undefined> {
	return ask(vscode.l10n.t("{label}; empty for no limit", { label }), {
		value: before === undefined ? "" : String(before),
		validateInput: (text) =>
			text === "" || (Number.isFinite(Number(text)) && Number(text) > 0)
				? undefined
				: vscode.l10n.t("Enter a positive number, or nothing."),
	});
}

/** Copies a key and says so, followed by another sentence. */
async function copy({ name, key }: PersonKey, more = ""): Promise<void> {
	await vscode.env.clipboard.writeText(key);
	void vscode.window.showInformationMessage(vscode.l10n.t("The key {name} was copied.", { name }) + more);
}

/** The permissions and limits of a key in a few words. */
function summary({ models, tools, per_day, per_month, total }: PersonKey): string {
	const limits = [
		[per_day, (credits: number) => vscode.l10n.t("{credits} credits per day", { credits })],
		[per_month, (credits: number) => vscode.l10n.t("{credits} credits per month", { credits })],
		[total, (credits: number) => vscode.l10n.t("{credits} credits in all", { credits })],
	] as const;
	return [
		models.join(", ") || vscode.l10n.t("all models"),
		...(tools ? [] : [vscode.l10n.t("no tools")]),
		...limits.flatMap(([credits, text]) => (credits === undefined ? [] : [text(credits)])),
	].join(" · ");
}

function words(text: string): string[] {
	return text
		.split(",")
		.map((word) => word.trim())
		.filter((word) => word !== "");
}
