// Waiting for facts. Nothing in these tests sleeps and hopes: it asks until the answer is yes, or says what never came.
import { setTimeout as sleep } from "node:timers/promises";

const EVERY_MS = 25;

/** The first truthy value of `probe`; after `ms` without one, an error that names `what`. */
export async function until(probe, what, ms = 30_000) {
	for (const deadline = Date.now() + ms; ; await sleep(EVERY_MS)) {
		const value = await probe();
		if (value) return value;
		if (Date.now() > deadline) throw new Error(`waited ${ms} ms in vain for ${what}`);
	}
}
