// A fake of the parts of `vscode` that the extension uses; `fake` is its state, which tests read and set.
// The bundler replaces the real module by it.

export class EventEmitter<T> {
	readonly #listeners = new Set<(value: T) => void>();
	readonly event = (listener: (value: T) => void) => {
		this.#listeners.add(listener);
		return { dispose: () => this.#listeners.delete(listener) };
	};
	fire(value: T): void {
		for (const listener of [...this.#listeners]) {
			listener(value);
		}
	}
	dispose(): void {
		this.#listeners.clear();
	}
}

export class CancellationTokenSource {
	readonly #cancelled = new EventEmitter<void>();
	readonly token = { isCancellationRequested: false, onCancellationRequested: this.#cancelled.event };
	cancel(): void {
		if (!this.token.isCancellationRequested) {
			this.token.isCancellationRequested = true;
			this.#cancelled.fire();
		}
	}
	dispose(): void {}
}

export class CancellationError extends Error {
	constructor() {
		super("Canceled");
		this.name = "Canceled";
	}
}

export class LanguageModelError extends Error {
	static NotFound = (message: string) => new LanguageModelError(message, "NotFound");
	static NoPermissions = (message: string) => new LanguageModelError(message, "NoPermissions");
	static Blocked = (message: string) => new LanguageModelError(message, "Blocked");
	constructor(
		message: string,
		readonly code = "",
	) {
		super(message);
		this.name = "LanguageModelError";
	}
}

export const Disposable = {
	from: (...all: { dispose(): void }[]) => ({
		dispose() {
			for (const each of all) {
				each.dispose();
			}
		},
	}),
};

export enum LanguageModelChatMessageRole {
	User = 1,
	Assistant = 2,
}
export enum LanguageModelChatToolMode {
	Auto = 1,
	Required = 2,
}
export enum ExtensionMode {
	Production = 1,
	Development = 2,
	Test = 3,
}
export enum StatusBarAlignment {
	Left = 1,
	Right = 2,
}
export enum ConfigurationTarget {
	Global = 1,
}
export enum ViewColumn {
	Active = -1,
}

export enum ProgressLocation {
	Notification = 15,
}
export enum QuickPickItemKind {
	Separator = -1,
}
export class TabInputTextDiff {}

export class LanguageModelChatMessage {
	static User = (text: string) =>
		new LanguageModelChatMessage(LanguageModelChatMessageRole.User, [new LanguageModelTextPart(text)]);
	constructor(
		readonly role: LanguageModelChatMessageRole,
		readonly content: unknown[],
		readonly name?: string,
	) {}
}
export class LanguageModelTextPart {
	constructor(readonly value: string) {}
}
export class LanguageModelThinkingPart {
	constructor(
		readonly value: string | string[],
		readonly id?: string,
		readonly metadata?: object,
	) {}
}
export class LanguageModelDataPart {
	constructor(
		readonly data: Uint8Array,
		readonly mimeType: string,
	) {}
}
export class LanguageModelToolCallPart {
	constructor(
		readonly callId: string,
		readonly name: string,
		readonly input: object,
	) {}
}
export class LanguageModelToolResultPart {
	constructor(
		readonly callId: string,
		readonly content: unknown[],
	) {}
}
export class LanguageModelPromptTsxPart {
	constructor(readonly value: unknown) {}
}

export class ThemeColor {
	constructor(readonly id: string) {}
}
export class MarkdownString {
	value = "";
	isTrusted: unknown;
	appendText(text: string): void {
		this.value += text;
	}
	appendMarkdown(text: string): void {
		this.value += text;
	}
}
export class Uri {
	constructor(readonly fsPath: string) {}
	static file = (path: string) => new Uri(path);
	static parse = (text: string) => new Uri(text);
	static joinPath = (base: Uri, ...names: string[]) => new Uri([base.fsPath, ...names].join("/"));
	toString(): string {
		return `file://${this.fsPath}`;
	}
}

/** A model whose response is the stream that the test sets as `answer`. */
export class FakeModel {
	readonly family: string;
	readonly version = "1";
	readonly name: string;
	readonly maxInputTokens = 1000;
	readonly asked: {
		messages: unknown;
		options: Record<string, unknown>;
		token: CancellationTokenSource["token"];
	}[] = [];
	answer: () => AsyncIterable<unknown> | Promise<AsyncIterable<unknown>> = () => parts();

	constructor(
		readonly vendor: string,
		readonly id: string,
		more: object = {},
	) {
		this.family = id;
		this.name = id.toUpperCase();
		Object.assign(this, more);
		// Not enumerable, like the methods of VS Code's own objects, which the extension must not send.
		for (const hidden of ["asked", "answer"]) {
			Object.defineProperty(this, hidden, { enumerable: false });
		}
	}

	sendRequest = async (
		messages: unknown,
		options: Record<string, unknown>,
		token: CancellationTokenSource["token"],
	) => {
		this.asked.push({ messages, options, token });
		return { stream: await this.answer() };
	};
}

export async function* parts(...all: unknown[]): AsyncGenerator<unknown> {
	yield* all;
}

const defaults = () => ({
	port: 8080,
	ipv6: false,
	autoStart: true,
	defaultModel: "",
	fallbacks: [],
	autoTier: "",
	contextSize: "full",
	budgets: {},
	modelTimeout: 300,
	autoTools: { allow: ["*"], deny: [] },
	webSearchTool: "",
	apiKey: "",
	allowedOrigins: [],
	blockedOrigins: [],
	toolOrigins: [],
	allowedHosts: [],
	logRequestsToUI: false,
	rawLogging: false,
	serverPath: "",
});

/** The page of a panel: the messages that it received, and `send`, which sends one. */
class FakeWebview {
	readonly #received = new EventEmitter<unknown>();
	readonly #closed = new EventEmitter<void>();
	readonly #changedViewState = new EventEmitter<void>();
	readonly told: unknown[] = [];
	readonly cspSource = "SOURCE";
	readonly onDidReceiveMessage = this.#received.event;
	readonly onDidDispose = this.#closed.event;
	readonly onDidChangeViewState = this.#changedViewState.event;
	isVisible = true;
	html = "";
	asWebviewUri = (uri: Uri) => uri;
	postMessage = async (message: unknown) => this.told.push(message);
	send = (message: unknown) => this.#received.fire(message);
	close = () => this.#closed.fire();
	hide = () => {
		this.isVisible = false;
		this.#changedViewState.fire();
	};
}

/** The extension's global state. */
export class FakeMemento {
	constructor(private readonly values: Record<string, unknown> = {}) {}
	keys = () => Object.keys(this.values);
	get = (key: string) => this.values[key];
	update = async (key: string, value: unknown) => {
		this.values[key] = value;
	};
}

/** The extension's secret storage, shared by all windows. */
export class FakeSecrets {
	readonly #changed = new EventEmitter<{ key: string }>();
	readonly onDidChange = this.#changed.event;
	readonly values = new Map<string, string>();
	get = async (key: string) => this.values.get(key);
	store = async (key: string, value: string) => {
		this.values.set(key, value);
		this.#changed.fire({ key });
	};
}

class Fake {
	readonly changes = {
		models: new EventEmitter<void>(),
		configuration: new EventEmitter<{ affectsConfiguration(name: string): boolean }>(),
		window: new EventEmitter<unknown>(),
		folders: new EventEmitter<unknown>(),
		extensions: new EventEmitter<void>(),
		tabs: new EventEmitter<{ opened: { input: unknown }[]; changed: { input: unknown }[] }>(),
		sessions: new EventEmitter<unknown>(),
	};
	models: FakeModel[] = [];
	modelReads = 0;
	tools: unknown[] = [];
	invokeTool: (
		name: string,
		options: { input: unknown },
		token: CancellationTokenSource["token"],
	) => unknown = () => ({
		content: [],
	});
	isTrusted = true;
	folders: { name: string; uri: Uri }[] = [];
	focused = true;
	activeExtensions = new Set<string>();
	missingExtensions = new Set<string>();
	/** Names of the accounts that are signed in. */
	accounts: string[] = [];
	readonly opened: string[] = [];
	/** Terminals, and the texts that were sent to each. */
	readonly terminals: { name: string; sent: string[] }[] = [];
	settings: Record<string, unknown> = {};
	executed: unknown[][] = [];
	executeCommand: (name: string) => Promise<unknown> = async () => undefined;
	readonly commands = new Map<string, () => unknown>();
	readonly written: [name: string, value: unknown, target: ConfigurationTarget][] = [];
	readonly log: [level: string, text: string][] = [];
	readonly statusItem: Record<string, unknown> = {};
	readonly notifications: [text: string, ...buttons: string[]][] = [];
	/** Label of the button that is clicked in notifications. */
	click: string | undefined;
	readonly webviews: FakeWebview[] = [];
	clipboard = "";
	/** Translations by the English text. */
	translations: Record<string, string> = {};
	/** Answers to quick picks, by a part of the label, and to input boxes; undefined dismisses one. */
	answers: (string | undefined)[] = [];
	/** The items of each quick pick that was shown. */
	readonly dialog: string[][] = [];

	/** Changes a setting and fires the change event. */
	set(name: string, value: unknown): void {
		this.settings[name] = value;
		const changed = `copilotProxy.${name}`;
		this.changes.configuration.fire({ affectsConfiguration: (asked) => changed.startsWith(asked) });
	}
}

export const fake = new Fake();

const walk = (values: Record<string, unknown>, name: string) =>
	name
		.split(".")
		.reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], values);

export const lm = {
	onDidChangeChatModels: fake.changes.models.event,
	async selectChatModels() {
		fake.modelReads += 1;
		return [...fake.models];
	},
	get tools() {
		return fake.tools;
	},
	invokeTool: async (...args: Parameters<typeof fake.invokeTool>) => fake.invokeTool(...args),
};

export const workspace = {
	registerTextDocumentContentProvider: () => ({ dispose() {} }),
	onDidCloseTextDocument: () => ({ dispose() {} }),
	onDidChangeConfiguration: fake.changes.configuration.event,
	onDidChangeWorkspaceFolders: fake.changes.folders.event,
	get isTrusted() {
		return fake.isTrusted;
	},
	get workspaceFolders() {
		return fake.folders;
	},
	getConfiguration: () => ({
		get: (name: string) => walk({ ...defaults(), ...fake.settings }, name),
		inspect: (name: string) => ({ defaultValue: walk(defaults(), name) }),
		async update(name: string, value: unknown, target: ConfigurationTarget) {
			fake.written.push([name, value, target]);
			fake.set(name, value ?? walk(defaults(), name));
		},
	}),
};

const tell = async (text: string, ...buttons: (string | object)[]) => {
	fake.notifications.push([text, ...buttons.filter((button) => typeof button === "string")]);
	return fake.click;
};
const channel = (level: string) => (text: string) => {
	fake.log.push([level, text]);
};

export const window = {
	onDidChangeWindowState: fake.changes.window.event,
	get state() {
		return { focused: fake.focused };
	},
	async showQuickPick(items: { label: string; description?: string }[]) {
		fake.dialog.push(
			items.map(({ label, description }) => (description ? `${label}: ${description}` : label)),
		);
		const answer = fake.answers.shift();
		const picked = items.find(({ label }) => answer !== undefined && label.includes(answer));
		if (answer !== undefined && !picked) {
			throw new Error(`no item ${answer} among ${items.map(({ label }) => label)}`);
		}
		return picked;
	},
	async showInputBox({ validateInput }: { validateInput?: (text: string) => string | undefined }) {
		const answer = fake.answers.shift();
		const refusal = answer === undefined ? undefined : validateInput?.(answer);
		if (refusal !== undefined) {
			throw new Error(refusal);
		}
		return answer;
	},
	showErrorMessage: tell,
	showInformationMessage: tell,
	showWarningMessage: tell,
	createStatusBarItem: () => Object.assign(fake.statusItem, { show() {}, dispose() {} }),
	createWebviewPanel() {
		const webview = new FakeWebview();
		fake.webviews.push(webview);
		return {
			webview,
			get visible() {
				return webview.isVisible;
			},
			onDidDispose: webview.onDidDispose,
			onDidChangeViewState: webview.onDidChangeViewState,
			reveal() {},
			dispose: webview.close,
		};
	},
	tabGroups: { onDidChangeTabs: fake.changes.tabs.event },
	createTerminal({ name }: { name: string }) {
		const terminal = { name, sent: [] as string[] };
		fake.terminals.push(terminal);
		return { show() {}, sendText: (text: string) => terminal.sent.push(text) };
	},
	registerWebviewPanelSerializer: () => ({ dispose() {} }),
	createOutputChannel: () => ({
		error: channel("error"),
		warn: channel("warn"),
		info: channel("info"),
		debug: channel("debug"),
		trace: channel("trace"),
		show() {},
		dispose() {},
	}),
};

export const commands = {
	registerCommand(name: string, run: () => unknown) {
		fake.commands.set(name, run);
		return { dispose: () => fake.commands.delete(name) };
	},
	executeCommand(...args: unknown[]) {
		fake.executed.push(args);
		return fake.executeCommand(String(args[0]));
	},
};

export const extensions = {
	onDidChange: fake.changes.extensions.event,
	getExtension: (id: string) =>
		fake.missingExtensions.has(id) ? undefined : { isActive: fake.activeExtensions.has(id) },
};

export const authentication = {
	onDidChangeSessions: fake.changes.sessions.event,
	async getAccounts(provider: string) {
		if (provider !== "github") {
			throw new Error(`no provider ${provider}`);
		}
		return fake.accounts.map((label) => ({ id: label, label }));
	},
};

/** The changes of the environment of terminals. */
export class FakeEnvironment {
	description = "";
	readonly changes = new Map<string, { value: string }>();
	get = (name: string) => this.changes.get(name);
	prepend = (name: string, value: string) => this.changes.set(name, { value });
}

export const env = {
	language: "en",
	async openExternal(uri: Uri) {
		fake.opened.push(uri.fsPath);
		return true;
	},
	clipboard: {
		async writeText(text: string) {
			fake.clipboard = text;
		},
	},
};

export const l10n = {
	get bundle() {
		return fake.translations;
	},
	/** The message in the language of `fake.translations`, with its placeholders filled in as VS Code does. */
	t(message: string, ...args: unknown[]): string {
		const [first] = args;
		const values = typeof first === "object" ? (first as Record<string, unknown>) : { ...args };
		const text = fake.translations[message] ?? message;
		return text.replaceAll(/\{([^}]+)\}/g, (found, name) => String(values[name] ?? found));
	},
};
