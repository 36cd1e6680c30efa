// The models of this window: read once and kept, since asking VS Code for them costs up to 110 ms, and read again when
// it says that they have changed.

import * as vscode from "vscode";
import type { ModelInfo } from "./protocol";

/** One change makes VS Code say so several times. In milliseconds. */
const SETTLED_AFTER = 50;

/** Only here does every good answer end with a count of its tokens. */
const COUNTING = { vendor: "copilot", extension: "GitHub.copilot-chat" };

/** For tests, whose stand-in for Copilot has no such extension: models that count, as `vendor/id`, separated by commas. */
const TEST_COUNTING = "COPILOT_PROXY_TEST_REPORTS_USAGE";

/** Properties with fields of their own in `ModelInfo`. */
const NAMED = new Set(["vendor", "id", "family", "version", "name", "maxInputTokens", "capabilities"]);

export class Models implements vscode.Disposable {
	readonly #changed = new vscode.EventEmitter<readonly ModelInfo[]>();
	/** The models were read; whether they differ from those before is for the reader to see. */
	readonly onDidRead = this.#changed.event;

	readonly #subscription: vscode.Disposable;
	#models: readonly vscode.LanguageModelChat[] = [];
	#infos: readonly ModelInfo[] | undefined;
	#reading: Promise<void> | undefined;
	#settling: NodeJS.Timeout | undefined;

	constructor() {
		this.#subscription = vscode.lm.onDidChangeChatModels(() => {
			clearTimeout(this.#settling);
			this.#settling = setTimeout(() => void this.read(), SETTLED_AFTER);
		});
	}

	/** As last read; undefined before the first time. */
	get infos(): readonly ModelInfo[] | undefined {
		return this.#infos;
	}

	/** VS Code's own, as last read. */
	get all(): readonly vscode.LanguageModelChat[] {
		return this.#models;
	}

	/** The model, as last read. */
	find(vendor: string, id: string): vscode.LanguageModelChat {
		const found = this.#models.find((model) => model.vendor === vendor && model.id === id);
		if (!found) {
			throw vscode.LanguageModelError.NotFound(`${vendor}/${id}`);
		}
		return found;
	}

	/** Reads the models. A call during another one gets a new reading, since that one may be out of date. */
	read(): Promise<void> {
		const previous = this.#reading ?? Promise.resolve();
		const reading = previous.then(async () => {
			this.#models = await vscode.lm.selectChatModels();
			this.#infos = this.#models.map(infoOf);
			this.#changed.fire(this.#infos);
		});
		this.#reading = reading.catch(() => undefined);
		return reading;
	}

	dispose(): void {
		clearTimeout(this.#settling);
		this.#subscription.dispose();
		this.#changed.dispose();
	}
}

function infoOf(model: vscode.LanguageModelChat): ModelInfo {
	const { vendor, id, family, version, name, maxInputTokens } = model;
	const { supportsToolCalling, supportsImageToText } = capabilitiesOf(model);
	return {
		vendor,
		id,
		family,
		version,
		name,
		max_input_tokens: Math.max(0, Math.trunc(maxInputTokens) || 0),
		...(supportsToolCalling === undefined ? {} : { tools: Boolean(supportsToolCalling) }),
		...(supportsImageToText === undefined ? {} : { images: Boolean(supportsImageToText) }),
		reports_usage: reportsUsage(model),
		extra: extraOf(model),
	};
}

/** There at run time, but not in the stable typings. */
function capabilitiesOf(model: object): { supportsToolCalling?: unknown; supportsImageToText?: unknown } {
	const capabilities: unknown = "capabilities" in model ? model.capabilities : undefined;
	return typeof capabilities === "object" && capabilities !== null ? capabilities : {};
}

function reportsUsage({ vendor, id }: vscode.LanguageModelChat): boolean {
	return (
		(vendor === COUNTING.vendor && vscode.extensions.getExtension(COUNTING.extension)?.isActive === true) ||
		(process.env[TEST_COUNTING]?.split(",").includes(`${vendor}/${id}`) ?? false)
	);
}

/** All other properties of the model: price, category and later ones. */
function extraOf(model: object): Record<string, unknown> {
	const extra = Object.entries(model).filter(
		([name, value]) =>
			!NAMED.has(name) && typeof value !== "function" && value !== undefined && value !== null,
	);
	return JSON.parse(JSON.stringify(Object.fromEntries(extra)));
}
