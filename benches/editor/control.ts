// Commands of the harness for a node process under measurement: lines on its stdin, each answered with one line.
// The end of stdin ends the process, so that it doesn't outlive an interrupted harness.

import { createServer } from "node:net";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { createInterface } from "node:readline";

/** Resolution of the event loop's delay in milliseconds; it is part of the measured values, the same for all targets. */
const RESOLUTION = 1;

/** Prints the `ready` line, then executes the commands; `more` are commands of one harness. */
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
					// The round trip of the `hop` load.
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
