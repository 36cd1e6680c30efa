// A request as a curl command for a terminal. Pure.

/** Asks a model whether it is there; the first thing to try. */
export function tryOut(
	endpoint: string,
	dialect: "openai" | "anthropic" | "ollama",
	model: string,
	needsKey: boolean,
): string {
	const messages = [{ role: "user", content: "Say hello." }];
	const [path, body] = {
		openai: ["/v1/chat/completions", { model, messages }] as const,
		anthropic: ["/v1/messages", { model, max_tokens: 1024, messages }] as const,
		ollama: ["/api/chat", { model, stream: false, messages }] as const,
	}[dialect];
	return curl(endpoint + path, JSON.stringify(body), needsKey);
}

/** Sends a body, with these headers besides the usual ones. */
export function curl(
	url: string,
	body: string,
	needsKey: boolean,
	headers: readonly [name: string, value: string][] = [],
): string {
	const key = needsKey ? [`-H "Authorization: Bearer $COPILOT_PROXY_API_KEY"`] : [];
	return [
		`curl ${quoted(url)}`,
		"-H 'Content-Type: application/json'",
		...key,
		...headers.map(([name, value]) => `-H ${quoted(`${name}: ${value}`)}`),
		`--data-raw ${quoted(body)}`,
	].join(" \\\n  ");
}

/** One word for any shell of Unix. */
function quoted(text: string): string {
	return /^[\w:/.@-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
