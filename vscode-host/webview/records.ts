// The page's copy of the server's records; it keeps no more than the server does. Pure.

import type { Activity, Minute, ModelTotals, RequestRecord } from "../src/protocol";

/** Ended requests and rejected requests that are kept; as many as the server keeps. */
const KEPT = 100;
const KEPT_TURNED_AWAY = 20;

export class Records {
	readonly #requests = new Map<number, RequestRecord>();
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
		const ended = this.newestFirst.filter(({ outcome }) => outcome.state !== "running");
		const answered = ended.filter((request) => !request.rejected);
		const turnedAway = ended.filter((request) => request.rejected);
		for (const { number } of [...answered.slice(KEPT), ...turnedAway.slice(KEPT_TURNED_AWAY)]) {
			this.#requests.delete(number);
		}
		this.models = models;
		this.minutes = minutes;
		return failed;
	}

	get newestFirst(): RequestRecord[] {
		return [...this.#requests.values()].sort((one, other) => other.number - one.number);
	}

	#hasJustFailed({ number, outcome, rejected: turnedAway }: RequestRecord): boolean {
		return (
			!turnedAway && outcome.state === "failed" && this.#requests.get(number)?.outcome.state !== "failed"
		);
	}
}
