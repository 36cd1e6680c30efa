// Parses JSON whose end is missing, since a captured body may be cut: what is open is closed. Pure.

/** Parses a JSON text, or the beginning of one; undefined if it is neither. */
export function parsePartial(source: string): unknown {
	try {
		return JSON.parse(source);
	} catch {
		return parseClosed(source);
	}
}

/** Cuts the text after its last whole value and closes what is open there. */
function parseClosed(source: string): unknown {
	/** Closing brackets of what is open, the innermost last. */
	const open: string[] = [];
	/** End of the last whole value, and what is open there. */
	let safe: { end: number; open: string[] } | undefined;
	let at = 0;
	while (at < source.length) {
		const character = source[at] as string;
		if (character === '"') {
			const end = endOfString(source, at);
			if (end === undefined) {
				return closeString(source, at, open, safe);
			}
			at = end;
		} else if (character === "{" || character === "[") {
			open.push(character === "{" ? "}" : "]");
			safe = { end: at + 1, open: [...open] };
			at += 1;
		} else if (character === "}" || character === "]") {
			if (open.pop() !== character) {
				return undefined;
			}
			safe = { end: at + 1, open: [...open] };
			at += 1;
		} else {
			if (character === ",") {
				safe = { end: at, open: [...open] };
			}
			at += 1;
		}
	}
	return safe && parse(source.slice(0, safe.end), safe.open);
}

/** Closes an open string, if it is a value; a name of a field is removed instead. */
function closeString(
	source: string,
	from: number,
	open: string[],
	safe: { end: number; open: string[] } | undefined,
): unknown {
	const isValue = /[:[,]\s*$/.test(source.slice(0, from)) && !isName(source, from, open);
	const cut = source.slice(from + 1).replace(/\\(u[0-9a-fA-F]{0,3})?$/, "");
	const closed = isValue ? parse(`${source.slice(0, from)}"${cut}"`, open) : undefined;
	return closed ?? (safe && parse(source.slice(0, safe.end), safe.open));
}

/** Whether the string that begins here is the name of a field. */
function isName(source: string, from: number, open: string[]): boolean {
	return open.at(-1) === "}" && /[{,]\s*$/.test(source.slice(0, from));
}

function parse(source: string, open: readonly string[]): unknown {
	try {
		return JSON.parse(source + open.toReversed().join(""));
	} catch {
		return undefined;
	}
}

/** The index after a string's closing quote. */
function endOfString(source: string, from: number): number | undefined {
	for (let at = from + 1; at < source.length; at += 1) {
		if (source[at] === "\\") {
			at += 1;
		} else if (source[at] === '"') {
			return at + 1;
		}
	}
	return undefined;
}
