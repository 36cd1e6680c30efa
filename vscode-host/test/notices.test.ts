// The notices of third-party parts: all crates in the program, all npm packages in the bundles, each with a licence.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";

const home = join(__dirname, "../..");

interface Part {
	name: string;
	version: string;
	license: string | null;
	texts: string[];
}
interface Script {
	partsOf(target: string): Promise<Part[]>;
	notices(target: string): Promise<string>;
}

const TARGET = `${process.platform === "win32" ? "win32" : process.platform}-${process.arch}`;

test("the notices name all parts of a package, with their licences", async () => {
	const script: Script = await import(pathToFileURL(join(home, "scripts/notices.mjs")).href);
	const parts = await script.partsOf(TARGET);
	const names = parts.map(({ name }) => name);
	for (const name of ["actix-web", "serde_json", "libsqlite3-sys", "lit-html", "o200k_base", "SQLite"]) {
		assert.ok(names.includes(name), name);
	}
	// Of tests, of build scripts, and of the development of the extension.
	for (const name of ["proptest", "cc", "clap_derive", "typescript"]) {
		assert.ok(!names.includes(name), name);
	}
	const unlicensed = parts.filter(({ license }) => !license);
	assert.deepEqual(unlicensed, []);

	// Each dependency of the program is there in the version of the lock file.
	const lock = readFileSync(join(home, "../Cargo.lock"), "utf8");
	const root = /name = "copilot-proxy"\n[^[]*dependencies = \[([^\]]*)\]/.exec(lock)?.[1] ?? "";
	assert.match(root, /"actix-web"/);
	for (const { name, version } of parts.filter(({ name }) => root.includes(`"${name}"`))) {
		assert.ok(lock.includes(`name = "${name}"\nversion = "${version}"`), `${name} ${version}`);
	}

	const text = await script.notices(TARGET);
	for (const { name, version, license } of parts) {
		assert.ok(text.includes(`${name} ${version} (${license})`), name);
	}
	assert.match(text, /Permission is hereby granted, free of charge/);
	assert.match(text, /Apache License\s+Version 2\.0/);
});
