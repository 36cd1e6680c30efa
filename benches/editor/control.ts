// What the harness asks of a node process under measurement, line by line on its stdin; each is answered with one line.
// The end of stdin ends the process, so that nothing outlives a harness that was interrupted.

import { createServer } from "node:net";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { createInterface } from "node:readline";

/** Milliseconds; what it can't see is part of what it measures, alike for all. */
const RESOLUTION = 1;

/** Says where it is reached and what it wants to have said, then obeys; `more` are orders of one harness alone. */
export function obeyHarness(ready: object, more: Record<string, () => object> = {}): void {
	const delay = monitorEventLoopDelay({ resolution: RESOLUTION });
	const say = (answer: object) => process.stdout.write(`${JSON.stringify(answer)}\n`);
	createInterface(process.stdin)
		.on("line", (line) => {
			const [order = "", path] = line.split(" ");
			switch (order) {
				case "watch":
					delay.reset();
					delay.enable();
					return say({});
				case "delay":
					delay.disable();
					return say({ max: delay.max / 1e6, p99: delay.percentile(99) / 1e6 });
				case "collect":
					globalThis.gc?.();
					return say({});
				case "echo":
					// The shortest way there is between the two processes.
					createServer((socket) => socket.on("data", (chunk) => socket.write(chunk))).listen(path, () =>
						say({}),
					);
					return;
				default:
					if (!more[order]) {
						throw new Error(`an unknown order: ${order}`);
					}
					return say(more[order]());
			}
		})
		.on("close", () => process.exit());
	say(ready);
}
