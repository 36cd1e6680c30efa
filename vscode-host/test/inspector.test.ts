// The pure logic of the inspector: filters, waterfall, switches of tools, exports and commands.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { RequestRecord } from "../src/protocol";
import { powershell } from "../webview/curl";
import { httpArchive, jsonLines } from "../webview/export";
import { chipsOf, matches, toggled } from "../webview/filter";
import { barsOf } from "../webview/timeline";
import { mayRun, withTool } from "../webview/tool-permission";

const request = (number: number, more: Partial<RequestRecord> = {}): RequestRecord => ({
	number,
	id: `req_${number}`,
	time: 1000,
	client: "curl/8.5.0",
	dialect: "openai-chat",
	method: "POST",
	path: "/v1/chat/completions",
	stream: true,
	characters: 0,
	outcome: { state: "finished", reason: "stop" },
	rejected: false,
	has_exchange: false,
	...more,
});

test("words and chips filter together; values of one kind are alternatives", () => {
	const failed = request(1, {
		client: "claude-cli/2.1.0",
		model: "sonnet",
		session: "s-1",
		status: 429,
		outcome: { state: "failed", kind: "rate_limited", message: "Slow down", hint: "" },
	});
	for (const words of ["", "claude", "SLOW sonnet", "429", "req_1", "s-1"]) {
		assert.ok(matches(failed, words, {}), words);
	}
	assert.ok(!matches(failed, "claude opus", {}));
	assert.ok(matches(failed, "", { outcome: ["Stop", "Rate limited"], client: [] }));
	assert.ok(!matches(failed, "", { outcome: ["Rate limited"], session: ["s-2"] }));
	assert.deepEqual(toggled(toggled({}, "model", "a"), "model", "b"), { model: ["a", "b"] });
	assert.deepEqual(toggled({ model: ["a", "b"] }, "model", "a"), { model: ["b"] });
});

test("the most frequent values have chips, and chosen ones keep theirs", () => {
	const requests = Array.from({ length: 20 }, (_, at) => request(at, { model: `m${at % 8}` }));
	const chips = chipsOf(requests, "model", { model: ["m7", "gone"] });
	assert.deepEqual(
		chips.map(({ value, count }) => [value, count]),
		[
			["m0", 3],
			["m1", 3],
			["m2", 3],
			["m3", 3],
			["m4", 2],
			["m5", 2],
			["m7", 2],
			["gone", 0],
		],
	);
});

test("a waterfall has the phases of a request and its tools", () => {
	const tool = { name: "look", round: 1, time: 1600, duration_ms: 200, failed: false };
	const ended = request(1, { queued_ms: 100, first_ms: 400, duration_ms: 2000, tool_runs: [tool] });
	assert.deepEqual(barsOf(ended, 9000), [
		{ label: "Queued", kind: "queued", start: 0, length: 100 },
		{ label: "Waiting for the model", kind: "waiting", start: 100, length: 300 },
		{ label: "Response", kind: "streaming", start: 400, length: 1600 },
		{ label: "look (round 1)", kind: "tool", start: 600, length: 200 },
	]);
	assert.deepEqual(barsOf(request(1, { outcome: { state: "running" } }), 1500), [
		{ label: "Waiting for the model", kind: "waiting", start: 0, length: 500 },
	]);
});

test("a tool's switch changes no other tool", () => {
	const all = { allow: ["*"], deny: [] };
	const denied = withTool("run_tests", false, all);
	assert.deepEqual(denied, { allow: ["*"], deny: ["run_tests"] });
	assert.ok(!mayRun("run_tests", denied) && mayRun("run_tests2", denied));
	assert.deepEqual(withTool("run_tests", true, denied), all);
	const few = { allow: ["read_*"], deny: ["read_mail"] };
	assert.deepEqual(withTool("write.file", true, few), { ...few, allow: ["read_*", "write.file"] });
	assert.deepEqual(withTool("write.file", false, { ...few, allow: ["read_*", "write.file"] }), few);
	assert.ok(!mayRun("writeXfile", withTool("write.file", true, few)));
});

test("requests are exported as JSON lines and as an HTTP archive", () => {
	const body = { text: "{}", bytes: 2, truncated: false };
	const exchange = { id: "req_1", headers: [["anthropic-beta", "a"]] as [string, string][], request: body };
	const ended = request(1, { status: 200, first_ms: 300, duration_ms: 1000 });
	const recorded = [{ request: ended, exchange }, { request: request(2) }];
	const lines = jsonLines(recorded).trimEnd().split("\n");
	assert.deepEqual(
		lines.map((line) => JSON.parse(line).id),
		["req_1", "req_2"],
	);
	const { log } = JSON.parse(httpArchive(recorded, "http://127.0.0.1:8080", "0.1.0"));
	const [entry, other] = log.entries;
	assert.equal(entry.request.url, "http://127.0.0.1:8080/v1/chat/completions");
	assert.equal(entry.request.postData.text, "{}");
	assert.deepEqual(entry.request.headers.at(-1), { name: "anthropic-beta", value: "a" });
	assert.deepEqual([entry.response.status, entry.time, entry.timings.receive], [200, 1000, 700]);
	assert.deepEqual([other.response.status, other.request.postData], [0, undefined]);
});

test("PowerShell's quotes are doubled, typographic ones too", () => {
	const command = powershell("http://127.0.0.1:8080/x", `{"a":"it's ‘so’ $HOME"}`, true, [["x-y", "z"]]);
	assert.deepEqual(command.split(" `\n  "), [
		"curl.exe 'http://127.0.0.1:8080/x'",
		"-H 'Content-Type: application/json'",
		`-H "Authorization: Bearer $env:COPILOT_PROXY_API_KEY"`,
		"-H 'x-y: z'",
		`--data-raw '{"a":"it''s ‘‘so’’ $HOME"}'`,
	]);
});
