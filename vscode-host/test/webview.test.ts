// The pure logic of the panel's page: formatted numbers and times, curl commands, and its copy of the records.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import type { Outcome, RequestRecord } from "../src/protocol";
import { curl, tryOut } from "../webview/curl";
import { age, costSource, credits, duration, outcomeOf, short, tokensPerSecond } from "../webview/format";
import { shown } from "../webview/model-catalog";
import { Records } from "../webview/records";

const request = (number: number, outcome: Outcome = { state: "running" }, more = {}): RequestRecord => ({
	number,
	id: `req_${number}`,
	time: 0,
	client: "curl/8.5.0",
	dialect: "openai-chat",
	method: "POST",
	path: "/v1/chat/completions",
	stream: true,
	characters: 0,
	outcome,
	rejected: false,
	has_exchange: false,
	...more,
});
const finished: Outcome = { state: "finished", reason: "tool_calls" };
const failed: Outcome = { state: "failed", kind: "rate_limited", message: "slow down", hint: "Wait." };
const activity = (reset: boolean, ...requests: RequestRecord[]) => ({
	reset,
	requests,
	models: [],
	minutes: [],
});

test("numbers and times are formatted briefly", () => {
	assert.deepEqual([0, 9999, 10_000, 999_499, 999_500, 12_345_678].map(short), [
		"0",
		"9,999",
		"10k",
		"999k",
		"1.0M",
		"12.3M",
	]);
	assert.deepEqual([0.4, 999, 1000, 59_949, 59_950, 600_000].map(duration), [
		"0 ms",
		"999 ms",
		"1.0 s",
		"59.9 s",
		"1 min 0 s",
		"10 min 0 s",
	]);
	assert.deepEqual([0, 60_000, 3_600_000, 50 * 3_600_000].map(age), [
		"< 1 min",
		"1 min",
		"1 h 0 min",
		"2 days",
	]);
});

test("credits show the digits that matter, and whether they are an estimate", () => {
	const reported = (nano: number) => credits({ nano, source: "reported" });
	const amounts = [0, 1, 4_200_000, 123_456_789, 1_234_567_890, 1_234_567_890_000];
	assert.deepEqual(amounts.map(reported), ["0", "< 0.0001", "0.0042", "0.1235", "1.23", "1,235"]);
	const estimate = { nano: 500_000_000, source: "estimated" } as const;
	assert.equal(credits(estimate), "~0.5");
	assert.equal(costSource(estimate), "estimated from the price list");
});

test("tokens per second are measured from the first part", () => {
	const tokens = { input: 1, output: 100, cached: 0, reported: true };
	const rate = (more: object) => tokensPerSecond(request(1, finished, more));
	assert.equal(rate({ tokens, first_ms: 1000, duration_ms: 3000 }), 50);
	assert.equal(rate({ tokens, first_ms: 1000, duration_ms: 1010 }), undefined);
	assert.equal(rate({ first_ms: 1000, duration_ms: 3000 }), undefined);
});

test("each outcome has a label and a tone", () => {
	assert.deepEqual(
		[request(1), request(1, finished), request(1, failed), request(1, { state: "disconnected" })].map(
			outcomeOf,
		),
		[
			{ label: "Running", tone: "running" },
			{ label: "Tool calls", tone: "good" },
			{ label: "Rate limited", tone: "bad" },
			{ label: "Disconnected", tone: "idle" },
		],
	);
});

test("a shell parses the copied curl command into the intended arguments", () => {
	const body = `{"text":"it's $HOME \\\\ \`x\`"}`;
	const headers: [string, string][] = [["x-copilot-proxy-workspace", "/home/me/it's mine"]];
	const command = curl("http://127.0.0.1:8080/v1/messages", body, true, headers);
	const words = execFileSync("sh", ["-c", command.replace(/^curl/, "printf '%s\\n'")], {
		env: { COPILOT_PROXY_API_KEY: "secret" },
	});
	assert.deepEqual(words.toString().trimEnd().split("\n"), [
		"http://127.0.0.1:8080/v1/messages",
		"-H",
		"Content-Type: application/json",
		"-H",
		"Authorization: Bearer secret",
		"-H",
		"x-copilot-proxy-workspace: /home/me/it's mine",
		"--data-raw",
		body,
	]);
	for (const [dialect, path] of [
		["openai", "/v1/chat/completions"],
		["anthropic", "/v1/messages"],
		["ollama", "/api/chat"],
	] as const) {
		const command = tryOut("http://127.0.0.1:8080", dialect, "sonnet", false);
		assert.ok(command.startsWith(`curl http://127.0.0.1:8080${path} `), command);
	}
});

test("the page keeps running requests, which come first, and the last thousand", () => {
	const records = new Records();
	records.take(
		activity(true, request(1), ...Array.from({ length: 1000 }, (_, at) => request(at + 2, finished))),
	);
	records.take(activity(false, request(1002, finished)));
	const numbers = records.newestFirst.map(({ number }) => number);
	assert.deepEqual(numbers, [1, ...Array.from({ length: 1000 }, (_, at) => 1002 - at)]);
	records.take(activity(false, request(1, finished)));
	assert.deepEqual(records.newestFirst.at(-1)?.number, 3);
	records.take(activity(true, request(7)));
	assert.deepEqual(records.newestFirst, [request(7)]);
});

test("rejected requests don't evict others", () => {
	const records = new Records();
	const turnedAway = Array.from({ length: 21 }, (_, at) => request(at + 2, failed, { rejected: true }));
	records.take(activity(true, request(1, finished), ...turnedAway));
	const numbers = records.newestFirst.map(({ number }) => number);
	assert.deepEqual(numbers, [...Array.from({ length: 20 }, (_, at) => 22 - at), 1]);
	assert.deepEqual(records.take(activity(false, request(23, failed, { rejected: true }))), []);
});

test("a failure is announced once, and failures of the initial state are not", () => {
	const records = new Records();
	assert.deepEqual(records.take(activity(true, request(1, failed), request(2))), []);
	assert.deepEqual(records.take(activity(false, request(1, failed), request(2, failed))), [
		request(2, failed),
	]);
	assert.deepEqual(records.take(activity(false, request(2, failed))), []);
});

test("the models are those of all windows, or of this window without a server", () => {
	const model = (vendor: string, id: string) => ({
		vendor,
		id,
		family: id,
		version: "1",
		name: id,
		max_input_tokens: 1,
		reports_usage: false,
		extra: {},
	});
	const own = model("copilot", "gpt");
	const others = model("other", "gpt");
	assert.deepEqual(shown([own], undefined), [{ ...own, request_name: "gpt", isInOtherWindow: false }]);
	const offered = [
		{ ...own, request_name: "gpt" },
		{ ...others, request_name: "other/gpt" },
	];
	assert.deepEqual(shown([own], offered), [
		{ ...own, request_name: "gpt", isInOtherWindow: false },
		{ ...others, request_name: "other/gpt", isInOtherWindow: true },
	]);
	assert.deepEqual(shown([own], []), []);
});
