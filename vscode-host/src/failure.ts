// What is left of an error when it has crossed VS Code, as the server takes it. Classifying it is the server's affair.

import type { HostError } from "./protocol";

export function failureOf(error: unknown): HostError {
	if (error instanceof Error) {
		const { name, message } = error;
		const code: unknown = "code" in error ? error.code : undefined;
		return typeof code === "string" ? { name, code, message } : { name, message };
	}
	// VS Code rejects with a plain object for an image it can't decode: {"isTrusted":true}.
	return {
		name: "Error",
		message: typeof error === "string" ? error : (JSON.stringify(error) ?? String(error)),
	};
}
