// Servers and windows of different versions, as after an update of the extension: a newer window replaces an older server
// once that has finished its requests; an older window uses a newer server or asks for a reload. The other version is the
// packaged program with another version number.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";
import { startRefusingServer } from "./harness/fake-server.mjs";
import { alive, attachFakeEditor, dataOf, startProxy, until } from "./harness/index.mjs";

const OURS = "0.1.0";
const OLDER = "0.0.9";
const NEWER = "0.2.0";

let proxy;

before(async () => {
	proxy = await startProxy({ grace: 2_000 });
});
after(() => proxy?.stop());

/** Starts a server of another version as a window of that version would; returns its pid once it runs. */
async function startServer(version) {
	const program = path.join(proxy.editor.installed("copilot-proxy.copilot-proxy"), "bin/copilot-proxy");
	fs.mkdirSync(proxy.directory, { recursive: true, mode: 0o700 });
	const args = ["serve", "--port", String(proxy.port), "--dir", proxy.directory, "--grace", "60000"];
	args.push("--pretend-version", version);
	const server = spawn(program, args, { stdio: "ignore" });
	await once(server, "spawn");
	await until(() => proxy.file?.pid === server.pid && proxy.file.port, `server ${version}`);
	return server.pid;
}

const versionThere = async () => (await proxy.get("/health")).json.version;
const MODEL = { vendor: "scripted", id: "scripted-1", family: "scripted", version: "1", name: "Scripted" };

test("a newer window replaces an older server after its running response", async () => {
	const older = await startServer(OLDER);
	const fake = await attachFakeEditor(proxy.file, { version: OLDER });
	fake.say(0, {
		type: "models",
		models: [{ ...MODEL, max_input_tokens: 1000, reports_usage: false, more: {} }],
	});
	await until(async () => (await proxy.get("/v1/models")).json.data.length === 1, "the older window's model");
	const stream = await proxy.stream("anything");
	const answered = dataOf(stream);
	const asked = fake.streamOf(await fake.hears("chat"));
	fake.words(asked, "half, ");

	const opening = proxy.editor.open();
	await fake.hears("superseded");
	assert.ok(alive(older), "it stays until it has finished");
	fake.words(asked, "and the rest");
	fake.say(asked, { type: "end" });
	const data = await answered;
	assert.equal(data.at(-1), "[DONE]");
	assert.equal(data.map(({ choices }) => choices?.[0]?.delta.content ?? "").join(""), "half, and the rest");

	const window = await opening;
	await proxy.untilServing();
	assert.equal(await versionThere(), OURS);
	assert.equal(alive(older), false);
	assert.equal(proxy.pids.length, 1);
	assert.equal(await proxy.textFor("say:by the newer"), "by the newer");
	assert.deepEqual(await window.complaints(), []);
	await proxy.editor.close(window);
	await proxy.untilGone();
});

test("a window uses a newer server, and waits for one that replaces its server", async () => {
	const newer = await startServer(NEWER);
	const window = await proxy.editor.open();
	await proxy.untilServing();
	assert.equal(await versionThere(), NEWER);
	assert.deepEqual(proxy.pids, [newer]);

	const fake = await attachFakeEditor(proxy.file, { version: "0.3.0" });
	fake.say(0, { type: "handover" });
	await until(() => !alive(newer), "the server to make room");
	const next = await startServer(NEWER);
	await proxy.untilServing();
	assert.deepEqual(proxy.pids, [next], "the window started none of its own");
	assert.deepEqual(await window.complaints(), []);
	assert.doesNotMatch(proxy.logs.at(-1), /window: (starting|the connection)/);
	await proxy.editor.close(window);
	process.kill(next, "SIGTERM");
	await proxy.untilGone();
});

test("a window that is too old for the server asks for a reload, which fixes it", async () => {
	const message = `Copilot Proxy ${NEWER} is running, this window still has ${OURS}: reload the window`;
	const endServer = await startRefusingServer(proxy.directory, { reason: "editor_too_old", message });
	const window = await proxy.editor.open();
	await proxy.untilStatus(window, "Copilot Proxy: Reload");
	await window.toast(message).waitFor();
	assert.deepEqual(proxy.pids, [], "it starts no server beside the newer one");
	// After an update the reloaded window has the server's version; here the server gets the window's version instead.
	const reloaded = await proxy.editor.reopened(window, async () => {
		await endServer();
		await window.press(message, "Reload Window");
	});
	await proxy.untilServing();
	await proxy.untilStatus(reloaded, `Copilot Proxy: ${proxy.port}`);
	assert.deepEqual(await reloaded.complaints(), []);
});
