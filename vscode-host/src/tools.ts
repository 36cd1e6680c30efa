// The editor's tools: those of VS Code, of other extensions and of MCP servers. They are read again each time, since
// VS Code has no event for their changes. VS Code shows confirmation dialogs by itself.

import * as vscode from "vscode";
import { deferred } from "./deferred";
import { base64, recognize } from "./parts";
import { textOf } from "./prompt-tree";
import type { Content, EditorTool, FromEditor, InvokeTool } from "./protocol";
import type { Request } from "./running-request";

/** Interval in milliseconds after which MCP servers are started again; VS Code starts them only on request. */
const MCP_START_INTERVAL = 60_000;
/** In milliseconds. The tools of a server that takes longer are in the next list. */
const MCP_START_TIMEOUT = 5_000;

const UNTRUSTED = "tools are off while VS Code is in Restricted Mode; trust the workspace to use them";

export class Tools {
	#mcp: { since: number; started: Promise<void> } | undefined;

	async list(): Promise<FromEditor> {
		if (vscode.workspace.isTrusted) {
			await this.#startMcpServers();
		}
		return { type: "tools", tools: this.now };
	}

	/** The tools as an answer to a server that watches them. MCP servers that the user has stopped stay so. */
	poll(): FromEditor {
		return { type: "tools", tools: this.now };
	}

	/** The tools that are available without starting MCP servers. */
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
		if (!this.#mcp || now - this.#mcp.since > MCP_START_INTERVAL) {
			this.#mcp = { since: now, started: startMcpServers() };
		}
		return this.#mcp.started;
	}
}

/** Starts the MCP servers; resolves when they run, or after the timeout. Without MCP, VS Code lacks the command. */
async function startMcpServers(): Promise<void> {
	const started = vscode.commands
		.executeCommand("workbench.mcp.startServer", "*", { waitForLiveTools: true })
		.then(undefined, () => undefined);
	const { promise: late, resolve } = deferred();
	const timer = setTimeout(resolve, MCP_START_TIMEOUT);
	await Promise.race([started, late]);
	clearTimeout(timer);
}

function toolFrom({ name, description, inputSchema, tags }: vscode.LanguageModelToolInformation): EditorTool {
	return { name, description, tags: [...tags], ...(inputSchema ? { input_schema: inputSchema } : {}) };
}

function contentFrom(part: unknown): Content[] {
	const it = recognize(part);
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
			return []; // tools don't return these
		default:
			return it satisfies never;
	}
}
