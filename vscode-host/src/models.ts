// The models of this window. They are cached, since a read takes up to 110 ms, and read again when VS Code reports a
// change.

import * as vscode from "vscode";
import type { ModelInfo } from "./protocol";

/** Debounce time in milliseconds: VS Code fires several events for one change. */
const SETTLED_AFTER = 50;

/** The only vendor whose complete responses always end with a usage part. */
const COUNTING = { vendor: "copilot", extension: "GitHub.copilot-chat" };

/** For tests, which have no Copilot extension: comma-separated `vendor/id` of models that report usage. */
const TEST_COUNTING = "COPILOT_PROXY_TEST_REPORTS_USAGE";

/** Properties with fields of their own in `ModelInfo`. */
const NAMED = new Set(["vendor", "id", "family", "version", "name", "maxInputTokens", "capabilities"]);

export class Models implements vscode.Disposable {
	readonly #changed = new vscode.EventEmitter<readonly ModelInfo[]>();
	/** Fires after each read, whether or not the models have changed. */
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

	/** The models as last read; undefined before the first read. */
	get infos(): readonly ModelInfo[] | undefined {
		return this.#infos;
	}

	/** VS Code's model objects, as last read. */
	get all(): readonly vscode.LanguageModelChat[] {
		return this.#models;
	}

	/** Finds a model among those last read; throws NotFound if there is none. */
	find(vendor: string, id: string): vscode.LanguageModelChat {
		const found = this.#models.find((model) => model.vendor === vendor && model.id === id);
		if (!found) {
			throw vscode.LanguageModelError.NotFound(`${vendor}/${id}`);
		}
		return found;
	}

	/** Reads the models. A call during a running read starts another one, since the running one may be out of date. */
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

/** `capabilities` exists at run time, but not in the stable typings. */
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
