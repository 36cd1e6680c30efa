import assert from "node:assert/strict";
import { mkdirSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { beforeEach, test } from "node:test";
import type * as vscode from "vscode";
import { addToTerminals, installCommand, linkPath, updateCommand } from "../src/terminal-commands";
import { temporaryDirectory } from "./fake/server";
import { FakeEnvironment, fake } from "./fake/vscode";

beforeEach(() => {
	fake.notifications.length = 0;
	fake.click = undefined;
});

const POSIX = { skip: process.platform === "win32" && "links of POSIX systems" };

test("the program's folder is put before the others on the PATH of terminals", () => {
	const environment = new FakeEnvironment();
	addToTerminals(
		environment as unknown as vscode.EnvironmentVariableCollection,
		"/storage/bin/1/copilot-proxy",
	);
	assert.deepEqual(environment.get("PATH"), { value: `/storage/bin/1${delimiter}` });
});

test("the command is installed, and follows the program of the next version", POSIX, async (context) => {
	const home = temporaryDirectory(context);
	process.env.HOME = home;
	const storage = join(home, "storage");
	const path = linkPath();
	await updateCommand(join(storage, "2"), storage);
	const page = "man/man1/copilot-proxy.1";
	mkdirSync(dirname(join(home, "share", page)), { recursive: true });
	writeFileSync(join(home, "share", page), "the page");
	await installCommand(join(storage, "1"), storage, join(home, "share"));
	assert.equal(readlinkSync(path), join(storage, "1"));
	assert.equal(readFileSync(join(home, ".local/share", page), "utf8"), "the page");
	assert.match(fake.notifications[0]?.[0] ?? "", /is not on your PATH/);
	await updateCommand(join(storage, "2"), storage);
	assert.equal(readlinkSync(path), join(storage, "2"));
});

test("a command of another source is replaced only after a question", POSIX, async (context) => {
	const home = temporaryDirectory(context);
	process.env.HOME = home;
	const storage = join(home, "storage");
	const path = linkPath();
	mkdirSync(dirname(path), { recursive: true });
	symlinkSync("/usr/bin/other", path);
	await installCommand(join(storage, "1"), storage, join(home, "share"));
	await updateCommand(join(storage, "1"), storage);
	assert.equal(readlinkSync(path), "/usr/bin/other");
	fake.click = "Replace";
	await installCommand(join(storage, "1"), storage, join(home, "share"));
	assert.equal(readlinkSync(path), join(storage, "1"));
});

test("a file that is no link is of another source", POSIX, async (context) => {
	const home = temporaryDirectory(context);
	process.env.HOME = home;
	const path = linkPath();
	mkdirSync(dirname(path), { recursive: true });
	writeFileSync(path, "mine");
	await installCommand("/storage/1", "/storage", "/share");
	assert.match(fake.notifications[0]?.[0] ?? "", /exists and is not from this extension/);
});

test("Windows' command is in the one folder of the user's on its PATH", () => {
	const path = linkPath("win32", { LOCALAPPDATA: "L" }, "H");
	assert.equal(path, join("L", "Microsoft", "WindowsApps", "copilot-proxy.cmd"));
});
