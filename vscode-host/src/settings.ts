// The person's settings (`copilotProxy.*`). VS Code hands on whatever stands in settings.json; here the types are put
// right, for the server takes no others. Defaults are written in package.json and nowhere else.

import { homedir } from "node:os";
import { join } from "node:path";
import * as vscode from "vscode";
import type { Preferences } from "./protocol";

const SECTION = "copilotProxy";

export class Settings implements vscode.Disposable {
	/** Tells which ones changed: call it with a name. */
	readonly #changed = new vscode.EventEmitter<(name: string) => boolean>();
	readonly onDidChange = this.#changed.event;
	readonly #subscription = vscode.workspace.onDidChangeConfiguration((change) => {
		if (change.affectsConfiguration(SECTION)) {
			this.#changed.fire((name) => change.affectsConfiguration(`${SECTION}.${name}`));
		}
	});

	get autoStart(): boolean {
		return read("autoStart", isBoolean);
	}

	get port(): number {
		return read("port", isPort);
	}

	/** Empty where none is set. */
	get serverPath(): string {
		const path = read("serverPath", isString).trim();
		return path.startsWith("~/") ? join(homedir(), path.slice(2)) : path;
	}

	/** What the server needs to know. */
	get preferences(): Preferences {
		return {
			port: this.port,
			default_model: read("defaultModel", isString).trim(),
			log_requests_to_ui: read("logRequestsToUI", isBoolean),
			raw_logging: read("rawLogging", isBoolean),
			api_key: read("apiKey", isString).trim(),
			allowed_origins: read("allowedOrigins", isStrings),
			tool_origins: read("toolOrigins", isStrings),
			allowed_hosts: read("allowedHosts", isStrings),
			auto_tools: {
				allow: read("autoTools.allow", isStrings, ["*"]),
				deny: read("autoTools.deny", isStrings, []),
			},
			model_timeout: read("modelTimeout", isSeconds),
		};
	}

	dispose(): void {
		this.#subscription.dispose();
		this.#changed.dispose();
	}
}

/** The setting, or its default where its value is of another type. */
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
const isWhole = (value: unknown): value is number => Number.isInteger(value);
