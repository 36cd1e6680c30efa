// Starts the program under test, `copilot-proxy demo` on a free port, and ends it.
// The binary is COPILOT_PROXY_BIN, else the release build, else the debug build. COPILOT_PROXY_URL names a running server,
// which then gets the tests with `turn` in their name instead of the demo.

import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";
import { after } from "node:test";
import { fileURLToPath } from "node:url";

const READY = "listening on ";
const built = (profile) => fileURLToPath(new URL(`../../../target/${profile}/copilot-proxy`, import.meta.url));

export function binary() {
	const candidates = process.env.COPILOT_PROXY_BIN ? [process.env.COPILOT_PROXY_BIN] : [built("release"), built("debug")];
	const found = candidates.find(existsSync);
	if (!found) {
		throw new Error(`no copilot-proxy at ${candidates.join(" or ")}; build it first`);
	}
	return found;
}

/** Its base address, such as `http://127.0.0.1:40123`. It runs until the tests of this file are done. */
export async function startDemo() {
	if (process.env.COPILOT_PROXY_URL) {
		return process.env.COPILOT_PROXY_URL;
	}
	const child = spawn(binary(), ["demo", "--port", "0"], { stdio: ["ignore", "pipe", "inherit"] });
	after(() => child.kill());
	for await (const line of createInterface({ input: child.stdout })) {
		if (line.startsWith(READY)) {
			return line.slice(READY.length);
		}
	}
	throw new Error("the demo ended without saying where it listens");
}

/** Collects an async iterable, as Array.fromAsync will everywhere one day. */
export async function collect(iterable) {
	const items = [];
	for await (const item of iterable) {
		items.push(item);
	}
	return items;
}
