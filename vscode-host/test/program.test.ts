// The program's commands, run with a program that only says what it was told.

import assert from "node:assert/strict";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { Program } from "../src/program";
import { temporaryDirectory } from "./fake/peer";

/** A program that runs this. */
function program(test: TestContext, code: string, more = {}): Program {
	const path = join(temporaryDirectory(test), "program");
	writeFileSync(path, `#!${process.execPath}\n${code}\n`);
	chmodSync(path, 0o755);
	return new Program(
		async () => path,
		() => ({ directory: "/run/it's", url: "http://127.0.0.1:1", key: "", ...more }),
	);
}

const TELL =
	"console.log(JSON.stringify([process.argv.slice(2), process.env.COPILOT_PROXY_API_KEY ?? null, process.cwd()]))";

test("a command is told which server is meant, and the key where nobody else can read it", async (test) => {
	const plain = await program(test, TELL).run(["setup", "a b"], "/");
	const args = ["setup", "a b", "--dir", "/run/it's"];
	assert.deepEqual(JSON.parse(await plain.line()), [[...args, "--url", "http://127.0.0.1:1"], null, "/"]);
	const keyed = await program(test, TELL, { key: "secret", url: undefined }).run(["setup", "a b"], "/");
	assert.deepEqual(JSON.parse(await keyed.line()), [args, "secret", "/"]);
});

test("it says a line, hears the answer, and ends", async (test) => {
	const echo = "console.log('well?'); process.stdin.on('data', (word) => process.stdout.write(word))";
	const run = await program(test, echo).run([]);
	assert.equal(await run.line(), "well?");
	run.answer("y");
	assert.deepEqual(await run.ended, { code: 0, stdout: "well?\ny\n", stderr: "" });
});

test("one that says nothing has its complaint told", async (test) => {
	const run = await program(
		test,
		"console.error('copilot-proxy: no home directory'); process.exitCode = 1",
	).run([]);
	await assert.rejects(run.line(), new Error("no home directory"));
	assert.equal((await run.ended).code, 1);
	const missing = new Program(
		async () => "/nowhere/at/all",
		() => ({ directory: "/", url: undefined, key: "" }),
	);
	await assert.rejects(async () => (await missing.run([])).line(), /ENOENT/);
});
