// The parts of an error that VS Code passes on, in the bridge's form. The server classifies it.

import type { ProviderError } from "./protocol";

/** The `code` of an error. It identifies VS Code's kinds of errors even if the error has lost its class. */
export function codeOf(error: unknown): string | undefined {
	const code: unknown = error instanceof Error && "code" in error ? error.code : undefined;
	return typeof code === "string" ? code : undefined;
}

export function failureOf(error: unknown): ProviderError {
	if (error instanceof Error) {
		const { name, message } = error;
		const code = codeOf(error);
		return code === undefined ? { name, message } : { name, code, message };
	}
	// VS Code rejects with a plain object for an image it can't decode: {"isTrusted":true}.
	return {
		name: "Error",
		message: typeof error === "string" ? error : (JSON.stringify(error) ?? String(error)),
	};
}
