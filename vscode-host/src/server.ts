// Keeps this window attached to the server that all windows share: finds it, starts it if there is none, and reconnects
// when the connection ends.

import { type FSWatcher, watch } from "node:fs";
import * as vscode from "vscode";
import { delay, FailureCounter, isOlder, jittered } from "./backoff";
import { type Bridge, type BridgeHandlers, type ConnectResult, connect } from "./bridge";
import { deferred } from "./deferred";
import { ensurePrivateDir, readServerFile } from "./directory";
import { failureOf } from "./failure";
import type { Launched } from "./launch";
import type { Log } from "./log";
import { type FromEditor, PROTOCOL, type Refused, type Status, type Welcome, type Window } from "./protocol";
import type { ServerState } from "./server-state";

/** Dependencies on the rest of the extension. */
export interface ServerDeps {
	readonly directory: string;
	readonly version: string;
	readonly handlers: Omit<BridgeHandlers, "status" | "superseded">;
	readonly log: Log;
	window(): Window;
	/** Messages for a server that has just accepted the connection. */
	initialMessages(): Promise<FromEditor[]>;
	launch(): Promise<Launched>;
}

/** Interval and timeout for a started server to publish its address, in milliseconds; it takes about 10. */
const POLL = { first: 20, longest: 1000 };
const START_TIMEOUT = 5000;
/** In milliseconds. Another server that is unreachable for so long is shutting down, and this window starts one. */
const OTHER_START_TIMEOUT = 500;
/** Waits before reconnecting, in milliseconds. */
const BACK_OFF = { first: 50, longest: 2000 };
/** Lost servers within a time, in milliseconds, after which the window gives up. */
const MAX_FAILURES = { limit: 5, within: 60_000 };
/** Programs that hang at the start within a time, in milliseconds, after which the window gives up. */
const MAX_HUNG_STARTS = { limit: 2, within: 60_000 };
/** In milliseconds. An older server finishes its requests within 30 s; one that stays longer is used. */
const HANDOVER_TIMEOUT = 40_000;
/** In milliseconds. A server that replaces another one starts within this time, else this window starts one. */
const SUCCESSOR_TIMEOUT = 5000;
/** Handovers that one window requests at most, so that windows with different versions don't replace each other forever. */
const MAX_HANDOVERS = 3;

/** The user's intent for the server. */
type Intent =
	/** No server has to run; a running one is used. */
	| "off"
	/** A server has to run. */
	| "run"
	/** The user asked for an open port, and no server has opened it yet. */
	| "start"
	/** The user asked for a closed port, and no server has closed it yet. */
	| "stop";

/** The server that this window connects to or is attached to. */
interface Peer {
	token: string | undefined;
	/** The last status that it sent. */
	status: Status | undefined;
	/** The reason for which it will shut down: this window asked for a handover, or another one did and starts a server. */
	departure: "none" | "replaced" | "superseded";
}

/** The started program has neither ended nor published its address. */
class HungError extends Error {}

const NEVER = new Promise<never>(() => undefined);

export class Server implements vscode.Disposable {
	readonly #changed = new vscode.EventEmitter<ServerState>();
	readonly onDidChange = this.#changed.event;

	#state: ServerState;
	#intent: Intent;
	#peer: Peer = { token: undefined, status: undefined, departure: "none" };
	#bridge: Bridge | undefined;
	/** Process id of the server that this window started last. */
	#launchedPid: number | undefined;
	#handovers = 0;
	#isDisposed = false;
	/** Ends the current pause. */
	#wake: () => void = () => undefined;
	readonly #failures = new FailureCounter(MAX_FAILURES.limit, MAX_FAILURES.within);
	readonly #hung = new FailureCounter(MAX_HUNG_STARTS.limit, MAX_HUNG_STARTS.within);

	constructor(
		private readonly deps: ServerDeps,
		autoStart: boolean,
	) {
		this.#intent = autoStart ? "run" : "off";
		this.#state = { kind: autoStart ? "starting" : "off" };
		void this.#run();
	}

	/** Whether a server has to run. */
	get #mustRun(): boolean {
		return this.#intent === "run" || this.#intent === "start";
	}

	/** Makes sure that a server has to run, unless the user stopped it. */
	#keepRunning(): void {
		if (this.#intent === "off") {
			this.#intent = "run";
		}
	}

	get state(): ServerState {
		return this.#state;
	}

	/** The open port. */
	get port(): number | undefined {
		const http = this.#state.kind === "attached" ? this.#state.status?.http : undefined;
		return http?.state === "running" ? http.port : undefined;
	}

	/** Sends a message to the attached server; a later one gets the initial messages. */
	send(message: FromEditor): void {
		this.#bridge?.send(message);
	}

	/** Opens the port, for all windows. */
	start(): void {
		this.#intent = "start";
		if (this.#state.kind === "attached") {
			this.#state = { ...this.#state, startedHere: true };
		}
		if (this.#peer.departure !== "replaced") {
			this.send({ type: "start" });
		}
		this.ensureStarted();
	}

	/** Makes sure that a server runs, whatever its port does. */
	ensureStarted(): void {
		this.#intent = this.#intent === "start" ? "start" : "run";
		this.#failures.forget();
		this.#hung.forget();
		if (!this.#bridge) {
			this.#setState({ kind: "starting" });
			this.#wake();
		}
	}

	/** Closes the port, for all windows. */
	stop(): void {
		this.#intent = "stop";
		if (this.#bridge) {
			return this.send({ type: "stop" });
		}
		if (this.#state.kind === "failed") {
			this.#setState({ kind: "off" });
		}
		this.#wake();
	}

	/** Stops the server and starts a new process. */
	restart(): void {
		this.send({ type: "stop" });
		this.replace();
		this.start();
	}

	/** Replaces the server by a new process, once its running requests have finished. */
	replace(): void {
		if (this.#bridge) {
			this.#peer.departure = "replaced";
		}
		this.send({ type: "handover" });
	}

	/** Disconnects. The server stays for other windows and exits by itself when there are none. */
	dispose(): void {
		this.#isDisposed = true;
		this.#bridge?.close();
		this.#wake();
		this.#changed.dispose();
	}

	async #run(): Promise<void> {
		while (!this.#isDisposed) {
			try {
				await ensurePrivateDir(this.deps.directory);
				const result = await this.#connectOrLaunch();
				if (this.#isDisposed) {
					return result.kind === "attached" ? result.bridge.close() : undefined;
				}
				switch (result.kind) {
					case "attached":
						await this.#stayAttached(result.bridge, result.welcome);
						break;
					case "refused":
						await this.#onRefused(result.refused);
						break;
					case "absent":
						await this.#onAbsent();
						break;
					default:
						result satisfies never;
				}
			} catch (error) {
				const giveUp = error instanceof HungError && this.#hung.add(Date.now());
				await this.#retryLater(failureOf(error).message, giveUp);
			}
		}
	}

	/** Connects to the running server, or starts one if one has to run. */
	async #connectOrLaunch(): Promise<ConnectResult> {
		const result = await this.#connect();
		return result.kind === "absent" && this.#mustRun && !this.#isDisposed ? this.#launch() : result;
	}

	async #connect(): Promise<ConnectResult> {
		const found = await readServerFile(this.deps.directory);
		this.#peer = { token: found?.token, status: undefined, departure: "none" };
		if (!found) {
			return { kind: "absent", reason: "there is none" };
		}
		const { version, handlers } = this.deps;
		const hello = {
			token: found.token,
			protocol: PROTOCOL,
			version,
			pid: process.pid,
			window: this.deps.window(),
		};
		return connect(found.endpoint, hello, {
			...handlers,
			status: (status) => this.#onStatus(status),
			superseded: () => {
				this.#peer.departure = "superseded";
			},
		});
	}

	/** Starts a server and connects to it, or to another one that was quicker. */
	async #launch(): Promise<ConnectResult> {
		this.#setState({ kind: "starting" });
		const { pid, program, ended, kill } = await this.deps.launch();
		this.#launchedPid = pid;
		let anotherRuns = false;
		const died = ended.then((reason) => {
			if (reason !== undefined) {
				throw new Error(reason);
			}
			anotherRuns = true;
			return NEVER;
		});
		died.catch(() => undefined); // handled by the race below while that waits
		let waited = 0;
		const within = () => (anotherRuns ? OTHER_START_TIMEOUT : START_TIMEOUT);
		for (let attempt = 0; waited < within() && !this.#isDisposed; attempt += 1) {
			const pause = delay(POLL, attempt);
			waited += pause;
			await Promise.race([this.#pause(pause), died]);
			const result = await this.#connect();
			if (result.kind !== "absent") {
				return result;
			}
		}
		if (anotherRuns && this.#mustRun && !this.#isDisposed) {
			return this.#launch();
		}
		if (anotherRuns || this.#isDisposed) {
			throw new Error("a server is running, but can't be reached");
		}
		kill();
		throw new HungError(
			`${program} did not start within ${START_TIMEOUT / 1000} s. Check that it is Copilot Proxy's program (copilotProxy.serverPath)`,
		);
	}

	/** Stays attached until the connection ends. */
	async #stayAttached(bridge: Bridge, { pid, version }: Welcome): Promise<void> {
		if (this.#shouldReplace(pid, version) && (await this.#waitForHandover(bridge, version))) {
			return;
		}
		this.#bridge = bridge;
		const startedHere = pid === this.#launchedPid || this.#intent === "start";
		this.#setState({ kind: "attached", version, startedHere, status: this.#peer.status });
		for (const message of await this.deps.initialMessages()) {
			bridge.send(message);
		}
		if (this.#intent === "start" || this.#intent === "stop") {
			bridge.send({ type: this.#intent });
		}
		const reason = await bridge.ended;
		this.#bridge = undefined;
		if (this.#isDisposed) {
			return;
		}
		if (this.#peer.departure === "replaced") {
			this.#peer.departure = "none";
			this.#keepRunning();
			this.#setState({ kind: "starting" });
		} else if (this.#wasStopped()) {
			this.#intent = this.#intent === "stop" ? "stop" : "off"; // a stopped server isn't started again
		} else if (this.#peer.departure === "superseded") {
			this.#keepRunning();
			this.#setState({ kind: "starting" });
			await this.#waitForChange(SUCCESSOR_TIMEOUT);
		} else {
			this.#keepRunning();
			await this.#retryLater(`the connection to the server ended: ${reason}`);
		}
	}

	/** Whether to replace an older server. One that this window started stays: `serverPath` may name an older program. */
	#shouldReplace(pid: number, version: string): boolean {
		const isOurs = pid === this.#launchedPid;
		return isOlder(version, this.deps.version) && !isOurs && this.#handovers < MAX_HANDOVERS;
	}

	/** Requests a handover of an older server and waits until it has shut down. */
	async #waitForHandover(bridge: Bridge, version: string): Promise<boolean> {
		this.deps.log.info(`replacing the server of version ${version} by ${this.deps.version}`);
		this.#keepRunning();
		this.#setState({ kind: "starting" });
		bridge.send({ type: "handover" });
		const left = bridge.ended.then(() => true);
		const hasLeft = await Promise.race([left, this.#pause(HANDOVER_TIMEOUT).then(() => false)]);
		this.#wake();
		await this.#pause(delay(POLL, this.#handovers));
		this.#handovers += 1;
		return hasLeft;
	}

	#onRefused({ reason, message }: Refused): Promise<void> {
		this.deps.log.warn(`the server refused us (${reason}): ${message}`);
		switch (reason) {
			case "editor_too_old":
				this.#setState({ kind: "outdated", reason: message });
				return this.#waitForChange();
			case "server_too_old":
				this.#keepRunning(); // it shuts down once its running requests have finished
				this.#setState({ kind: "starting" });
				return this.#pause(jittered(BACK_OFF, 3, Math.random()));
			case "token":
			case "not_hello":
				return this.#retryLater(`the server refused us: ${message}`);
			default:
				return reason satisfies never;
		}
	}

	#onAbsent(): Promise<void> {
		this.#intent = "off";
		if (this.#state.kind !== "failed") {
			this.#setState({ kind: "off" });
		}
		return this.#waitForChange();
	}

	/** Waits before the next attempt; gives up after too many failures. */
	async #retryLater(reason: string, giveUp = false): Promise<void> {
		this.deps.log.warn(reason);
		if (this.#failures.add(Date.now()) || giveUp) {
			this.#intent = "off";
			this.#setState({ kind: "failed", reason });
			return this.#waitForChange();
		}
		this.#setState({ kind: "starting" });
		await this.#pause(jittered(BACK_OFF, this.#failures.count - 1, Math.random()));
	}

	#onStatus(status: Status): void {
		this.#peer.status = status;
		if (this.#intent === "stop" && status.http.state === "off") {
			this.#intent = "off";
		} else if (this.#intent === "start" && status.http.state !== "off") {
			this.#intent = "run";
		}
		if (this.#state.kind === "attached") {
			this.#setState({ ...this.#state, status });
		}
	}

	/** Whether the user stopped the server and has not started it since. */
	#wasStopped(): boolean {
		return this.#intent === "stop" || (this.#intent !== "start" && this.#peer.status?.http.state === "off");
	}

	#setState(state: ServerState): void {
		if (this.#isDisposed) {
			return;
		}
		this.#state = state;
		this.#changed.fire(state);
	}

	#pause(ms: number): Promise<void> {
		const { promise, resolve } = deferred();
		const timer = setTimeout(resolve, ms);
		this.#wake = () => {
			clearTimeout(timer);
			resolve();
		};
		return promise;
	}

	/** Waits until another server has started, the user does something, or `within` milliseconds have passed. */
	async #waitForChange(within?: number): Promise<void> {
		if (this.#isDisposed) {
			return;
		}
		const { promise, resolve } = deferred();
		this.#wake = resolve;
		const timer = within === undefined ? undefined : setTimeout(resolve, within);
		const watcher = watchFor("server.json", this.deps.directory, resolve);
		try {
			const found = await readServerFile(this.deps.directory);
			if (found && found.token !== this.#peer.token) {
				return; // it started before the watcher did
			}
			await promise;
		} finally {
			watcher?.close();
			clearTimeout(timer);
		}
	}
}

/** Watches a file; undefined if the system can't. Then only the user's actions end the wait. */
function watchFor(file: string, directory: string, changed: () => void): FSWatcher | undefined {
	try {
		return watch(directory, (_, name) => {
			if (name === null || name === file) {
				changed();
			}
		}).on("error", () => undefined);
	} catch {
		return undefined;
	}
}
