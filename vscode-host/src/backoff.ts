// Back-off between attempts, and the count of failures after which to give up. Pure: time is an argument.

/** Waits double from one to the other, in milliseconds. */
export interface Delays {
	first: number;
	longest: number;
}

/** The wait before the given try, counted from 0. */
export function delay({ first, longest }: Delays, attempt: number): number {
	return Math.min(longest, first * 2 ** Math.min(attempt, 30));
}

/** The same, spread so that several windows do not come at the same instant. `random` is from 0 to 1. */
export function jittered(delays: Delays, attempt: number, random: number): number {
	return delay(delays, attempt) * (0.5 + random / 2);
}

/** Counts what goes wrong within a span of time. */
export class FailureCounter {
	#times: number[] = [];

	constructor(
		private readonly limit: number,
		private readonly within: number,
	) {}

	/** Notes one more. Are these too many? */
	add(now: number): boolean {
		this.#times = this.#times.filter((time) => now - time < this.within);
		this.#times.push(now);
		return this.#times.length >= this.limit;
	}

	get count(): number {
		return this.#times.length;
	}

	forget(): void {
		this.#times = [];
	}
}

/** Is the first version older than the second? Reads `major.minor.patch`; what follows does not count. */
export function isOlder(version: string, than: string): boolean {
	const [ours, theirs] = [numbers(version), numbers(than)];
	const differs = ours.findIndex((number, at) => number !== theirs[at]);
	return differs >= 0 && (ours[differs] ?? 0) < (theirs[differs] ?? 0);
}

function numbers(version: string): number[] {
	const [, ...found] = /^(\d+)\.(\d+)\.(\d+)/.exec(version) ?? [];
	return found.map(Number);
}
