// The editor's tools: VS Code's own, other extensions' and MCP servers'. They are read fresh each time, for VS Code says
// nothing when they change. Confirmation dialogs are VS Code's affair.

import * as vscode from "vscode";
import { deferred } from "./deferred";
import { base64, seen } from "./parts";
import { textOf } from "./prompt-tree";
import type { Content, EditorTool, FromEditor, InvokeTool } from "./protocol";
import type { Request } from "./request";

/** VS Code starts MCP servers only on request; this often they are requested again, in ms. */
const MCP_START_EVERY = 60_000;
/** A server that takes longer is listed the next time, in ms. */
const MCP_START_WITHIN = 5_000;

const UNTRUSTED = "tools are off while VS Code is in Restricted Mode: trust the workspace to use them";

export class Tools {
	#mcp: { since: number; started: Promise<void> } | undefined;

	async list(): Promise<FromEditor> {
		if (vscode.workspace.isTrusted) {
			await this.#startMcpServers();
		}
		return { type: "tools", tools: this.now };
	}

	/** Those there are without starting anything. */
	get now(): EditorTool[] {
		return vscode.workspace.isTrusted ? vscode.lm.tools.map(toolFrom) : [];
	}

	async invoke({ name, input }: InvokeTool, request: Request): Promise<FromEditor> {
		if (!vscode.workspace.isTrusted) {
			throw new Error(UNTRUSTED);
		}
		const options = { toolInvocationToken: undefined, input: (input ?? {}) as object };
		const { content } = await vscode.lm.invokeTool(name, options, request.token);
		return { type: "tool_output", content: content.flatMap(contentFrom) };
	}

	#startMcpServers(): Promise<void> {
		const now = performance.now();
		if (!this.#mcp || now - this.#mcp.since > MCP_START_EVERY) {
			this.#mcp = { since: now, started: startMcpServers() };
		}
		return this.#mcp.started;
	}
}

/** Done when they run, or when it takes too long. A VS Code without MCP has no such command: then there is nothing to start. */
async function startMcpServers(): Promise<void> {
	const started = vscode.commands
		.executeCommand("workbench.mcp.startServer", "*", { waitForLiveTools: true })
		.then(undefined, () => undefined);
	const { promise: late, resolve } = deferred();
	const timer = setTimeout(resolve, MCP_START_WITHIN);
	await Promise.race([started, late]);
	clearTimeout(timer);
}

function toolFrom({ name, description, inputSchema, tags }: vscode.LanguageModelToolInformation): EditorTool {
	return { name, description, tags: [...tags], ...(inputSchema ? { input_schema: inputSchema } : {}) };
}

function contentFrom(part: unknown): Content[] {
	const it = seen(part);
	switch (it.kind) {
		case "text":
			return [{ type: "text", text: it.text }];
		case "data":
			return [{ type: "data", mime: it.mime, base64: base64(it.data) }];
		case "tree":
			return [{ type: "text", text: textOf(it.value) }];
		case "thinking":
		case "call":
		case "unknown":
			return []; // no result of a tool
		default:
			return it satisfies never;
	}
}
