// VS Code asks the user whether this extension may use a provider's models, with one dialog for each waiting request. So
// the first request to a provider is sent alone, and the others wait for its outcome.

import * as vscode from "vscode";
import { deferred } from "./deferred";
import { codeOf } from "./failure";

/** The text that VS Code's dialog shows. */
export const JUSTIFICATION = vscode.l10n.t(
	"A program on this machine wants to use the models through Copilot Proxy.",
);

type Outcome = { kind: "given" } | { kind: "refused"; error: unknown } | { kind: "unknown" };

export class Consent {
	/** Providers with consent, and those whose first request is running. */
	readonly #vendors = new Map<string, "given" | Promise<Outcome>>();
	/** Providers that are known to require consent. */
	readonly #askingVendors = new Set(["copilot"]);

	/** Sends a request; it waits while a dialog for the same provider is open. */
	async ask<T>(vendor: string, send: () => Thenable<T>, token: vscode.CancellationToken): Promise<T> {
		for (;;) {
			const known = this.#vendors.get(vendor);
			if (known === "given") {
				return this.#send(vendor, send);
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
			const cancellation = new vscode.CancellationTokenSource();
			const { token } = cancellation;
			const hello = [vscode.LanguageModelChatMessage.User("Hello")];
			const send = () => model.sendRequest(hello, { justification: JUSTIFICATION }, token);
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
		return true;
	}
}
