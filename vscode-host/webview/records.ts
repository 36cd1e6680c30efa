// The page's copy of the server's records; it also keeps ended ones that the server has dropped meanwhile. Pure.

import type { Activity, Minute, ModelTotals, RequestRecord } from "../src/protocol";

/** Ended requests and rejected requests that are kept. */
const KEPT = 1000;
const KEPT_TURNED_AWAY = 20;

export class Records {
	readonly #requests = new Map<number, RequestRecord>();
	#sorted: RequestRecord[] | undefined;
	models: readonly ModelTotals[] = [];
	minutes: readonly Minute[] = [];

	/** Applies changes; returns the requests that have just failed, without repeated rejections. */
	take({ reset, requests, models, minutes }: Activity): RequestRecord[] {
		if (reset) {
			this.#requests.clear();
		}
		const failed = reset ? [] : requests.filter((request) => this.#hasJustFailed(request));
		for (const request of requests) {
			this.#requests.set(request.number, request);
		}
		this.#sorted = undefined;
		const ended = this.newestFirst.filter(({ outcome }) => outcome.state !== "running");
		const answered = ended.filter((request) => !request.rejected);
		const turnedAway = ended.filter((request) => request.rejected);
		const dropped = [...answered.slice(KEPT), ...turnedAway.slice(KEPT_TURNED_AWAY)];
		for (const { number } of dropped) {
			this.#requests.delete(number);
		}
		if (dropped.length > 0) {
			this.#sorted = undefined;
		}
		this.models = models;
		this.minutes = minutes;
		return failed;
	}

	/** All requests; the running ones first. */
	get newestFirst(): readonly RequestRecord[] {
		this.#sorted ??= [...this.#requests.values()].sort(
			(one, other) => Number(isRunning(other)) - Number(isRunning(one)) || other.number - one.number,
		);
		return this.#sorted;
	}

	#hasJustFailed({ number, outcome, rejected: turnedAway }: RequestRecord): boolean {
		return (
			!turnedAway && outcome.state === "failed" && this.#requests.get(number)?.outcome.state !== "failed"
		);
	}
}

export function isRunning({ outcome }: RequestRecord): boolean {
	return outcome.state === "running";
}
