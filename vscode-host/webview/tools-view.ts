// The list of the editor's tools, filtered by text and by tag, each with its schema and a switch for auto mode.

import { live } from "lit/directives/live.js";
import { repeat } from "lit/directives/repeat.js";
import { html, nothing, type TemplateResult } from "lit/html.js";
import type { EditorTool } from "../src/protocol";
import * as l10n from "./l10n";
import { announce, changed, setSetting, settings, state, transport } from "./state";
import { type AutoTools, deniedBy, mayRun, withTool } from "./tool-permission";

const RESTRICTED = l10n.t(
	"Tools are off while VS Code is in Restricted Mode. Trust the workspace to use them.",
);
const NONE = l10n.t("This window has no tools. Install extensions or MCP servers that provide some.");
const NO_MATCH = l10n.t("No matching tools.");
/** Prefix of the tags with which VS Code links tools to each other; they mean nothing to users. */
const LINK = "enable_other_tool_";

const filter = { words: "", tags: new Set<string>() };

export function toolsView(): TemplateResult {
	const { isRestricted = false, tools = [] } = state.tools ?? {};
	const known = [...new Set(tools.flatMap(tagsOf))].sort();
	const words = filter.words.toLowerCase().split(/\s+/);
	const shown = tools.filter((tool) => matches(tool, words));
	const autoTools = autoToolsOf();
	return html`<div class="bar">
			<input type="search" placeholder=${l10n.t("Filter tools")} aria-label=${l10n.t("Filter tools")} .value=${filter.words}
				@input=${(event: Event) => {
					filter.words = (event.target as HTMLInputElement).value;
					changed();
				}}>
			<button type="button" @click=${() => transport.send({ type: "readTools" })}>${l10n.t("Refresh")}</button>
			<span class="hint" role="status">${shown.length < tools.length ? l10n.t("{shown} of {all}", { shown: shown.length, all: tools.length }) : ""}</span>
		</div>
		<div class="facets" role="group" aria-label=${l10n.t("Tags")}>${known.map(chip)}</div>
		${
			shown.length === 0
				? html`<p class="empty">${isRestricted ? RESTRICTED : tools.length > 0 ? NO_MATCH : NONE}</p>`
				: html`<ul id="tools-list">${repeat(
						shown,
						({ name }) => name,
						(tool) => item(tool, autoTools),
					)}</ul>`
		}`;
}

function tagsOf({ tags }: EditorTool): string[] {
	return tags.filter((tag) => !tag.startsWith(LINK));
}

function matches(tool: EditorTool, words: string[]): boolean {
	const text = `${tool.name} ${tool.description} ${tagsOf(tool).join(" ")}`.toLowerCase();
	return (
		words.every((word) => text.includes(word)) && [...filter.tags].every((tag) => tool.tags.includes(tag))
	);
}

function chip(tag: string): TemplateResult {
	const toggle = () => {
		if (!filter.tags.delete(tag)) {
			filter.tags.add(tag);
		}
		changed();
	};
	return html`<button type="button" class="chip" aria-pressed=${filter.tags.has(tag)} @click=${toggle}>${tag}</button>`;
}

/** The patterns of the setting, where the page knows them. */
function autoToolsOf(): AutoTools | undefined {
	const value = settings().find(({ name }) => name === "autoTools")?.value;
	const { allow = ["*"], deny = [] } = (value ?? {}) as Partial<AutoTools>;
	return value === undefined ? undefined : { allow, deny };
}

function item(tool: EditorTool, autoTools: AutoTools | undefined): TemplateResult {
	const { name, description, input_schema: schema } = tool;
	return html`<li>
		<div class="tool">
			${autoTools ? permission(name, autoTools) : nothing}
			<code>${name}</code>
			<span class="tags">${tagsOf(tool).map((tag) => html`<span class="tag">${tag}</span>`)}</span>
		</div>
		<p title=${description}>${description}</p>
		<details class="folded"><summary aria-label=${l10n.t("Schema of {tool}", { tool: name })}>${l10n.t("Schema")}</summary>
			<pre tabindex="0" aria-label=${l10n.t("Schema of {tool}", { tool: name })}>${JSON.stringify(schema ?? {}, null, 2)}</pre></details>
	</li>`;
}

function permission(name: string, autoTools: AutoTools): TemplateResult {
	const pattern = deniedBy(name, autoTools);
	const isFixed = pattern !== undefined && pattern !== name;
	const change = (event: Event) => {
		const isOn = (event.target as HTMLInputElement).checked;
		setSetting("autoTools", withTool(name, isOn, autoTools));
		announce(
			isOn
				? l10n.t("{tool} allowed in auto mode", { tool: name })
				: l10n.t("{tool} denied in auto mode", { tool: name }),
		);
	};
	return html`<input type="checkbox" aria-label=${l10n.t("Auto mode may run {tool}", { tool: name })} .checked=${live(mayRun(name, autoTools))}
		?disabled=${isFixed} title=${isFixed ? l10n.t("The setting autoTools denies {pattern}", { pattern }) : l10n.t("Auto mode may run this tool")}
		@change=${change}>`;
}
