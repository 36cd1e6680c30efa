// Bundles the extension into out/extension.js, its uninstall script into out/uninstall.js, and the inspector's page into
// out/panel.js and out/panel.css. Without an argument it also copies the page to where the server includes it, for /ui;
// that copy is committed. With --test also each test, beside a fake of the slice of `vscode` that we use; with --bench what
// measures it from within node, and with --soak the editor of the soak test.
import { copyFileSync, readdirSync } from "node:fs";
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

await build({ ...common, entryPoints: ["src/uninstall.ts"], outfile: "out/uninstall.js" });

await build({
	...common,
	platform: "browser",
	target: "es2023",
	format: "iife",
	entryPoints: [
		{ in: "webview/main.ts", out: "panel" },
		{ in: "webview/panel.css", out: "panel" },
	],
	outdir: "out",
	minify: true,
});

if (process.argv.length === 2) {
	for (const file of ["panel.js", "panel.css"]) {
		copyFileSync(`out/${file}`, `../src/http/ui/page/${file}`);
	}
}

if (process.argv.includes("--test")) {
	const tests = readdirSync("test").filter((name) => name.endsWith(".test.ts"));
	await build({
		...common,
		target: "node20",
		entryPoints: [...tests.map((name) => `test/${name}`), "test/fake/server-program.ts"],
		outdir: "out/test",
		outbase: "test",
		alias: { vscode: "./test/fake/vscode.ts" },
		sourcemap: "inline",
	});
}

if (process.argv.includes("--bench")) {
	await build({
		...common,
		target: "node20",
		entryPoints: ["../benches/editor/host.ts", "../benches/editor/inproc.ts"],
		outdir: "out/bench",
	});
}

if (process.argv.includes("--soak")) {
	await build({
		...common,
		target: "node20",
		entryPoints: ["../tests/soak/editor.ts"],
		outdir: "out/soak",
		alias: { vscode: "./test/fake/vscode.ts" },
	});
}
