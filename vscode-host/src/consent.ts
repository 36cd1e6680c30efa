// VS Code asks the person once per provider whether our extension may use its models - but once for each request that is
// waiting. So the first request to a provider goes alone, and its fate is that of all that waited for it.

import * as vscode from "vscode";
import { deferred } from "./deferred";
import { codeOf } from "./failure";

/** Stands in the dialog. */
export const JUSTIFICATION = "A program on this machine asks through Copilot Proxy.";

type Outcome = { kind: "given" } | { kind: "refused"; error: unknown } | { kind: "unknown" };

export class Consent {
	/** Providers whose models may be used, and those that a first request is out for. */
	readonly #vendors = new Map<string, "given" | Promise<Outcome>>();
	/** Providers that are known to ask. */
	readonly #asking = new Set(["copilot"]);

	/** Sends a request, as soon as it raises no dialog beside another one's. */
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

	/** Raises the dialogs that are still to come, one for each provider, without anything being asked of a model. */
	async obtain(models: readonly vscode.LanguageModelChat[]): Promise<void> {
		for (const vendor of this.#asking) {
			const model = models.find((each) => each.vendor === vendor);
			if (!model || this.#vendors.get(vendor) === "given") {
				continue;
			}
			const cancellation = new vscode.CancellationTokenSource();
			const { token } = cancellation;
			const hello = [vscode.LanguageModelChatMessage.User("Hello")];
			const send = () => model.sendRequest(hello, { justification: JUSTIFICATION }, token);
			// A refusal is an answer too, and what else may be wrong shows when a program asks.
			await this.ask(vendor, send, token).catch(() => undefined);
			cancellation.cancel(); // it is sent as soon as the person allows it
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

	/** The user may have withdrawn the consent meanwhile. */
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
		this.#asking.add(vendor);
		return true;
	}
}
