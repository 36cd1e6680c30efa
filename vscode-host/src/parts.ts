// Recognizes the parts of responses by their shape. Parts that other extensions create, and kinds that the stable API
// lacks, are not instances of the classes that this extension can import.

/** Opaque values that a provider requires together with its thinking in later requests. */
type Metadata = Record<string, unknown>;

export type RecognizedPart =
	| { kind: "text"; text: string }
	| { kind: "thinking"; text: string; id: string | undefined; metadata: Metadata | undefined }
	| { kind: "call"; id: string; name: string; input: unknown }
	| { kind: "data"; mime: string; data: Uint8Array }
	| { kind: "tree"; value: object }
	| { kind: "unknown" };

export function recognize(part: unknown): RecognizedPart {
	if (typeof part !== "object" || part === null) {
		return { kind: "unknown" };
	}
	const isThinking = "id" in part || "metadata" in part;
	if ("value" in part && typeof part.value === "string" && !isThinking) {
		return { kind: "text", text: part.value }; // checked first, since nearly all parts are text
	}
	const { value, id, callId, name, input, mimeType, data, metadata } = part as Record<string, unknown>;
	if (typeof name === "string" && "callId" in part) {
		return { kind: "call", id: typeof callId === "string" ? callId : "", name, input: input ?? {} };
	}
	if (typeof mimeType === "string" && data instanceof Uint8Array) {
		return { kind: "data", mime: mimeType, data };
	}
	if (isThinking) {
		const text = Array.isArray(value) ? value.join("") : value;
		return typeof text === "string"
			? {
					kind: "thinking",
					text,
					id: typeof id === "string" && id !== "" ? id : undefined,
					metadata: metadataOf(metadata),
				}
			: { kind: "unknown" };
	}
	return typeof value === "object" && value !== null ? { kind: "tree", value } : { kind: "unknown" };
}

/** The metadata without the fields that only control how VS Code's chat shows the thinking. */
function metadataOf(metadata: unknown): Metadata | undefined {
	if (typeof metadata !== "object" || metadata === null) {
		return undefined;
	}
	const kept = Object.entries(metadata).filter(
		([name, value]) => !name.startsWith("vscode_reasoning_") && name !== "toolId" && value !== undefined,
	);
	return kept.length > 0 ? Object.fromEntries(kept) : undefined;
}

/** Encodes bytes as base64. */
export function base64(data: Uint8Array): string {
	return Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString("base64");
}
