import assert from "node:assert/strict";
import { test } from "node:test";
import { markdown } from "../src/diagnosis";

const report = (...findings: Parameters<typeof markdown>[0]["findings"]) => ({
	ok: true,
	version: "0.1.0",
	base_url: "http://127.0.0.1:8080",
	findings,
});
const at = new Date(0);
const foot = `---\n\nVersion 0.1.0, http://127.0.0.1:8080, ${at.toLocaleString()}\n`;

test("the report begins with the errors and their hints", () => {
	const found = markdown(
		report(
			{ subject: "server", status: "ok", found: "version 0.1.0 runs here (process 7)" },
			{ subject: "models", status: "error", found: "VS Code offers none", hint: "run `Sign in`" },
			{ subject: "place", status: "info", found: "this is WSL", hint: "use it" },
		),
		at,
	);
	assert.equal(
		found,
		[
			"# Copilot Proxy: 1 problem found\n",
			"## ✗ Errors\n",
			"- **models**: VS Code offers none  \n  → run `Sign in`\n",
			"## ℹ Information\n",
			"- **place**: this is WSL  \n  → use it\n",
			"## ✓ OK\n",
			"- **server**: version 0.1.0 runs here (process 7)\n",
			foot,
		].join("\n"),
	);
});

test("findings are escaped for Markdown", () => {
	const text = "<img src=x> of __a__ [b](command:c)\n# d | `e`";
	assert.match(
		markdown(report({ subject: "windows", status: "ok", found: text }), at),
		/: \\<img src=x\\> of \\_\\_a\\_\\_ \\\[b\\\]\(command:c\) \\# d \\\| \\`e\\`\n/,
	);
});
