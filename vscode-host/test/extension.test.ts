// The whole extension with a fake VS Code; the server is found on disk and started as a process.

import assert from "node:assert/strict";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, type TestContext, test } from "node:test";
import type * as vscode from "vscode";
import { activate } from "../src/extension";
import { PROTOCOL } from "../src/protocol";
import { FakeServer, temporaryDirectory } from "./fake/server";
import {
	ExtensionMode,
	FakeEnvironment,
	FakeMemento,
	FakeModel,
	FakeSecrets,
	fake,
	LanguageModelTextPart,
	parts,
	Uri,
} from "./fake/vscode";

const manifest = JSON.parse(readFileSync(join(__dirname, "../../package.json"), "utf8"));
const windows: { dispose(): void }[] = [];
let secrets = new FakeSecrets();

beforeEach(() => {
	fake.settings = {};
	secrets = new FakeSecrets();
	fake.models = [new FakeModel("copilot", "gpt")];
	fake.folders = [{ name: "work", uri: Uri.file("/work") }];
	fake.log.length = 0;
	fake.notifications.length = 0;
	process.env.FAKE_SERVER = "serve";
	delete process.env.FAKE_VERSION;
});

/** A temporary home with the user's directory and the extension's folders. */
function temporaryHome(test: TestContext): { home: string; directory: string } {
	test.after(() => {
		for (const window of windows.splice(0)) {
			window.dispose();
		}
	});
	const home = temporaryDirectory(test);
	process.env.XDG_RUNTIME_DIR = home;
	const directory = join(home, "copilot-proxy");
	mkdirSync(directory, { mode: 0o700 });
	return { home, directory };
}

/** The fake server program, as an executable. */
function program(home: string): string {
	const path = join(home, "fake-server");
	writeFileSync(
		path,
		`#!${process.execPath}\nrequire(${JSON.stringify(join(__dirname, "fake/server-program.js"))});\n`,
	);
	chmodSync(path, 0o755);
	return path;
}

/** Opens a window. */
function open(home: string, version = "0.1.0"): { dispose(): void } {
	const subscriptions: { dispose(): void }[] = [];
	activate({
		subscriptions,
		extensionMode: ExtensionMode.Production,
		extensionPath: home,
		extensionUri: Uri.file(home),
		globalState: new FakeMemento({ greeted: true }),
		secrets,
		environmentVariableCollection: new FakeEnvironment(),
		globalStorageUri: Uri.file(join(home, "storage")),
		asAbsolutePath: (path: string) => join(home, path),
		extension: { packageJSON: { ...manifest, version } },
	} as unknown as vscode.ExtensionContext);
	const window = {
		dispose: () => {
			for (const each of subscriptions.splice(0).reverse()) {
				each.dispose();
			}
		},
	};
	windows.push(window);
	return window;
}

async function until(probe: () => boolean, what: string): Promise<void> {
	for (let looks = 0; !probe(); looks += 1) {
		assert.ok(
			looks < 3000,
			`${what} did not happen; status bar: ${fake.statusItem.text}, the log ${JSON.stringify(fake.log)}`,
		);
		await new Promise((resolve) => setTimeout(resolve, 10));
	}
}

const untilStatus = (text: string) => until(() => String(fake.statusItem.text).endsWith(`: ${text}`), text);
const run = (command: string) => fake.commands.get(`copilotProxy.${command}`)?.();
const starts = (directory: string) =>
	readFileSync(join(directory, "starts"), "utf8").trim().split("\n").map(Number);
const alive = (pid: number) => {
	try {
		return process.kill(pid, 0);
	} catch {
		return false;
	}
};

test("a window starts the server, stops and restarts it, and closes without stopping it", async (test) => {
	const { home, directory } = temporaryHome(test);
	fake.settings = { serverPath: program(home), port: 8181 };
	const window = open(home);
	await untilStatus("8181");
	run("stop");
	await untilStatus("Off");
	run("start");
	await untilStatus("8181");
	fake.answers.push("OpenAI");
	await run("copyEndpoint");
	assert.equal(fake.clipboard, "http://127.0.0.1:8181/v1");
	assert.equal(starts(directory).length, 1);
	run("restart");
	await until(() => starts(directory).length === 2, "a fresh process");
	await untilStatus("8181");
	window.dispose();
	await until(() => !starts(directory).some(alive), "the end of a server that nobody needs");
});

test("the server gets settings and models after its welcome, and later changes", async (test) => {
	const { home, directory } = temporaryHome(test);
	const server = await new FakeServer(directory).listen();
	test.after(() => server.close());
	server.publish();
	open(home);
	const peer = await server.accept();
	const hello = await peer.nextOf("hello");
	assert.deepEqual(hello, {
		type: "hello",
		token: server.endpoint,
		protocol: PROTOCOL,
		version: "0.1.0",
		pid: process.pid,
		window: { focused: true, folders: [{ name: "work", path: "/work" }] },
	});
	peer.send(0, { type: "welcome", version: "0.1.0", pid: 1 });
	assert.deepEqual(await peer.nextOf("keys"), { type: "keys", keys: [] });
	assert.equal((await peer.nextOf("user_settings")).port, 8080);
	assert.deepEqual(
		(await peer.nextOf("models")).models.map(({ id }) => id),
		["gpt"],
	);
	fake.set("port", 9090);
	assert.equal((await peer.nextOf("user_settings")).port, 9090);
	fake.models = [new FakeModel("copilot", "newer")];
	fake.changes.models.fire();
	assert.deepEqual(
		(await peer.nextOf("models")).models.map(({ id }) => id),
		["newer"],
	);
	peer.send(0, { type: "refresh_models" });
	await peer.nextOf("models");
	fake.focused = false;
	fake.changes.window.fire({});
	assert.equal((await peer.nextOf("window")).focused, false);
	fake.focused = true;
});

test("the server gets the keys of the secret storage first, and the key of the setting once it is moved there", async (test) => {
	const { home, directory } = temporaryHome(test);
	const server = await new FakeServer(directory).listen();
	test.after(() => server.close());
	server.publish();
	const ci = { name: "ci", key: "one", models: ["gpt*"], tools: false, per_day: 5 };
	secrets.values.set("keys", JSON.stringify([ci]));
	open(home);
	const peer = await server.welcome();
	assert.deepEqual((await peer.nextOf("keys")).keys, [ci]);
	fake.written.length = 0;
	fake.set("apiKey", " sesame ");
	const moved = { name: "default", key: "sesame", models: [], tools: true };
	assert.deepEqual((await peer.nextOf("keys")).keys, [ci, moved]);
	await until(() => fake.written.length > 0, "the removal of the setting");
	assert.deepEqual(fake.written, [["apiKey", undefined, 1]]);
	assert.deepEqual(JSON.parse(secrets.values.get("keys") ?? ""), [ci, moved]);
	assert.match(fake.notifications.at(-1)?.join() ?? "", /moved to VS Code's secret storage.*,Manage Keys/);
	// Another window has revoked one.
	await secrets.store("keys", JSON.stringify([ci]));
	assert.deepEqual((await peer.nextOf("keys")).keys, [ci]);
});

test("a chat request reaches the model and its response the server", async (test) => {
	const { home, directory } = temporaryHome(test);
	const server = await new FakeServer(directory).listen();
	test.after(() => server.close());
	server.publish();
	const model = new FakeModel("copilot", "gpt");
	model.answer = () => parts(new LanguageModelTextPart("Hello "), new LanguageModelTextPart("you"));
	fake.models = [model];
	open(home);
	const peer = await server.welcome();
	const chat = {
		vendor: "copilot",
		model: "gpt",
		tools: [],
		required: false,
		options: {},
		configuration: {},
		include_encrypted_thinking: false,
	};
	peer.send(1, {
		type: "chat",
		messages: [{ role: "user", parts: [{ type: "text", text: "Hi" }] }],
		...chat,
	});
	assert.deepEqual(await peer.receiveAll(1), [{ text: "Hello you" }, { type: "end" }]);
});

test("the output channel has the server's log lines at their levels", async (test) => {
	const { home, directory } = temporaryHome(test);
	const server = await new FakeServer(directory).listen();
	test.after(() => server.close());
	server.publish();
	open(home);
	const peer = await server.welcome();
	peer.send(0, { type: "log", level: "warn", time: Date.now(), text: "live" });
	peer.send(0, { type: "log", level: "debug", time: 0, text: "replayed" });
	peer.send(0, { type: "ping" });
	await peer.nextOf("pong");
	assert.deepEqual(fake.log, [
		["warn", "live"],
		["debug", "(1970-01-01T00:00:00.000Z) replayed"],
	]);
});

test("a killed server is started again", async (test) => {
	const { home, directory } = temporaryHome(test);
	fake.settings = { serverPath: program(home), port: 8182 };
	open(home);
	await untilStatus("8182");
	const [pid = 0] = starts(directory);
	process.kill(pid, "SIGKILL");
	await until(() => starts(directory).length === 2, "a second server");
	await untilStatus("8182");
	assert.deepEqual(fake.notifications, []);
});

test("a server that the user stopped is not started again when its process ends", async (test) => {
	const { home, directory } = temporaryHome(test);
	fake.settings = { serverPath: program(home), port: 8183 };
	open(home);
	await untilStatus("8183");
	run("stop");
	await untilStatus("Off");
	process.kill(starts(directory)[0] ?? 0, "SIGKILL");
	await until(() => fake.statusItem.text === "$(circle-slash) Copilot Proxy: Off", "Off");
	run("start");
	await untilStatus("8183");
	assert.equal(starts(directory).length, 2);
});

test("a server that keeps ending is given up until the user retries", async (test) => {
	const { home, directory } = temporaryHome(test);
	process.env.FAKE_SERVER = "die";
	fake.settings = { serverPath: program(home), port: 8184 };
	open(home);
	await untilStatus("Error");
	assert.equal(starts(directory).length, 5);
	assert.deepEqual(fake.notifications, [
		["Copilot Proxy: fake-server ended with code 1", "Retry", "Show Logs"],
	]);
	process.env.FAKE_SERVER = "serve";
	run("start");
	await untilStatus("8184");
});

test("a failed start shows the reason that the program printed", async (test) => {
	const { home } = temporaryHome(test);
	process.env.FAKE_SERVER = "full";
	fake.settings = { serverPath: program(home), port: 8184 };
	open(home);
	await untilStatus("Error");
	assert.deepEqual(fake.notifications, [
		[
			"Copilot Proxy: fake-server ended with code 1: server.json: No space left on device",
			"Retry",
			"Show Logs",
		],
	]);
});

test("a hanging program is killed, started once more, and named in the error", async (test) => {
	const { home, directory } = temporaryHome(test);
	process.env.FAKE_SERVER = "hang";
	const path = program(home);
	fake.settings = { serverPath: path, port: 8184 };
	open(home);
	await untilStatus("Error");
	assert.equal(
		fake.notifications[0]?.[0],
		`Copilot Proxy: ${path} did not start within 5 s. Check that it is Copilot Proxy's program (copilotProxy.serverPath)`,
	);
	const pids = starts(directory);
	assert.equal(pids.length, 2);
	await until(() => !pids.some(alive), "the end of both");
});

test("a directory that can't be created is an error with a hint", async (test) => {
	const { home } = temporaryHome(test);
	writeFileSync(join(home, "file"), "");
	process.env.XDG_RUNTIME_DIR = join(home, "file");
	fake.settings = { serverPath: program(home), port: 8184 };
	open(home);
	await untilStatus("Error");
	assert.match(
		fake.notifications[0]?.[0] ?? "",
		/copilot-proxy can't be created: ENOTDIR: .* Make the directory that it is in writable, or start VS Code with XDG_RUNTIME_DIR set/,
	);
});

test("a missing program is an error that names it", async (test) => {
	const { home } = temporaryHome(test);
	fake.settings = { serverPath: "/nowhere/copilot-proxy" };
	open(home);
	await untilStatus("Error");
	assert.match(
		fake.notifications[0]?.[0] ?? "",
		/^Copilot Proxy: there is no server program at \/nowhere\/copilot-proxy/,
	);
});

test("the bundled program runs from a copy, and copies of other versions are removed", async (test) => {
	const { home, directory } = temporaryHome(test);
	mkdirSync(join(home, "bin"));
	mkdirSync(join(home, "storage/bin/0.0.1-deadbeef"), { recursive: true });
	const bundled = program(home);
	writeFileSync(join(home, "bin/copilot-proxy"), readFileSync(bundled));
	fake.settings = { port: 8185 };
	open(home);
	await untilStatus("8185");
	const started = fake.log.map(([, text]) => text).find((text) => text.startsWith("window: starting "));
	assert.match(started ?? "", /storage\/bin\/0\.1\.0-[0-9a-f]+\/copilot-proxy$/);
	assert.equal(starts(directory).length, 1);
	assert.throws(() => readFileSync(join(home, "storage/bin/0.0.1-deadbeef")), { code: "ENOENT" });
});

test("windows that open at the same time share one server", async (test) => {
	const { home, directory } = temporaryHome(test);
	fake.settings = { serverPath: program(home), port: 8186 };
	for (let window = 0; window < 5; window += 1) {
		open(home);
	}
	await until(
		() => JSON.stringify(fake.statusItem.tooltip ?? "").includes("| Windows | 5 |"),
		"five windows",
	);
	await until(() => starts(directory).filter(alive).length === 1, "one server alone");
	assert.deepEqual(fake.notifications, []);
});

test("without autoStart a window attaches to a running server or waits for one", async (test) => {
	const { home, directory } = temporaryHome(test);
	fake.settings = { autoStart: false };
	open(home);
	await untilStatus("Off");
	const server = await new FakeServer(directory).listen();
	test.after(() => server.close());
	await new Promise((resolve) => setTimeout(resolve, 50));
	server.publish();
	const peer = await server.welcome();
	await peer.nextOf("user_settings");
	assert.deepEqual(fake.log, []);
});

test("a window replaces an older server", async (test) => {
	const { home, directory } = temporaryHome(test);
	const older = await new FakeServer(directory).listen();
	older.publish({ version: "0.0.9" });
	process.env.FAKE_VERSION = "0.1.0";
	fake.settings = { serverPath: program(home), port: 8187 };
	open(home);
	const peer = await older.welcome("0.0.9");
	await peer.nextOf("handover");
	older.close();
	peer.socket.end();
	await untilStatus("8187");
	assert.equal(starts(directory).length, 1);
});

test("a window waits for the server that replaces its own", async (test) => {
	const { home, directory } = temporaryHome(test);
	const older = await new FakeServer(directory).listen();
	older.publish();
	fake.settings = { serverPath: program(home) };
	open(home);
	const peer = await older.welcome();
	await peer.nextOf("models");
	peer.send(0, { type: "superseded" });
	older.close();
	peer.socket.end();
	await untilStatus("Starting");
	const newer = await new FakeServer(directory).listen();
	test.after(() => newer.close());
	newer.publish({ version: "0.2.0" });
	await (await newer.welcome("0.2.0")).nextOf("models");
	assert.deepEqual(fake.log, [], "neither a start nor a complaint");
});

test("windows that can only start an old server stop replacing it", async (test) => {
	const { home, directory } = temporaryHome(test);
	process.env.FAKE_VERSION = "0.0.9";
	fake.settings = { serverPath: program(home), port: 8190 };
	open(home);
	open(home);
	await until(() => JSON.stringify(fake.statusItem.tooltip ?? "").includes("| Windows | 2 |"), "two windows");
	await until(() => starts(directory).filter(alive).length === 1, "one server alone");
	assert.deepEqual(fake.notifications, []);
});

test("a server that is too old for the window is replaced once it has ended", async (test) => {
	const { home, directory } = temporaryHome(test);
	const older = await new FakeServer(directory).listen();
	older.publish();
	fake.settings = { serverPath: program(home), port: 8188 };
	open(home);
	for (let refusals = 0; refusals < 2; refusals += 1) {
		const peer = await older.accept();
		peer.send(0, { type: "refused", reason: "server_too_old", message: "it makes room" });
		await peer.closed;
	}
	older.close();
	await untilStatus("8188");
});

test("a window that is too old for the server asks to be reloaded", async (test) => {
	const { home, directory } = temporaryHome(test);
	const newer = await new FakeServer(directory).listen();
	test.after(() => newer.close());
	newer.publish();
	open(home);
	const peer = await newer.accept();
	peer.send(0, { type: "refused", reason: "editor_too_old", message: "reload the window" });
	await untilStatus("Reload");
	assert.deepEqual(fake.notifications, [["Copilot Proxy: reload the window", "Reload Window"]]);
});

test("a change of serverPath starts the other program", async (test) => {
	const { home, directory } = temporaryHome(test);
	fake.settings = { serverPath: program(home), port: 8189 };
	open(home);
	await untilStatus("8189");
	const other = join(home, "other-server");
	writeFileSync(other, readFileSync(program(home)), { mode: 0o755 });
	fake.set("serverPath", other);
	await until(() => starts(directory).length === 2, "the other program");
	await untilStatus("8189");
	assert.ok(fake.log.some(([, text]) => text === `window: starting ${other}`));
});

test("a directory that others can enter is not used", async (test) => {
	const { home, directory } = temporaryHome(test);
	chmodSync(directory, 0o777);
	open(home);
	await untilStatus("Error");
	assert.match(fake.notifications[0]?.[0] ?? "", /is open to other users/);
});

test("every command of the manifest is registered", async (test) => {
	const { home } = temporaryHome(test);
	fake.settings = { autoStart: false };
	open(home);
	const manifest = JSON.parse(readFileSync(join(__dirname, "../../package.json"), "utf8"));
	const offered: string[] = manifest.contributes.commands.map(({ command }: { command: string }) => command);
	// Buttons and links run these; in the palette they would mostly have nothing to do.
	const internal = ["copilotProxy.getModels", "copilotProxy.useFreePort"];
	assert.deepEqual([...fake.commands.keys()].sort(), [...offered, ...internal].sort());
});
