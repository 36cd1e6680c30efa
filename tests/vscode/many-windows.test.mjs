// Many windows with one server: opening at the same time, reloads and crashes under load, and actions in one window that
// apply to all. Only the window of an action shows notifications.
import assert from "node:assert/strict";
import { once } from "node:events";
import net from "node:net";
import { after, before, test } from "node:test";
import { alive, freePort, listening, load, lost, startProxy, until } from "./harness/index.mjs";

let proxy;
/** The windows that are open, the oldest first. */
let windows = [];

before(async () => {
	proxy = await startProxy();
});
after(() => proxy?.stop());

const running = () => allSay(`Copilot Proxy: ${proxy.port}`);
const allSay = (text) => Promise.all(windows.map((window) => proxy.untilStatus(window, text)));
const complaints = async () => (await Promise.all(windows.map((window) => window.complaints()))).flat();

async function closeWindow(window) {
	await proxy.editor.close(window);
	windows = windows.filter((each) => each !== window);
}

test("five windows that open at the same time share one server, without notifications", async () => {
	windows = await proxy.editor.openTogether(5);
	await proxy.untilServing({ windows: 5 });
	await running();
	assert.equal(proxy.pids.length, 1);
	assert.equal(proxy.file.pid, proxy.pids[0]);
	assert.deepEqual(await complaints(), []);
});

test("each request goes to the window that has been idle longest", async () => {
	const asked = () =>
		Promise.all(windows.map((window) => window.provider(({ state }) => state.requests.length)));
	// An attached window gets requests only after it has sent its models.
	await until(async () => {
		await proxy.textFor("say:is everybody there?");
		return (await asked()).every((count) => count > 0);
	}, "every window to have been asked");
	const before = await asked();
	for (const word of ["one", "two", "three", "four", "five"])
		assert.equal(await proxy.textFor(`say:${word}`), word);
	const after = await asked();
	assert.deepEqual(
		after.map((count, place) => count - before[place]),
		[1, 1, 1, 1, 1],
	);
});

test("windows close in any order, and the server serves the remaining ones", async () => {
	const [pid] = proxy.pids;
	const [first, , , fourth, fifth] = windows;
	for (const window of [fourth, first, fifth]) await closeWindow(window);
	await proxy.untilServing({ windows: 2 });
	await running();
	assert.deepEqual(proxy.pids, [pid]);
	assert.deepEqual(await complaints(), []);
});

test("reloads and crashes under load lose no request without output", async (context) => {
	const [pid] = proxy.pids;
	const { outcomes, end } = load(proxy, 10);
	const served = async (count) => {
		const before = outcomes.length;
		await until(() => outcomes.length >= before + count, `${count} more answers`);
	};
	await served(20);
	// An attached window can take over only after it has sent its models.
	const answers = (window) =>
		until(() => window.provider(({ state }) => state.requests.length > 0), "the window to be asked");
	const [one, other] = windows;
	const reloaded = await proxy.editor.reload(one);
	await answers(reloaded);
	await served(20);
	const recovered = await proxy.editor.killExtensionHost(other);
	await answers(recovered);
	await served(20);
	windows = [await proxy.editor.reload(reloaded), recovered];
	await proxy.untilServing({ windows: 2 });
	await served(20);
	const all = await end();
	const broken = all.filter((outcome) => outcome === "broken").length;
	context.diagnostic(`${all.length} requests, ${broken} of them broken off after they had begun`);
	assert.deepEqual(lost(all), []);
	assert.deepEqual(proxy.pids, [pid]);
	assert.deepEqual(await complaints(), []);
});

test("Stop in one window applies to all, and a later window does not start the server", async () => {
	const [pid] = proxy.pids;
	await windows[0].command("Copilot Proxy: Stop Server");
	await proxy.untilClosed();
	await allSay("Copilot Proxy: Off");
	windows.push(await proxy.editor.open());
	await allSay("Copilot Proxy: Off");
	assert.equal(await listening(proxy.port), false);
	assert.deepEqual(proxy.pids, [pid]);
	await windows[2].command("Copilot Proxy: Start Server");
	await proxy.untilServing({ windows: 3 });
	await running();
	assert.deepEqual(proxy.pids, [pid]);
	assert.deepEqual(await complaints(), []);
});

/** The lines of a window's output channel that contain this text. */
const linesWith = (log, text) => log.split("\n").filter((line) => line.includes(text));

test("every window's output channel has each log line once, at its level", async () => {
	const early = (await proxy.chat("say:hello")).headers["x-request-id"];
	windows.push(await proxy.editor.open());
	await proxy.untilServing({ windows: 4 });
	const late = (await proxy.chat("fail:Blocked for now")).headers["x-request-id"];
	await until(
		() =>
			proxy.logs.filter((log) => linesWith(log, `failed request=${late}`).length > 0).length ===
			windows.length,
		"the last line in every window",
	);
	const logs = proxy.logs.filter((log) => linesWith(log, late).length > 0);
	const linesOf = (line) => logs.map((log) => linesWith(log, line).length);
	assert.deepEqual(linesOf(`request failed request=${late}`), [1, 1, 1, 1]);
	assert.deepEqual(
		linesOf(`request finished request=${early}`),
		[1, 1, 1, 1],
		"replayed to the window that came later",
	);
	const opened = `listening on http://127.0.0.1:${proxy.port}`;
	assert.match(linesWith(logs.at(-1), opened)[0], / \[info\] /);
	assert.match(linesWith(logs.at(-1), `request failed request=${late}`)[0], / \[(info|warning)\] /);
	await closeWindow(windows.at(-1));
});

test("a killed server is started again for all windows, and running requests are cancelled", async () => {
	const [pid] = proxy.pids;
	const stream = await proxy.stream("say:on\nhang:");
	await stream.events.next();
	const cancelled = async () => {
		const counts = windows.map((window) => window.provider(({ state }) => state.stats().cancelled));
		return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
	};
	const before = await cancelled();
	process.kill(pid, "SIGKILL");
	await proxy.untilServing({ windows: 3 });
	await running();
	await until(async () => (await cancelled()) === before + 1, "the cancellation");
	assert.equal(proxy.pids.length, 1);
	assert.notEqual(proxy.pids[0], pid);
	assert.deepEqual(await complaints(), []);
});

test("a changed port applies without a reload", async () => {
	const [pid] = proxy.pids;
	const { port } = proxy;
	proxy.port = await freePort();
	await windows[0].configure("copilotProxy.port", proxy.port);
	await proxy.untilServing({ windows: 3 });
	await running();
	assert.equal(await listening(port), false);
	assert.equal(proxy.file.port, proxy.port);
	assert.deepEqual(proxy.pids, [pid]);
});

test("the server opens a port in use by another program as soon as it is free", async () => {
	const [pid] = proxy.pids;
	const foreigner = net.createServer().listen(0, "127.0.0.1");
	await once(foreigner, "listening");
	proxy.port = foreigner.address().port;
	await windows[0].configure("copilotProxy.port", proxy.port);
	await allSay(`Copilot Proxy: ${proxy.port} taken`);
	const told = await complaints();
	assert.ok(told.length <= 1, `only the window that started it says so: ${told}`);
	foreigner.close();
	await proxy.untilServing({ windows: 3 });
	await running();
	assert.equal(await proxy.textFor("say:free"), "free");
	assert.deepEqual(proxy.pids, [pid]);
});

/** Whether a request gets a response before its client's timeout. */
async function isAnswered() {
	const body = JSON.stringify({ model: "scripted-1", messages: [{ role: "user", content: "say:here" }] });
	const options = { method: "POST", body, signal: AbortSignal.timeout(1_000) };
	return fetch(`http://127.0.0.1:${proxy.port}/v1/chat/completions`, options).then(
		({ ok }) => ok,
		() => false,
	);
}

test("a crashed window gets no requests, though its extension host is still running", async () => {
	const vanished = windows.pop();
	const requests = () => vanished.provider(({ state }) => state.requests.length);
	const before = await requests();
	await until(async () => (await isAnswered()) && (await requests()) > before, "its turn");
	const host = await proxy.editor.crash(vanished);
	// It still gets requests until the server notices that it doesn't respond.
	await until(async () => {
		for (let request = 0; request < 6; request += 1) if (!(await isAnswered())) return false;
		return true;
	}, "six requests in a row that are not held up");
	assert.ok(alive(host));
	process.kill(host, "SIGKILL");
	await proxy.untilServing({ windows: 2 });
});
