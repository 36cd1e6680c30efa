// Commands of the server program, run with a program that prints its arguments and environment.

import assert from "node:assert/strict";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { Cli } from "../src/cli";
import { temporaryDirectory } from "./fake/server";

/** A program that runs this. */
function program(test: TestContext, code: string, more = {}): Cli {
	const path = join(temporaryDirectory(test), "program");
	writeFileSync(path, `#!${process.execPath}\n${code}\n`);
	chmodSync(path, 0o755);
	return new Cli(
		async () => path,
		() => ({ directory: "/run/it's", url: "http://127.0.0.1:1", key: "", ...more }),
	);
}

const TELL =
	"console.log(JSON.stringify([process.argv.slice(2), process.env.COPILOT_PROXY_API_KEY ?? null, process.cwd()]))";

test("a command gets the server as arguments and the key in its environment", async (test) => {
	const plain = await program(test, TELL).run(["setup", "a b"], "/");
	const args = ["setup", "a b", "--dir", "/run/it's"];
	assert.deepEqual(JSON.parse(await plain.line()), [[...args, "--url", "http://127.0.0.1:1"], null, "/"]);
	const keyed = await program(test, TELL, { key: "secret", url: undefined }).run(["setup", "a b"], "/");
	assert.deepEqual(JSON.parse(await keyed.line()), [args, "secret", "/"]);
});

test("a command's first line is read before it gets the answer", async (test) => {
	const echo = "console.log('well?'); process.stdin.on('data', (word) => process.stdout.write(word))";
	const run = await program(test, echo).run([]);
	assert.equal(await run.line(), "well?");
	run.answer("y");
	assert.deepEqual(await run.ended, { code: 0, stdout: "well?\ny\n", stderr: "" });
});

test("a command without output fails with its error output", async (test) => {
	const run = await program(
		test,
		"console.error('copilot-proxy: no home directory'); process.exitCode = 1",
	).run([]);
	await assert.rejects(run.line(), new Error("no home directory"));
	assert.equal((await run.ended).code, 1);
	const missing = new Cli(
		async () => "/nowhere/at/all",
		() => ({ directory: "/", url: undefined, key: "" }),
	);
	await assert.rejects(async () => (await missing.run([])).line(), /ENOENT/);
});
