// The structure of the sources: no module imports itself, directly or through others.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize, relative } from "node:path";
import { test } from "node:test";

const ROOT = join(__dirname, "..", "..");

/** Each source file and the sources it imports, types included. */
function importsOf(folder: string): Map<string, string[]> {
	const files = readdirSync(join(ROOT, folder)).filter((file) => file.endsWith(".ts"));
	return new Map(
		files.map((file) => {
			const path = join(ROOT, folder, file);
			const found = readFileSync(path, "utf8").matchAll(/from "(\.[^"]+)"/g);
			const imported = [...found].map(([, to]) => `${normalize(join(dirname(path), to ?? ""))}.ts`);
			return [join(folder, file), imported.map((to) => relative(ROOT, to))];
		}),
	);
}

/** The first circle of imports, as a path that ends where it begins. */
function circle(imports: Map<string, string[]>): string[] | undefined {
	const done = new Set<string>();
	const visit = (file: string, path: string[]): string[] | undefined => {
		if (path.includes(file)) {
			return [...path.slice(path.indexOf(file)), file];
		}
		if (done.has(file)) {
			return undefined;
		}
		for (const next of imports.get(file) ?? []) {
			const found = visit(next, [...path, file]);
			if (found) {
				return found;
			}
		}
		done.add(file);
		return undefined;
	};
	for (const file of imports.keys()) {
		const found = visit(file, []);
		if (found) {
			return found;
		}
	}
	return undefined;
}

test("imports have no cycle", () => {
	const imports = new Map([
		...importsOf("src"),
		...importsOf("webview"),
		...importsOf("webview/conversation"),
	]);
	assert.ok(imports.size > 40, `${imports.size} files found`);
	assert.deepEqual(circle(imports), undefined);
});

test("the check finds a cycle", () => {
	const imports = new Map([
		["a", ["b"]],
		["b", ["c"]],
		["c", ["b"]],
	]);
	assert.deepEqual(circle(imports), ["b", "c", "b"]);
});
