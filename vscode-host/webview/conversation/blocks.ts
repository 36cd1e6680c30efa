// A conversation as people read it, whatever the API of its request. Pure types, and what every reader of a body needs.

export type Block =
	| { kind: "text"; text: string }
	| { kind: "thinking"; text: string }
	| { kind: "call"; id: string; name: string; input: string; result?: ToolResult }
	| { kind: "result"; id: string; result: ToolResult }
	/** `url` is absent where the page can't load the image. */
	| { kind: "image"; url?: string; description: string }
	/** Something else, as JSON. */
	| { kind: "other"; name: string; json: string };

export interface ToolResult {
	blocks: Block[];
	isError: boolean;
}

export interface Turn {
	role: string;
	blocks: Block[];
}

export interface Conversation {
	/** System prompt or instructions. */
	system: Block[];
	turns: Turn[];
	/** Names of the tools that the request offers. */
	tools: string[];
}

/** The response: its blocks, and an error that it ends with. */
export interface Reply {
	blocks: Block[];
	error?: string;
}

export type Json = Record<string, unknown>;

export function isObject(value: unknown): value is Json {
	return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function objects(value: unknown): Json[] {
	return Array.isArray(value) ? value.filter(isObject) : [];
}

export function text(value: unknown): string {
	return typeof value === "string" ? value : "";
}

/** Text of a value: a string as it is, anything else as JSON. */
export function asText(value: unknown): string {
	return typeof value === "string" ? value : value === undefined ? "" : JSON.stringify(value, null, 2);
}

/** Arguments of a call, indented if they are JSON. */
export function asArguments(value: unknown): string {
	if (typeof value !== "string") {
		return asText(value);
	}
	try {
		return JSON.stringify(JSON.parse(value), null, 2);
	} catch {
		return value;
	}
}

/** A text block; none for empty text. */
export function textBlock(value: unknown): Block[] {
	return typeof value === "string" && value !== "" ? [{ kind: "text", text: value }] : [];
}

/** An image of a URL; only `data:` URLs are loaded. */
export function image(url: string, description = ""): Block {
	const isLocal = /^data:image\/(png|jpeg|gif|webp);base64,/.test(url);
	return isLocal
		? { kind: "image", url, description: description || "Image" }
		: { kind: "image", description: description || `Image at ${url.slice(0, 200)}` };
}

export function other(value: Json): Block {
	return { kind: "other", name: text(value.type) || "part", json: asText(value) };
}

/** Moves results of tools to their calls; results without a call stay in their turn. */
export function withResults(turns: readonly Turn[], last: Block[]): { turns: Turn[]; last: Block[] } {
	const results = new Map<string, ToolResult>();
	for (const block of turns.flatMap(({ blocks }) => blocks)) {
		if (block.kind === "result") {
			results.set(block.id, block.result);
		}
	}
	const used = new Set<string>();
	const joined = (block: Block): Block => {
		const result = block.kind === "call" ? results.get(block.id) : undefined;
		if (!result || block.kind !== "call" || used.has(block.id)) {
			return block;
		}
		used.add(block.id);
		return { ...block, result };
	};
	const withCalls = turns.map(({ role, blocks }) => ({ role, blocks: blocks.map(joined) }));
	const joinedLast = last.map(joined);
	const isOpen = (block: Block) => block.kind !== "result" || !used.has(block.id);
	const rest = withCalls.map(({ role, blocks }) => ({ role, blocks: blocks.filter(isOpen) }));
	return { turns: rest.filter(({ blocks }) => blocks.length > 0), last: joinedLast };
}
