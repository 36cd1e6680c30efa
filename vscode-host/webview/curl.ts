// A request as a command for a terminal: curl for POSIX shells and for PowerShell. Pure.

/** A sample request to a model. */
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

/** A curl command that sends a body with additional headers. */
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

/** Quotes a text as one word of a POSIX shell. */
function quoted(text: string): string {
	return /^[\w:/.@-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** The same command for PowerShell 7.3 and later on any system; `curl.exe` is not its alias of Invoke-WebRequest. */
export function powershell(
	url: string,
	body: string,
	needsKey: boolean,
	headers: readonly [name: string, value: string][] = [],
): string {
	const key = needsKey ? [`-H "Authorization: Bearer $env:COPILOT_PROXY_API_KEY"`] : [];
	return [
		`curl.exe ${singleQuoted(url)}`,
		"-H 'Content-Type: application/json'",
		...key,
		...headers.map(([name, value]) => `-H ${singleQuoted(`${name}: ${value}`)}`),
		`--data-raw ${singleQuoted(body)}`,
	].join(" `\n  ");
}

/** Quotes a text as one word of PowerShell, where typographic quotes end a string, too. */
function singleQuoted(text: string): string {
	return `'${text.replaceAll(/['\u2018\u2019\u201a\u201b]/g, "$&$&")}'`;
}
