import assert from "node:assert/strict";
import { test } from "node:test";
import { deferred } from "../src/deferred";
import { Consent } from "../src/model-consent";
import { CancellationTokenSource, FakeModel, LanguageModelError } from "./fake/vscode";

const { token } = new CancellationTokenSource();
const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Requests that wait for the person, in the order they were sent. */
function asking(consent: Consent) {
	const dialogs: { name: string; allow: () => void; fail: (error: Error) => void }[] = [];
	const ask = (name: string, vendor = "copilot") =>
		consent
			.ask(
				vendor,
				() =>
					new Promise<string>((resolve, fail) => dialogs.push({ name, allow: () => resolve(name), fail })),
				token,
			)
			.catch((error: Error) => error.message);
	return { dialogs, ask, names: () => dialogs.map(({ name }) => name) };
}

test("the first request is sent alone, the waiting ones when consent is given", async () => {
	const { dialogs, ask, names } = asking(new Consent());
	const answers = [ask("a"), ask("b"), ask("c")];
	await settled();
	assert.deepEqual(names(), ["a"]);
	dialogs[0]?.allow();
	await settled();
	assert.deepEqual(names(), ["a", "b", "c"]);
	dialogs[1]?.allow();
	dialogs[2]?.allow();
	assert.deepEqual(await Promise.all(answers), ["a", "b", "c"]);
	ask("d");
	assert.deepEqual(names(), ["a", "b", "c", "d"]);
});

test("a refusal fails all waiting requests, and the next request asks again", async () => {
	const { dialogs, ask, names } = asking(new Consent());
	const answers = [ask("a"), ask("b"), ask("c")];
	dialogs[0]?.fail(LanguageModelError.NoPermissions("no"));
	assert.deepEqual(await Promise.all(answers), ["no", "no", "no"]);
	const again = ask("d");
	assert.deepEqual(names(), ["a", "d"]);
	dialogs[1]?.allow();
	assert.equal(await again, "d");
});

test("after another failure the next waiting request is sent alone", async () => {
	const { dialogs, ask, names } = asking(new Consent());
	const answers = [ask("a"), ask("b"), ask("c")];
	dialogs[0]?.fail(new Error("broken image"));
	await settled();
	assert.deepEqual(names(), ["a", "b"]);
	dialogs[1]?.allow();
	await settled();
	dialogs[2]?.allow();
	assert.deepEqual(await Promise.all(answers), ["broken image", "b", "c"]);
});

test("each provider has its own consent", async () => {
	const { ask, names } = asking(new Consent());
	ask("a", "copilot");
	ask("b", "other");
	assert.deepEqual(names(), ["a", "b"]);
});

test("withdrawn consent is asked for again", async () => {
	const { dialogs, ask, names } = asking(new Consent());
	const first = ask("a");
	dialogs[0]?.allow();
	await first;
	const second = ask("b");
	dialogs[1]?.fail(LanguageModelError.NoPermissions("no longer"));
	assert.equal(await second, "no longer");
	ask("c");
	ask("d");
	assert.deepEqual(names(), ["a", "b", "c"]);
});

test("a request that is cancelled while it waits opens no dialog", async () => {
	const consent = new Consent();
	const { dialogs, ask } = asking(consent);
	ask("a");
	const cancellation = new CancellationTokenSource();
	const sent = deferred();
	const waiting = consent.ask("copilot", async () => sent.resolve(), cancellation.token);
	cancellation.cancel();
	dialogs[0]?.fail(new Error("other"));
	await assert.rejects(waiting, { name: "Canceled" });
});

test("obtain asks for all missing consents and cancels its test requests", async () => {
	const consent = new Consent();
	const all = ["copilot/a", "copilot/b", "asking/c", "silent/d"].map((name) => {
		const [vendor = "", id = ""] = name.split("/");
		return new FakeModel(vendor, id);
	});
	const refuse = () => Promise.reject(LanguageModelError.NoPermissions("no"));
	await assert.rejects(consent.ask("asking", refuse, token), /no/);
	await consent.obtain(all as never);
	assert.deepEqual(
		all.map(({ asked }) => asked.map((request) => request.token.isCancellationRequested)),
		[[true], [], [true], []],
	);
	await consent.obtain(all as never);
	assert.equal(all.flatMap(({ asked }) => asked).length, 2);
});
