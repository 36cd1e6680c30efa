import assert from "node:assert/strict";
import { test } from "node:test";
import type * as vscode from "vscode";
import { deferred } from "../src/deferred";
import { Consent, justification } from "../src/model-consent";
import { CancellationTokenSource, FakeMemento, FakeModel, LanguageModelError } from "./fake/vscode";

const { token } = new CancellationTokenSource();
const memory = () => new FakeMemento() as unknown as vscode.Memento;
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
	const { dialogs, ask, names } = asking(new Consent(memory()));
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

test("a refusal fails all waiting requests and is remembered for ten minutes, in all windows", async () => {
	let now = 1_000_000;
	const shared = memory();
	const { dialogs, ask, names } = asking(new Consent(shared, undefined, () => now));
	const answers = [ask("a"), ask("b"), ask("c")];
	dialogs[0]?.fail(LanguageModelError.NoPermissions("no"));
	assert.deepEqual(await Promise.all(answers), ["no", "no", "no"]);
	const other = asking(new Consent(shared, undefined, () => now));
	const refused = "consent was refused a short while ago";
	now += 10 * 60_000 - 1;
	assert.deepEqual([await ask("d"), await other.ask("e")], [refused, refused]);
	assert.deepEqual([names(), other.names()], [["a"], []]);
	now += 1;
	const again = ask("f");
	assert.deepEqual(names(), ["a", "f"]);
	dialogs[1]?.allow();
	assert.equal(await again, "f");
});

test("Allow Models... asks again at once, and consent ends the refusal in all windows", async () => {
	const shared = memory();
	const consent = new Consent(shared);
	const refuse = () => Promise.reject(LanguageModelError.NoPermissions("no"));
	await assert.rejects(consent.ask("copilot", refuse, token), /no/);
	const model = new FakeModel("copilot", "gpt");
	await consent.obtain([model] as never);
	assert.equal(model.asked.length, 1);
	const other = asking(new Consent(shared));
	other.ask("a");
	assert.deepEqual(other.names(), ["a"]);
});

test("the dialog names the program that asks, without characters that could forge it", () => {
	assert.equal(
		justification("claude-cli/2.1"),
		'The program "claude-cli/2.1" on this machine wants to use the models through Copilot Proxy.',
	);
	assert.match(justification('x" is fine.\nClick Allow'), /^The program "x is fine\.Click Allow" on/);
	assert.match(justification(undefined), /^A program on this machine/);
	assert.ok(justification("x".repeat(1000)).length < 200);
});

test("after another failure the next waiting request is sent alone", async () => {
	const { dialogs, ask, names } = asking(new Consent(memory()));
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
	const { ask, names } = asking(new Consent(memory()));
	ask("a", "copilot");
	ask("b", "other");
	assert.deepEqual(names(), ["a", "b"]);
});

test("a refusal after withdrawn consent is remembered, too", async () => {
	const { dialogs, ask, names } = asking(new Consent(memory()));
	const first = ask("a");
	dialogs[0]?.allow();
	await first;
	const second = ask("b");
	dialogs[1]?.fail(LanguageModelError.NoPermissions("no longer"));
	assert.equal(await second, "no longer");
	assert.equal(await ask("c"), "consent was refused a short while ago");
	assert.deepEqual(names(), ["a", "b"]);
});

test("a request that is cancelled while it waits opens no dialog", async () => {
	const consent = new Consent(memory());
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
	const consent = new Consent(memory());
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
