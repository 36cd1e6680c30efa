// The end of a server: it ends by itself within its grace period after the last window, even if that crashed. A server
// that keeps crashing is given up. A killed browser leaves an extension host that waits for it, here for the minimum time.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { alive, listening, startProxy, until } from "./harness/index.mjs";

const GRACE_MS = 2_000;

let proxy;
/** The window that several tests share. */
let single;

before(async () => {
	proxy = await startProxy({ grace: GRACE_MS });
});
after(() => proxy?.editor.stop());

/** Two windows and their server. */
async function twoWindows() {
	const windows = [await proxy.editor.open(), await proxy.editor.open()];
	await proxy.untilServing({ windows: 2 });
	assert.equal(proxy.pids.length, 1);
	return windows;
}

async function nothingIsLeft() {
	await proxy.untilGone();
	assert.equal(await listening(proxy.port), false);
	assert.equal(proxy.file, undefined);
}

test("the server ends with the last window, not with the first", async () => {
	const [one, other] = await twoWindows();
	const [pid] = proxy.pids;
	await proxy.editor.close(one);
	await proxy.untilServing({ windows: 1 });
	assert.deepEqual(proxy.pids, [pid]);
	await proxy.editor.close(other);
	await nothingIsLeft();
});

test("a stop lasts until the last window closes", async () => {
	const window = await proxy.editor.open();
	await proxy.untilServing();
	await window.command("Copilot Proxy: Stop Server");
	await proxy.untilClosed();
	await proxy.editor.close(window);
	await nothingIsLeft();
	single = await proxy.editor.open();
	await proxy.untilServing();
	assert.equal(await proxy.textFor("say:again"), "again");
});

test("a server that keeps crashing is given up, and Retry starts another", async () => {
	const status = single.statusItem("copilot-proxy.copilot-proxy", "status");
	await until(async () => {
		proxy.killServers();
		return (await status.textContent()).trim() === "Copilot Proxy: Error";
	}, "the window to give up");
	await single.toast("Retry").waitFor();
	assert.deepEqual(proxy.pids, []);
	await single.press("Retry", "Retry");
	await proxy.untilServing();
	await proxy.untilStatus(single, `Copilot Proxy: ${proxy.port}`);
	assert.equal(await proxy.textFor("say:once more"), "once more");
	await proxy.editor.close(single);
	await nothingIsLeft();
});

test("one server is started after extension hosts and server were killed together", async () => {
	let [one, other] = await twoWindows();
	const [pid] = proxy.pids;
	one = await proxy.editor.reopened(one, () => {
		for (const each of [pid, one.pid]) process.kill(each, "SIGKILL");
	});
	other = await proxy.editor.killExtensionHost(other);
	await proxy.untilServing({ windows: 2 });
	assert.equal(proxy.pids.length, 1);
	assert.notEqual(proxy.pids[0], pid);
	for (const window of [one, other]) assert.deepEqual(await window.complaints(), []);
});

test("the server ends after a killed browser's extension hosts have ended", async () => {
	const hosts = proxy.editor.hosts().filter(alive);
	assert.equal(hosts.length, 2);
	await proxy.editor.killBrowser();
	await until(() => !hosts.some(alive), "the extension hosts to give up");
	await nothingIsLeft();
	assert.deepEqual(await proxy.editor.stop(), []);
});
