import assert from "node:assert/strict";
import { test } from "node:test";
import { delay, FailureCounter, isOlder, jittered } from "../src/backoff";

test("delays double up to the maximum", () => {
	const looks = { first: 20, longest: 1000 };
	assert.deepEqual(
		[0, 1, 2, 5, 6, 1000].map((attempt) => delay(looks, attempt)),
		[20, 40, 80, 640, 1000, 1000],
	);
	assert.deepEqual([jittered(looks, 0, 0), jittered(looks, 0, 1)], [10, 20]);
});

test("the counter reaches its limit with five failures within a minute", () => {
	const setbacks = new FailureCounter(5, 60_000);
	assert.deepEqual(
		[0, 10_000, 20_000, 30_000, 61_000, 62_000].map((now) => setbacks.add(now)),
		[false, false, false, false, false, true],
	);
	setbacks.forget();
	assert.equal(setbacks.add(63_000), false);
});

test("versions are compared numerically", () => {
	assert.ok(isOlder("0.9.9", "0.10.0"));
	assert.ok(isOlder("0.1.0", "1.0.0-beta"));
	assert.ok(!isOlder("0.1.0", "0.1.0"));
	assert.ok(!isOlder("0.2.0", "0.1.9"));
	assert.ok(!isOlder("unknown", "0.1.0"));
});
