import assert from "node:assert/strict";
import { test } from "node:test";
import { told } from "../src/diagnosis";

const report = (...findings: Parameters<typeof told>[0]["findings"]) => ({
	ok: true,
	version: "0.1.0",
	base_url: "http://127.0.0.1:8080",
	findings,
});
const at = new Date(0);
const foot = `---\n\nVersion 0.1.0 looked at http://127.0.0.1:8080 on ${at.toLocaleString()}.\n`;

test("a diagnosis begins with what is wrong, and says what to do", () => {
	const found = told(
		report(
			{ subject: "server", verdict: "well", found: "version 0.1.0 runs here (process 7)" },
			{ subject: "models", verdict: "wrong", found: "VS Code offers none", advice: "run `Sign in`" },
			{ subject: "place", verdict: "note", found: "this is WSL", advice: "use it" },
		),
		at,
	);
	assert.equal(
		found,
		[
			"# Copilot Proxy: One thing is wrong\n",
			"## ✗ What is wrong\n",
			"- **models**: VS Code offers none  \n  → run `Sign in`\n",
			"## ⚠ Worth knowing\n",
			"- **place**: this is WSL  \n  → use it\n",
			"## ✓ What is well\n",
			"- **server**: version 0.1.0 runs here (process 7)\n",
			foot,
		].join("\n"),
	);
});

test("what was found is shown as it was found", () => {
	const text = "<img src=x> of __a__ [b](command:c)\n# d | `e`";
	assert.match(
		told(report({ subject: "windows", verdict: "well", found: text }), at),
		/: \\<img src=x\\> of \\_\\_a\\_\\_ \\\[b\\\]\(command:c\) \\# d \\\| \\`e\\`\n/,
	);
});
