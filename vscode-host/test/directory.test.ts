import assert from "node:assert/strict";
import { chmodSync, mkdirSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { ensurePrivateDir, readServerFile, userDirectory } from "../src/directory";
import { temporaryDirectory } from "./fake/server";

test("each user has a directory of their own", () => {
	assert.equal(userDirectory({ XDG_RUNTIME_DIR: "/run/user/7" }), "/run/user/7/copilot-proxy");
	assert.equal(userDirectory({ XDG_RUNTIME_DIR: "" }), join(tmpdir(), `copilot-proxy-${process.getuid?.()}`));
});

test("the directory is created with mode 0700, and rejected if others can enter it", async (test) => {
	const home = temporaryDirectory(test);
	const directory = join(home, "a", "copilot-proxy");
	await ensurePrivateDir(directory);
	assert.equal(statSync(directory).mode & 0o777, 0o700);
	await ensurePrivateDir(directory);
	chmodSync(directory, 0o755);
	await assert.rejects(ensurePrivateDir(directory), /is open to other users; run chmod 700 on it/);
	mkdirSync(join(home, "b"), { mode: 0o700 });
	symlinkSync(join(home, "b"), join(home, "link"));
	await assert.rejects(ensurePrivateDir(join(home, "link")), /is not a directory/);
});

test("a complete server.json is read, an incomplete one counts as none", async (test) => {
	const directory = temporaryDirectory(test);
	const file = join(directory, "server.json");
	assert.equal(await readServerFile(directory), undefined);
	for (const text of ["", "{", "null", "7", '{"pid":1}']) {
		writeFileSync(file, text);
		assert.equal(await readServerFile(directory), undefined);
	}
	const about = { pid: 1, version: "0.1.0", endpoint: "/e", token: "t", port: null, startedAt: 0 };
	writeFileSync(file, JSON.stringify(about));
	assert.deepEqual(await readServerFile(directory), about);
});
