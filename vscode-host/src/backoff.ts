// Back-off between attempts, and the count of failures after which to give up. Pure: time is an argument.

/** The first and the longest wait, in milliseconds; each wait is twice the one before. */
export interface Delays {
	first: number;
	longest: number;
}

/** The wait before an attempt, counted from 0, in milliseconds. */
export function delay({ first, longest }: Delays, attempt: number): number {
	return Math.min(longest, first * 2 ** Math.min(attempt, 30));
}

/** The wait with jitter, so that several windows don't connect at the same instant. `random` is from 0 to 1. */
export function jittered(delays: Delays, attempt: number, random: number): number {
	return delay(delays, attempt) * (0.5 + random / 2);
}

/** Counts the failures within the last `within` milliseconds. */
export class FailureCounter {
	#times: number[] = [];

	constructor(
		private readonly limit: number,
		private readonly within: number,
	) {}

	/** Counts one failure; returns whether the limit is reached. */
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

/** Whether a version is older than another. It compares `major.minor.patch` and ignores the rest. */
export function isOlder(version: string, than: string): boolean {
	const [ours, theirs] = [numbers(version), numbers(than)];
	const differs = ours.findIndex((number, at) => number !== theirs[at]);
	return differs >= 0 && (ours[differs] ?? 0) < (theirs[differs] ?? 0);
}

function numbers(version: string): number[] {
	const [, ...found] = /^(\d+)\.(\d+)\.(\d+)/.exec(version) ?? [];
	return found.map(Number);
}
