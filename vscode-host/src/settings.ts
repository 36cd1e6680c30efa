// The user's settings (`copilotProxy.*`). VS Code passes on any value from settings.json, so a value of the wrong type is
// replaced by the default here: the server rejects it otherwise. package.json is the only place that has the defaults.

import { homedir } from "node:os";
import { join } from "node:path";
import * as vscode from "vscode";
import type { SettingView } from "./panel-messages";
import type { BudgetLimits, Budgets, ContextSize, UserSettings } from "./protocol";

const SECTION = "copilotProxy";

/** A setting as package.json declares it: the keywords of JSON Schema that are used there. */
export interface Declared {
	type: string;
	default: unknown;
	minimum?: number;
	maximum?: number;
	enum?: readonly string[];
	enumItemLabels?: readonly string[];
	markdownEnumDescriptions?: readonly string[];
	order: number;
	markdownDescription: string;
	deprecationMessage?: string;
}

/** Settings whose values the panel hides. */
const SECRETS = new Set(["apiKey"]);

/** Settings that the panel doesn't show: their values are nested, and are edited in settings.json. */
const NESTED = new Set(["budgets"]);

export class Settings implements vscode.Disposable {
	/** Fires with a function that tells whether the setting of a name has changed. */
	readonly #changed = new vscode.EventEmitter<(name: string) => boolean>();
	readonly onDidChange = this.#changed.event;
	readonly #subscription = vscode.workspace.onDidChangeConfiguration((change) => {
		if (change.affectsConfiguration(SECTION)) {
			this.#changed.fire((name) => change.affectsConfiguration(`${SECTION}.${name}`));
		}
	});

	/** `declared` is `contributes.configuration.properties` of package.json. */
	constructor(private readonly declared: Record<string, Declared>) {}

	get autoStart(): boolean {
		return read("autoStart", isBoolean);
	}

	get port(): number {
		return read("port", isPort);
	}

	/** The API key of earlier versions; empty once it is in the secret storage. */
	get apiKey(): string {
		return read("apiKey", isString).trim();
	}

	/** Empty if it is not set. */
	get serverPath(): string {
		const path = read("serverPath", isString).trim();
		return path.startsWith("~/") ? join(homedir(), path.slice(2)) : path;
	}

	/** The settings that the server needs. */
	get userSettings(): UserSettings {
		return {
			port: this.port,
			ipv6: read("ipv6", isBoolean),
			default_model: read("defaultModel", isString).trim(),
			fallbacks: read("fallbacks", isStrings),
			log_requests_to_ui: read("logRequestsToUI", isBoolean),
			raw_logging: read("rawLogging", isBoolean),
			allowed_origins: read("allowedOrigins", isStrings),
			blocked_origins: read("blockedOrigins", isStrings),
			tool_origins: read("toolOrigins", isStrings),
			allowed_hosts: read("allowedHosts", isStrings),
			auto_tools: {
				allow: read("autoTools.allow", isStrings, ["*"]),
				deny: read("autoTools.deny", isStrings, []),
			},
			web_search_tool: read("webSearchTool", isString).trim(),
			model_timeout: read("modelTimeout", isSeconds),
			auto_tier: read("autoTier", isTier),
			context_size: read("contextSize", isContextSize),
			budgets: budgetsOf(read("budgets", isObject)),
		};
	}

	/** The settings in the order of package.json, as the panel shows them. */
	get views(): SettingView[] {
		const all = Object.entries(this.declared).sort(([, one], [, other]) => one.order - other.order);
		const current = all.filter(([, { deprecationMessage }]) => deprecationMessage === undefined);
		const named = current.map(([id, declared]) => [id.slice(SECTION.length + 1), declared] as const);
		return named.filter(([name]) => !NESTED.has(name)).map(([name, declared]) => viewOf(name, declared));
	}

	/** Writes a user setting, if the value is valid for it. */
	async write(name: string, value: unknown): Promise<void> {
		const declared = this.declared[`${SECTION}.${name}`];
		if (!declared || !fits(value, declared)) {
			return;
		}
		const isDefault = JSON.stringify(value) === JSON.stringify(declared.default);
		const configuration = vscode.workspace.getConfiguration(SECTION);
		await configuration.update(name, isDefault ? undefined : value, vscode.ConfigurationTarget.Global);
	}

	/** Moves an entry from one list to another, in the user settings. */
	async move(entry: string, from: "allowedOrigins" | "blockedOrigins", to: typeof from): Promise<void> {
		const source = read(from, isStrings);
		if (source.includes(entry)) {
			await this.write(
				from,
				source.filter((other) => other !== entry),
			);
		}
		const target = read(to, isStrings);
		if (!target.includes(entry)) {
			await this.write(to, [...target, entry]);
		}
	}

	dispose(): void {
		this.#subscription.dispose();
		this.#changed.dispose();
	}
}

/** The value of a setting, or its default if the value has the wrong type. */
function read<T>(name: string, is: (value: unknown) => value is T, otherwise?: T): T {
	const configuration = vscode.workspace.getConfiguration(SECTION);
	const value: unknown = configuration.get(name);
	if (is(value)) {
		return value;
	}
	const declared: unknown = otherwise ?? configuration.inspect(name)?.defaultValue;
	if (is(declared)) {
		return declared;
	}
	throw new Error(`${SECTION}.${name} has no default`);
}

const isBoolean = (value: unknown) => typeof value === "boolean";
const isString = (value: unknown) => typeof value === "string";
const isStrings = (value: unknown): value is string[] => Array.isArray(value) && value.every(isString);
const isPort = (value: unknown): value is number => isWhole(value) && value >= 0 && value <= 65_535;
const isSeconds = (value: unknown): value is number => isWhole(value) && value >= 1 && value <= 86_400;
const isTier = (value: unknown): value is string =>
	value === "" || value === "efficiency" || value === "balance" || value === "intelligence";
const isContextSize = (value: unknown): value is ContextSize => value === "full" || value === "standard";
const isObject = (value: unknown): value is Record<string, unknown> =>
	typeof value === "object" && value !== null && !Array.isArray(value);
const isAmount = (value: unknown): value is number =>
	typeof value === "number" && Number.isFinite(value) && value >= 0;
const isWhole = (value: unknown): value is number => Number.isInteger(value);

/** The budgets of the setting; limits that are no numbers are left out. */
function budgetsOf(value: Record<string, unknown>): Budgets {
	const perClient = isObject(value.perClient) ? Object.entries(value.perClient) : [];
	const limits = perClient.flatMap(([name, of]) => (isObject(of) ? [[name, limitsOf(of)] as const] : []));
	return { all: limitsOf(value), per_client: Object.fromEntries(limits) };
}

function limitsOf(value: Record<string, unknown>): BudgetLimits {
	const limit = (name: keyof BudgetLimits, amount: unknown): BudgetLimits =>
		isAmount(amount) ? { [name]: amount } : {};
	return {
		...limit("per_day", value.perDay),
		...limit("per_month", value.perMonth),
		...limit("tokens_per_day", value.tokensPerDay),
		...limit("tokens_per_month", value.tokensPerMonth),
	};
}

function viewOf(name: string, declared: Declared): SettingView {
	const found: unknown = vscode.workspace.getConfiguration(SECTION).get(name);
	const value = fits(found, declared) ? found : declared.default;
	const { minimum, maximum } = declared;
	return {
		name,
		kind: kindOf(declared),
		isSecret: SECRETS.has(name),
		description: declared.markdownDescription,
		value,
		isDefault: JSON.stringify(value) === JSON.stringify(declared.default),
		...(declared.enum === undefined ? {} : { options: optionsOf(declared) }),
		...(minimum === undefined ? {} : { minimum }),
		...(maximum === undefined ? {} : { maximum }),
	};
}

function optionsOf({ enum: values = [], enumItemLabels, markdownEnumDescriptions }: Declared) {
	return values.map((value, at) => ({
		value,
		label: enumItemLabels?.[at] ?? value,
		about: markdownEnumDescriptions?.[at] ?? "",
	}));
}

function kindOf({ type, enum: values }: Declared): SettingView["kind"] {
	if (values !== undefined) {
		return "choice";
	}
	switch (type) {
		case "boolean":
			return "switch";
		case "integer":
			return "number";
		case "array":
			return "lines";
		case "object":
			return "patterns";
		default:
			return "text";
	}
}

/** Whether the setting accepts this value. */
function fits(value: unknown, declared: Declared): boolean {
	const { minimum = Number.NEGATIVE_INFINITY, maximum = Number.POSITIVE_INFINITY } = declared;
	switch (kindOf(declared)) {
		case "switch":
			return isBoolean(value);
		case "number":
			return isWhole(value) && value >= minimum && value <= maximum;
		case "lines":
			return isStrings(value);
		case "patterns":
			return typeof value === "object" && value !== null && Object.values(value).every(isStrings);
		case "text":
			return isString(value);
		case "choice":
			return isString(value) && (declared.enum?.includes(value) ?? false);
	}
}
