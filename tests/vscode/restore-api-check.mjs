// Restores the check of proposed APIs in an installed code-server, which grants every proposal to every extension. With
// the check, an extension that uses more than the stable API fails here as it would for a user.
// Usage: node restore-api-check.mjs PATH-TO-lib/vscode/out
import fs from "node:fs";
import path from "node:path";

// Each bundle has a minified copy of two functions: `isEnabled(extension, proposal) { return true }` and the check that
// calls it and throws.
const granted =
	/(?<head>function (?<isEnabled>[\w$]+)\((?<extension>[\w$]+),(?<proposal>[\w$]+)\)\{)return!0(?<tail>\}function [\w$]+\([\w$]+,[\w$]+\)\{if\(!\k<isEnabled>\([\w$,]+\)\)throw new Error\(`Extension '[^']+' CANNOT use API proposal)/;

function restored(bundle) {
	const match = granted.exec(bundle);
	if (!match) return undefined;
	const { head, extension, proposal, tail } = match.groups;
	const honest = `${head}return ${extension}.enabledApiProposals?.includes(${proposal})??!1${tail}`;
	return bundle.slice(0, match.index) + honest + bundle.slice(match.index + match[0].length);
}

const out = process.argv[2];
const bundles = [
	"server-main.js",
	"vs/code/browser/workbench/workbench.js",
	"vs/workbench/api/node/extensionHostProcess.js",
	"vs/workbench/api/worker/extensionHostWorkerMain.js",
];
for (const name of bundles) {
	const file = path.join(out, name);
	const text = restored(fs.readFileSync(file, "utf8"));
	if (text === undefined) throw new Error(`the check for proposed APIs was not found in ${name}`);
	fs.writeFileSync(file, text);
}
