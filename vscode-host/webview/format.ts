// Formats numbers, times and outcomes. Pure.

import type { Credits, RequestRecord } from "../src/protocol";
import * as l10n from "./l10n";

export function count(number: number): string {
	return number.toLocaleString("en-US");
}

/** A short form of a number: `1.2M`, `34k`, `567`. */
export function short(number: number): string {
	if (number < 10_000) {
		return count(number);
	}
	return number < 999_500 ? `${Math.round(number / 1000)}k` : `${(number / 1e6).toFixed(1)}M`;
}

/** A cost as a number of credits; `~` marks an estimate. */
export function credits({ nano, source }: Credits): string {
	const amount = nano / 1e9;
	const digits = amount >= 100 ? 0 : amount >= 1 ? 2 : 4;
	const number =
		amount > 0 && amount < 0.0001
			? "< 0.0001"
			: amount.toLocaleString("en-US", { maximumFractionDigits: digits });
	return source === "estimated" ? `~${number}` : number;
}

/** Source of a cost in words. */
export function costSource({ source }: Credits): string {
	return source === "reported" ? l10n.t("reported by the provider") : l10n.t("estimated from the price list");
}

/** Formats a duration in milliseconds. */
export function duration(ms: number): string {
	if (ms < 1000) {
		return `${Math.round(ms)} ms`;
	}
	if (ms < 59_950) {
		return `${(ms / 1000).toFixed(1)} s`;
	}
	const seconds = Math.round(ms / 1000);
	return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

/** Formats an age in milliseconds. */
export function age(ms: number): string {
	const minutes = Math.floor(ms / 60_000);
	if (minutes < 1) {
		return "< 1 min";
	}
	if (minutes < 60) {
		return `${minutes} min`;
	}
	const hours = Math.floor(minutes / 60);
	return hours < 48
		? `${hours} h ${minutes % 60} min`
		: l10n.t("{count} days", { count: Math.floor(hours / 24) });
}

export function clock(time: number): string {
	return new Date(time).toLocaleTimeString("en-GB");
}

/** The rate after the first part; undefined if the response is too short to measure. */
export function tokensPerSecond({
	tokens,
	duration_ms: whole,
	first_ms: first,
}: RequestRecord): number | undefined {
	if (!tokens || whole === undefined || first === undefined) {
		return undefined;
	}
	const spoken = whole - first;
	return spoken >= 50 && tokens.output > 1 ? (1000 * tokens.output) / spoken : undefined;
}

/** Label and tone of a request's outcome. */
export function outcomeOf({ outcome }: RequestRecord): {
	label: string;
	tone: "running" | "good" | "bad" | "idle";
} {
	switch (outcome.state) {
		case "running":
			return { label: l10n.t("Running"), tone: "running" };
		case "finished":
			return { label: words(outcome.reason), tone: "good" };
		case "failed":
			return { label: words(outcome.kind), tone: "bad" };
		case "disconnected":
			return { label: l10n.t("Disconnected"), tone: "idle" };
	}
}

/** Formats `tool_calls` as `Tool calls`; these are names of the APIs, the same in all languages. */
function words(name: string): string {
	const spaced = name.replaceAll("_", " ");
	return spaced.charAt(0).toUpperCase() + spaced.slice(1);
}
