// Waits for conditions. The tests never sleep for a fixed time: they poll until a condition holds, and name it in a timeout.
import { setTimeout as sleep } from "node:timers/promises";

const EVERY_MS = 25;

// Reached only on failure: many times longer than any condition takes, since a busy machine is no failure.
export const PATIENCE_MS = 90_000;

/** The first truthy value of `probe`; after `ms` without one, an error that names `what`. */
export async function until(probe, what, ms = PATIENCE_MS) {
	for (const deadline = Date.now() + ms; ; await sleep(EVERY_MS)) {
		const value = await probe();
		if (value) return value;
		if (Date.now() > deadline) throw new Error(`waited ${ms} ms in vain for ${what}`);
	}
}
