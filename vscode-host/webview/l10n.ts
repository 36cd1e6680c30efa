// The page's texts in the user's language. VS Code's panel passes the translations in the page; at `/ui` there are none.
// `npm run l10n` finds the texts by the calls of `l10n.t`.

type Values = Record<string, string | number>;

interface Page {
	querySelector(selector: string): { content?: string } | null;
}

/** Translations by the English text. */
const translations: Record<string, string> = read();

function read(): Record<string, string> {
	// The pure parts of the page also run in tests, without a document.
	const { document: page } = globalThis as { document?: Page };
	const data = page?.querySelector("meta[name=l10n]")?.content;
	return data ? JSON.parse(data) : {};
}

/** A text in the user's language, with its `{placeholders}` filled in. */
export function t(message: string, values: Values = {}): string {
	const text = translations[message] ?? message;
	return text.replaceAll(/\{(\w+)\}/g, (found, name: string) => String(values[name] ?? found));
}
