// Context keys: they enable commands in the palette and tick the steps of the walkthrough.

import * as vscode from "vscode";
import { isOff, type ServerState } from "./server-state";

/** A step of the walkthrough that the state of the server ticks. */
type Step = "copilot" | "allow" | "ask";

/** The keys of a state, without their prefix. Pure. */
export function keysOf(state: ServerState): Record<"off" | "running", boolean> {
	const http = state.kind === "attached" ? state.status?.http : undefined;
	return { off: isOff(state), running: http?.state === "running" };
}

/** The steps that a state has reached. Pure. */
export function stepsOf(state: ServerState): Step[] {
	const status = state.kind === "attached" ? state.status : undefined;
	// The first request to a provider waits for the user's consent.
	const isAnswered = (status?.requests ?? 0) > 0 && !status?.consent_needed;
	return [...((status?.models ?? 0) > 0 ? ["copilot" as const] : []), ...(isAnswered ? STEPS_OF_ANSWER : [])];
}

const STEPS_OF_ANSWER: readonly Step[] = ["allow", "ask"];

export class ContextKeys implements vscode.Disposable {
	readonly #set = new Map<string, boolean>();
	readonly #reached = new Set<Step>();
	/** VS Code reads the walkthroughs when it first opens one, as an editor of a kind that extensions don't know. */
	readonly #subscription = vscode.window.tabGroups.onDidChangeTabs(({ opened, changed }) => {
		if ([...opened, ...changed].some(({ input }) => input === undefined)) {
			for (const step of this.#reached) {
				tick(step);
			}
		}
	});

	show(state: ServerState): void {
		for (const [key, value] of Object.entries(keysOf(state))) {
			if (this.#set.get(key) !== value) {
				this.#set.set(key, value);
				void vscode.commands.executeCommand("setContext", `copilotProxy.${key}`, value);
			}
		}
		stepsOf(state).forEach(this.reach, this);
	}

	/** Ticks a step. */
	reach(step: Step): void {
		if (!this.#reached.has(step)) {
			this.#reached.add(step);
			tick(step);
		}
	}

	dispose(): void {
		this.#subscription.dispose();
	}
}

/** A step is ticked when its key becomes true: a key that is true when VS Code reads the walkthrough never ticks it. */
function tick(step: Step): void {
	for (const value of [true, false]) {
		void vscode.commands.executeCommand("setContext", `copilotProxy.reached.${step}`, value);
	}
}
