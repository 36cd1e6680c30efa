import assert from "node:assert/strict";
import { test } from "node:test";
import { Consent } from "../src/consent";
import { deferred } from "../src/deferred";
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

test("the first request goes alone, the others follow together when it is allowed", async () => {
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

test("a refusal is that of all who waited, the next request asks again", async () => {
	const { dialogs, ask, names } = asking(new Consent());
	const answers = [ask("a"), ask("b"), ask("c")];
	dialogs[0]?.fail(LanguageModelError.NoPermissions("no"));
	assert.deepEqual(await Promise.all(answers), ["no", "no", "no"]);
	const again = ask("d");
	assert.deepEqual(names(), ["a", "d"]);
	dialogs[1]?.allow();
	assert.equal(await again, "d");
});

test("another failure says nothing about consent: the next who waits goes alone", async () => {
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

test("each provider has its own", async () => {
	const { ask, names } = asking(new Consent());
	ask("a", "copilot");
	ask("b", "other");
	assert.deepEqual(names(), ["a", "b"]);
});

test("consent that was taken back is asked for again", async () => {
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

test("who is cancelled while waiting raises no dialog", async () => {
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

test("the dialogs that are to come can be raised at once, and nothing is asked of a model", async () => {
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
