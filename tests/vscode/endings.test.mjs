// How a server ends: by itself when the last window has left, however that came about, and never later than its grace. One
// that ends again and again is not started for ever.
// What a killed browser leaves is an extension host that waits for it to come back, here for the shortest time there is.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { alive, listening, startProxy, until } from "./harness/index.mjs";

const GRACE_MS = 2_000;

let proxy;
/** The one window of a test and the next. */
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

test("the last window takes the server with it, the first does not", async () => {
	const [one, other] = await twoWindows();
	const [pid] = proxy.pids;
	await proxy.editor.close(one);
	await proxy.untilServing({ windows: 1 });
	assert.deepEqual(proxy.pids, [pid]);
	await proxy.editor.close(other);
	await nothingIsLeft();
});

test("a stop is forgotten with the last window, and the next one starts a server", async () => {
	const window = await proxy.editor.open();
	await proxy.untilServing();
	await window.command("Copilot Proxy: Stop Server");
	await proxy.untilClosed();
	await proxy.editor.close(window);
	await nothingIsLeft();
	single = await proxy.editor.open();
	await proxy.untilServing();
	assert.equal(await proxy.said("say:again"), "again");
});

test("a server that keeps dying is given up, and Retry starts another", async () => {
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
	assert.equal(await proxy.said("say:once more"), "once more");
	await proxy.editor.close(single);
	await nothingIsLeft();
});

test("extension hosts and server killed at once come back as one server", async () => {
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

test("a killed browser takes the server with it, once its extension hosts have given up", async () => {
	const hosts = proxy.editor.hosts().filter(alive);
	assert.equal(hosts.length, 2);
	await proxy.editor.killBrowser();
	await until(() => !hosts.some(alive), "the extension hosts to give up");
	await nothingIsLeft();
	assert.deepEqual(await proxy.editor.stop(), []);
});
