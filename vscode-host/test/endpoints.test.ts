import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { copyCurl, copyEndpoint } from "../src/endpoints";
import { fake } from "./fake/vscode";

beforeEach(() => {
	fake.notifications.length = 0;
	fake.answers.length = 0;
	fake.executed.length = 0;
	fake.click = undefined;
	fake.clipboard = "";
});

const open = { port: 8123, needsKey: false, model: "gpt-5-mini" };

test("Copy Endpoint asks for the API and says what it copied", async () => {
	fake.answers.push("Anthropic");
	await copyEndpoint(open);
	assert.equal(fake.clipboard, "http://127.0.0.1:8123");
	assert.match(fake.notifications[0]?.[0] ?? "", /^Copied http:\/\/127\.0\.0\.1:8123, .* Anthropic\.$/);
	fake.answers.push("OpenAI");
	await copyEndpoint(open);
	assert.equal(fake.clipboard, "http://127.0.0.1:8123/v1");
});

test("Copy curl Command has the open port and a model that exists", async () => {
	await copyCurl(open);
	assert.match(fake.clipboard, /^curl(\.exe)? '?http:\/\/127\.0\.0\.1:8123\/v1\/chat\/completions'? /);
	assert.match(fake.clipboard, /"model":"gpt-5-mini"/);
	assert.ok(!fake.clipboard.includes("Authorization"));
	await copyCurl({ ...open, needsKey: true });
	assert.match(fake.clipboard, /Authorization: Bearer \$(env:)?COPILOT_PROXY_API_KEY/);
	assert.match(fake.notifications[1]?.[0] ?? "", /Set COPILOT_PROXY_API_KEY/);
});

test("the port of another program is not copied", async () => {
	fake.click = "Start Server";
	await copyCurl({ ...open, port: undefined });
	await copyEndpoint({ ...open, port: undefined });
	assert.equal(fake.clipboard, "");
	assert.deepEqual(fake.executed, [["copilotProxy.start"], ["copilotProxy.start"]]);
});
