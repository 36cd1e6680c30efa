// VS Code asks the user whether this extension may use a provider's models, with one dialog for each waiting request. So
// the first request to a provider is sent alone, and the others wait for its outcome.

import * as vscode from "vscode";
import { deferred } from "./deferred";
import { codeOf } from "./failure";

/** The text that VS Code's dialog shows; `client` is the User-Agent's product and version, which any program may choose. */
export function justification(client?: string): string {
	const name = client?.replaceAll(/[^\x20-\x7e]|["\\]/g, "").slice(0, 80);
	return name
		? vscode.l10n.t('The program "{name}" on this machine wants to use the models through Copilot Proxy.', {
				name,
			})
		: vscode.l10n.t("A program on this machine wants to use the models through Copilot Proxy.");
}

/** Time in milliseconds for which a refusal is remembered, in all windows. */
const REFUSAL_LASTS = 10 * 60 * 1000;

type Outcome = { kind: "given" } | { kind: "refused"; error: unknown } | { kind: "unknown" };

export class Consent {
	/** Providers with consent, and those whose first request is running. */
	readonly #vendors = new Map<string, "given" | Promise<Outcome>>();
	/** Providers that are known to require consent. */
	readonly #askingVendors = new Set(["copilot"]);

	/** `memory` is shared by the windows; `given` is called when the user gives consent. */
	constructor(
		private readonly memory: Pick<vscode.Memento, "get" | "update">,
		private readonly given: () => void = () => undefined,
		private readonly now: () => number = Date.now,
	) {}

	/** Sends a request; it waits while a dialog for the same provider is open. */
	async ask<T>(vendor: string, send: () => Thenable<T>, token: vscode.CancellationToken): Promise<T> {
		for (;;) {
			const known = this.#vendors.get(vendor);
			if (known === "given") {
				return this.#send(vendor, send);
			}
			if (known === undefined && this.#isRefused(vendor)) {
				throw vscode.LanguageModelError.NoPermissions("consent was refused a short while ago");
			}
			if (known === undefined) {
				return this.#sendFirst(vendor, send);
			}
			const outcome = await known;
			if (token.isCancellationRequested) {
				throw new vscode.CancellationError();
			}
			if (outcome.kind === "refused") {
				throw outcome.error;
			}
		}
	}

	/** Asks for consent to all providers that require it, one dialog each, and cancels the test request once it is given. */
	async obtain(models: readonly vscode.LanguageModelChat[]): Promise<void> {
		for (const vendor of this.#askingVendors) {
			const model = models.find((each) => each.vendor === vendor);
			if (!model || this.#vendors.get(vendor) === "given") {
				continue;
			}
			await this.#remember(vendor, undefined);
			const cancellation = new vscode.CancellationTokenSource();
			const { token } = cancellation;
			const hello = [vscode.LanguageModelChatMessage.User("Hello")];
			const send = () => model.sendRequest(hello, { justification: justification() }, token);
			// Errors are ignored: the next request of a program reports them.
			await this.ask(vendor, send, token).catch(() => undefined);
			cancellation.cancel(); // the request was sent when the user gave consent
			cancellation.dispose();
		}
	}

	async #sendFirst<T>(vendor: string, send: () => Thenable<T>): Promise<T> {
		const { promise, resolve } = deferred<Outcome>();
		this.#vendors.set(vendor, promise);
		try {
			const answer = await send();
			this.#vendors.set(vendor, "given");
			resolve({ kind: "given" });
			void this.#remember(vendor, undefined);
			if (this.#askingVendors.has(vendor)) {
				this.given();
			}
			return answer;
		} catch (error) {
			this.#vendors.delete(vendor);
			resolve(this.#isRefusal(vendor, error) ? { kind: "refused", error } : { kind: "unknown" });
			throw error;
		}
	}

	/** Sends a request with known consent, which the user may have withdrawn meanwhile. */
	async #send<T>(vendor: string, send: () => Thenable<T>): Promise<T> {
		try {
			return await send();
		} catch (error) {
			if (this.#isRefusal(vendor, error)) {
				this.#vendors.delete(vendor);
			}
			throw error;
		}
	}

	#isRefusal(vendor: string, error: unknown): boolean {
		if (codeOf(error) !== "NoPermissions") {
			return false;
		}
		this.#askingVendors.add(vendor);
		void this.#remember(vendor, this.now() + REFUSAL_LASTS);
		return true;
	}

	/** Whether the user has refused within the last minutes: each request would raise the dialog again. */
	#isRefused(vendor: string): boolean {
		const until = this.memory.get(keyOf(vendor));
		return typeof until === "number" && this.now() < until && until <= this.now() + REFUSAL_LASTS;
	}

	async #remember(vendor: string, until: number | undefined): Promise<void> {
		if (this.memory.get(keyOf(vendor)) !== until) {
			await this.memory.update(keyOf(vendor), until);
		}
	}
}

function keyOf(vendor: string): string {
	return `refusedUntil:${vendor}`;
}
