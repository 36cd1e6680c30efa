// Bundles the extension into out/extension.js and the script of the panel's page into out/panel.js; with --test also
// each test, beside a fake of the slice of `vscode` that we use.
import { readdirSync } from "node:fs";
import { build } from "esbuild";

const common = {
	bundle: true,
	platform: "node",
	target: "node22",
	format: "cjs",
	logLevel: "warning",
};

await build({
	...common,
	entryPoints: ["src/extension.ts"],
	outfile: "out/extension.js",
	external: ["vscode"],
	minifySyntax: true,
	minifyWhitespace: true,
});

await build({
	...common,
	platform: "browser",
	target: "es2023",
	format: "iife",
	entryPoints: ["webview/main.ts"],
	outfile: "out/panel.js",
	minifySyntax: true,
	minifyWhitespace: true,
});

if (process.argv.includes("--test")) {
	const tests = readdirSync("test").filter((name) => name.endsWith(".test.ts"));
	await build({
		...common,
		target: "node20",
		entryPoints: [...tests.map((name) => `test/${name}`), "test/fake/program.ts"],
		outdir: "out/test",
		outbase: "test",
		alias: { vscode: "./test/fake/vscode.ts" },
		sourcemap: "inline",
	});
}
