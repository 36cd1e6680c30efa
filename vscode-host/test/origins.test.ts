import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, test } from "node:test";
import { Origins } from "../src/origins";
import { type Declared, Settings } from "../src/settings";
import { ConfigurationTarget, fake } from "./fake/vscode";

const manifest = JSON.parse(readFileSync(join(__dirname, "../../package.json"), "utf8"));
const declared: Record<string, Declared> = manifest.contributes.configuration.properties;
const { Global } = ConfigurationTarget;

beforeEach(() => {
	fake.settings = { allowedOrigins: [], blockedOrigins: ["https://old.test"] };
	fake.written.length = 0;
	fake.notifications.length = 0;
});

/** Asks about an origin while the user chooses this button. */
async function ask(origin: string, button: string | undefined) {
	fake.click = button;
	const answer = await new Origins(new Settings(declared)).ask(origin);
	fake.click = undefined;
	return answer;
}

test("an allowed origin is written to the settings before it is sent to the server", async () => {
	assert.deepEqual(await ask("https://a.test", "Allow"), { type: "origin_answer", decision: "allow" });
	assert.deepEqual(fake.written, [["allowedOrigins", ["https://a.test"], Global]]);
	assert.match(JSON.stringify(fake.notifications), /https:\/\/a\.test/);
});

test("an origin is in one list only", async () => {
	await ask("https://old.test", "Allow");
	assert.deepEqual(fake.written, [
		["blockedOrigins", undefined, Global],
		["allowedOrigins", ["https://old.test"], Global],
	]);
});

test("a blocked origin is not asked about again", async () => {
	assert.deepEqual(await ask("https://a.test", "Block"), { type: "origin_answer", decision: "block" });
	assert.deepEqual(fake.written, [["blockedOrigins", ["https://old.test", "https://a.test"], Global]]);
});

test("a dismissed question leaves the settings unchanged", async () => {
	assert.deepEqual(await ask("https://a.test", undefined), { type: "origin_answer", decision: "unanswered" });
	assert.deepEqual(fake.written, []);
});

test("pages without an origin are never written to the settings", async () => {
	assert.deepEqual(await ask("null", "Allow"), { type: "origin_answer", decision: "allow" });
	assert.deepEqual(await ask("null", "Block"), { type: "origin_answer", decision: "block" });
	assert.deepEqual(fake.written, []);
	assert.match(JSON.stringify(fake.notifications), /one hour/);
});
