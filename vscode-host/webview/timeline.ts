// The phases of a request and the tools of auto mode, as bars of a waterfall. Pure.

import type { RequestRecord } from "../src/protocol";
import * as l10n from "./l10n";

export interface Bar {
	label: string;
	kind: "queued" | "waiting" | "streaming" | "tool" | "failed";
	/** Start and length in milliseconds from the request's arrival. */
	start: number;
	length: number;
}

/** The bars of a request, in the order of their start; `now` ends what still runs. */
export function barsOf(request: RequestRecord, now: number): Bar[] {
	const { time, queued_ms: queued = 0, first_ms: first, duration_ms: ended, tool_runs: tools = [] } = request;
	const whole = ended ?? Math.max(0, now - time);
	const begin = Math.min(queued, first ?? whole);
	const bars: Bar[] = [
		...(queued > 0 ? [{ label: l10n.t("Queued"), kind: "queued", start: 0, length: begin } as const] : []),
		{
			label: l10n.t("Waiting for the model"),
			kind: "waiting",
			start: begin,
			length: (first ?? whole) - begin,
		},
	];
	if (first !== undefined) {
		bars.push({
			label: l10n.t("Response"),
			kind: "streaming",
			start: first,
			length: Math.max(0, whole - first),
		});
	}
	return [
		...bars,
		...tools.map(
			({ name, round, time: start, duration_ms: length, failed }): Bar => ({
				label: l10n.t("{tool} (round {round})", { tool: name, round }),
				kind: failed ? "failed" : "tool",
				start: Math.max(0, start - time),
				length,
			}),
		),
	];
}
