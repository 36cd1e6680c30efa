// Waiting for facts. Nothing in these tests sleeps and hopes: it asks until the answer is yes, or says what never came.
import { setTimeout as sleep } from "node:timers/promises";

const EVERY_MS = 25;

// Only ever spent in vain: many times what anything here takes, for a loaded machine is no failure.
export const PATIENCE_MS = 90_000;

/** The first truthy value of `probe`; after `ms` without one, an error that names `what`. */
export async function until(probe, what, ms = PATIENCE_MS) {
	for (const deadline = Date.now() + ms; ; await sleep(EVERY_MS)) {
		const value = await probe();
		if (value) return value;
		if (Date.now() > deadline) throw new Error(`waited ${ms} ms in vain for ${what}`);
	}
}
