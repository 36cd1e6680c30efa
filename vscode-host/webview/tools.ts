// The list of the editor's tools, filtered by text and by tag.

import type { ToolsView } from "../src/panel-messages";
import type { EditorTool } from "../src/protocol";
import { byId, make } from "./dom";
import { send } from "./page";

const RESTRICTED = "Tools are off while VS Code is in Restricted Mode. Trust the workspace to use them.";
const NONE = "This window has no tools. Install extensions or MCP servers that provide some.";
/** Prefix of the tags with which VS Code links tools to each other; they mean nothing to users. */
const LINK = "enable_other_tool_";
const NO_MATCH = "No matching tools.";

let view: ToolsView = { isRestricted: false, tools: [] };
const tags = new Set<string>();

export function wireTools(): void {
	byId("tools-filter").oninput = show;
	byId("tools-read").onclick = () => send({ type: "readTools" });
}

export function toolsOf({ isRestricted, tools }: ToolsView): void {
	const plain = (tool: EditorTool) => ({ ...tool, tags: tool.tags.filter((tag) => !tag.startsWith(LINK)) });
	const now = { isRestricted, tools: tools.map(plain) };
	view = now;
	byId("tools-count").textContent = String(now.tools.length);
	const known = [...new Set(now.tools.flatMap((tool) => tool.tags))].sort();
	for (const tag of tags) {
		if (!known.includes(tag)) {
			tags.delete(tag);
		}
	}
	byId("tools-tags").replaceChildren(...known.map(chip));
	show();
}

function chip(tag: string): HTMLElement {
	const button = make("button", { className: "chip", textContent: tag, ariaPressed: String(tags.has(tag)) });
	button.onclick = () => {
		if (!tags.delete(tag)) {
			tags.add(tag);
		}
		button.ariaPressed = String(tags.has(tag));
		show();
	};
	return button;
}

function show(): void {
	const words = byId<HTMLInputElement>("tools-filter").value.toLowerCase().split(/\s+/);
	const shown = view.tools.filter((tool) => matches(tool, words));
	byId("tools-list").replaceChildren(...shown.map(item));
	byId("tools-shown").textContent =
		shown.length < view.tools.length ? `${shown.length} of ${view.tools.length}` : "";
	const empty = byId("no-tools");
	empty.hidden = shown.length > 0;
	empty.textContent = view.isRestricted ? RESTRICTED : view.tools.length > 0 ? NO_MATCH : NONE;
}

function matches(tool: EditorTool, words: string[]): boolean {
	const text = `${tool.name} ${tool.description} ${tool.tags.join(" ")}`.toLowerCase();
	return words.every((word) => text.includes(word)) && [...tags].every((tag) => tool.tags.includes(tag));
}

function item({ name, description, tags: its }: EditorTool): HTMLElement {
	return make(
		"li",
		{},
		make("code", { textContent: name }),
		make(
			"span",
			{ className: "tags" },
			...its.map((tag) => make("span", { className: "tag", textContent: tag })),
		),
		make("p", { textContent: description, title: description }),
	);
}
