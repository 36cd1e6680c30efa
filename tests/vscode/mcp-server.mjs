// A Model Context Protocol server over stdio for .vscode/mcp.json: `node mcp-server.mjs FOLDER`. One tool reads a file of
// the folder; the other is not read-only, so VS Code asks for confirmation.
import fs from "node:fs";
import path from "node:path";
import { createInterface } from "node:readline";

const folder = process.argv[2];
const NAME = { type: "object", properties: { name: { type: "string" } }, required: ["name"] };

const tools = {
	read_note: {
		description: "Reads a file of the folder.",
		inputSchema: NAME,
		annotations: { readOnlyHint: true },
		call: ({ name }) => fs.readFileSync(path.join(folder, name), "utf8"),
	},
	forget_note: {
		description: "Would remove a file of the folder.",
		inputSchema: NAME,
		call: ({ name }) => `forgot ${name}`,
	},
};

const methods = {
	initialize: ({ protocolVersion }) => ({
		protocolVersion,
		capabilities: { tools: {} },
		serverInfo: { name: "notes", version: "1.0.0" },
	}),
	ping: () => ({}),
	"tools/list": () => ({
		tools: Object.entries(tools).map(([name, { call, ...tool }]) => ({ name, ...tool })),
	}),
	"tools/call": ({ name, arguments: input }) => result(() => tools[name].call(input)),
};

function result(call) {
	try {
		return { content: [{ type: "text", text: call() }] };
	} catch ({ message }) {
		return { content: [{ type: "text", text: message }], isError: true };
	}
}

createInterface({ input: process.stdin }).on("line", (line) => {
	const { id, method, params } = JSON.parse(line);
	if (id === undefined) return; // a notification
	const error = { code: -32601, message: `no method ${method}` };
	const outcome = methods[method] ? { result: methods[method](params) } : { error };
	process.stdout.write(`${JSON.stringify({ jsonrpc: "2.0", id, ...outcome })}\n`);
});
