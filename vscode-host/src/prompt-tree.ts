// Extracts the text of a prompt-tsx tree, the result format of GitHub Copilot's own tools:
// `{node: {type: 1, children: [...]}}` with texts `{type: 2, text, lineBreakBefore}` as leaves. Pure.

const ELEMENT = 1;
const TEXT = 2;

interface Node {
	type?: unknown;
	children?: unknown;
	text?: unknown;
	lineBreakBefore?: unknown;
}

/** The text of all leaves in order; empty if there is none. */
export function textOf(tree: object): string {
	let text = "";
	// Not recursive, since the tree comes from another extension and may be deep.
	const waiting: unknown[] = ["node" in tree ? tree.node : tree];
	while (waiting.length > 0) {
		const node = waiting.pop() as Node | null | undefined;
		if (node?.type === TEXT && typeof node.text === "string") {
			text += node.lineBreakBefore && text !== "" ? `\n${node.text}` : node.text;
		} else if (node?.type === ELEMENT && Array.isArray(node.children)) {
			waiting.push(...node.children.toReversed());
		}
	}
	return text;
}
