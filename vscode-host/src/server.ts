// The window's side of the one server that all windows share: find it, start it where there is none, stay attached,
// come back when it is gone. How the server fares, it says itself; here is only whether we hear it.

import { type FSWatcher, watch } from "node:fs";
import * as vscode from "vscode";
import { delay, FailureCounter, isOlder, jittered } from "./backoff";
import type { Launched } from "./binary";
import { type Bridge, type BridgeHandlers, type ConnectResult, connect } from "./bridge";
import { deferred } from "./deferred";
import { ensurePrivateDir, readServerFile } from "./directory";
import { failureOf } from "./failure";
import type { Log } from "./log";
import { type FromEditor, PROTOCOL, type Refused, type Status, type Welcome, type Window } from "./protocol";

export type ServerState =
	/** There is none, and none is wanted. */
	| { kind: "off" }
	/** Looked for, started, or waited for. */
	| { kind: "starting" }
	/** Attached; the status is what it last said. Whether it was started from this window decides where errors are told. */
	| { kind: "attached"; version: string; startedHere: boolean; status: Status | undefined }
	/** It speaks a newer language: this window is to be reloaded. */
	| { kind: "outdated"; reason: string }
	/** It could not be started, or did not live. */
	| { kind: "failed"; reason: string };

/** What the rest of the extension does for it. */
export interface ServerDeps {
	readonly directory: string;
	readonly version: string;
	readonly handlers: Omit<BridgeHandlers, "status" | "superseded">;
	readonly log: Log;
	window(): Window;
	/** What a server is told that has just welcomed us. */
	introduction(): FromEditor[];
	launch(): Promise<Launched>;
}

/** A started server is looked for this often, and this long; it takes some 10 ms. In milliseconds. */
const LOOK = { first: 20, longest: 1000 };
const UP_WITHIN = 5000;
/** Another server that can't be reached for so long is about to leave: then it is our turn. In milliseconds. */
const OTHER_UP_WITHIN = 500;
/** Before coming back to a server that is gone, in milliseconds. */
const BACK_OFF = { first: 50, longest: 2000 };
/** So many ends of a server in such a time, in milliseconds: it will not live. */
const TOO_MANY = { limit: 5, within: 60_000 };
/** An older server finishes what it is doing within 30 s; one that stays longer is used as it is. In milliseconds. */
const HANDOVER_WITHIN = 40_000;
/** One that takes another's place is up soon after that one has left; then it is our turn. In milliseconds. */
const SUCCESSOR_WITHIN = 5000;
/** A window asks for no more handovers than this: two with programs of different ages must come to rest. */
const HANDOVERS = 3;

const NEVER = new Promise<never>(() => undefined);

export class Server implements vscode.Disposable {
	readonly #changed = new vscode.EventEmitter<ServerState>();
	readonly onDidChange = this.#changed.event;

	#state: ServerState;
	#bridge: Bridge | undefined;
	/** Is a server to be started where there is none? */
	#wanted: boolean;
	/** What the person asked for, as long as no server has done it. */
	#requested: "start" | "stop" | undefined;
	/** The server leaves because we asked it to. */
	#isReplacing = false;
	/** The server leaves because another window asked it to, and starts another one. */
	#hasSuccessor = false;
	#isDisposed = false;
	#lastToken: string | undefined;
	/** What the server we are meeting or attached to said last. */
	#status: Status | undefined;
	#handovers = 0;
	/** The process that this window started last. */
	#launched: number | undefined;
	#wake: () => void = () => undefined;
	readonly #failures = new FailureCounter(TOO_MANY.limit, TOO_MANY.within);

	constructor(
		private readonly around: ServerDeps,
		autoStart: boolean,
	) {
		this.#wanted = autoStart;
		this.#state = { kind: autoStart ? "starting" : "off" };
		void this.#live();
	}

	get state(): ServerState {
		return this.#state;
	}

	/** Where programs reach it, while they do. */
	get port(): number | undefined {
		const http = this.#state.kind === "attached" ? this.#state.status?.http : undefined;
		return http?.state === "running" ? http.port : undefined;
	}

	/** Tells the server; one that comes later hears it in the introduction. */
	tell(message: FromEditor): void {
		this.#bridge?.send(message);
	}

	/** The person wants the port to be open. */
	start(): void {
		this.#requested = "start";
		if (this.#state.kind === "attached") {
			this.#state = { ...this.#state, startedHere: true };
		}
		if (!this.#isReplacing) {
			this.tell({ type: "start" });
		}
		this.want();
	}

	/** There is to be a server, whatever it does. */
	want(): void {
		this.#wanted = true;
		this.#failures.forget();
		if (!this.#bridge) {
			this.#become({ kind: "starting" });
			this.#wake();
		}
	}

	/** The person wants the port to be closed. */
	stop(): void {
		this.#requested = "stop";
		this.#wanted = false;
		if (this.#bridge) {
			return this.tell({ type: "stop" });
		}
		if (this.#state.kind === "failed") {
			this.#become({ kind: "off" });
		}
		this.#wake();
	}

	/** Ends what is running, and begins with a fresh process. */
	restart(): void {
		this.tell({ type: "stop" });
		this.replace();
		this.start();
	}

	/** Another server process is to take this one's place, once it has finished what it is doing. */
	replace(): void {
		this.#isReplacing = this.#bridge !== undefined;
		this.tell({ type: "handover" });
	}

	/** Hangs up. The server stays for the other windows, and leaves by itself when there are none. */
	dispose(): void {
		this.#isDisposed = true;
		this.#bridge?.close();
		this.#wake();
		this.#changed.dispose();
	}

	async #live(): Promise<void> {
		while (!this.#isDisposed) {
			try {
				await ensurePrivateDir(this.around.directory);
				const meeting = await this.#find();
				if (this.#isDisposed) {
					return meeting.kind === "attached" ? meeting.bridge.close() : undefined;
				}
				switch (meeting.kind) {
					case "attached":
						await this.#stay(meeting.bridge, meeting.welcome);
						break;
					case "refused":
						await this.#refused(meeting.refused);
						break;
					case "absent":
						await this.#absent();
						break;
					default:
						meeting satisfies never;
				}
			} catch (error) {
				await this.#setback(failureOf(error).message);
			}
		}
	}

	/** The server there is, or a new one where one is wanted. */
	async #find(): Promise<ConnectResult> {
		const meeting = await this.#connect();
		return meeting.kind === "absent" && this.#wanted && !this.#isDisposed ? this.#launch() : meeting;
	}

	async #connect(): Promise<ConnectResult> {
		const found = await readServerFile(this.around.directory);
		this.#lastToken = found?.token;
		this.#status = undefined;
		this.#hasSuccessor = false;
		if (!found) {
			return { kind: "absent", reason: "there is none" };
		}
		const { version, handlers } = this.around;
		const hello = {
			token: found.token,
			protocol: PROTOCOL,
			version,
			pid: process.pid,
			window: this.around.window(),
		};
		return connect(found.endpoint, hello, {
			...handlers,
			status: (status) => this.#heard(status),
			superseded: () => {
				this.#hasSuccessor = true;
			},
		});
	}

	/** Starts a server and waits until it, or one that was quicker, can be met. */
	async #launch(): Promise<ConnectResult> {
		this.#become({ kind: "starting" });
		const { pid, ended } = await this.around.launch();
		this.#launched = pid;
		let anotherRuns = false;
		const died = ended.then((reason) => {
			if (reason !== undefined) {
				throw new Error(reason);
			}
			anotherRuns = true;
			return NEVER;
		});
		died.catch(() => undefined); // it is heard below, as long as anybody listens
		let waited = 0;
		const within = () => (anotherRuns ? OTHER_UP_WITHIN : UP_WITHIN);
		for (let attempt = 0; waited < within() && !this.#isDisposed; attempt += 1) {
			const pause = delay(LOOK, attempt);
			waited += pause;
			await Promise.race([this.#pause(pause), died]);
			const meeting = await this.#connect();
			if (meeting.kind !== "absent") {
				return meeting;
			}
		}
		if (anotherRuns && this.#wanted && !this.#isDisposed) {
			return this.#launch();
		}
		throw new Error(`the server did not come up within ${UP_WITHIN / 1000} s`);
	}

	/** Attached, until the connection ends. */
	async #stay(bridge: Bridge, { pid, version }: Welcome): Promise<void> {
		if (this.#isToBeReplaced(pid, version) && (await this.#handedOver(bridge, version))) {
			return;
		}
		this.#bridge = bridge;
		const startedHere = pid === this.#launched || this.#requested === "start";
		this.#become({ kind: "attached", version, startedHere, status: this.#status });
		for (const message of this.around.introduction()) {
			bridge.send(message);
		}
		if (this.#requested) {
			bridge.send({ type: this.#requested });
		}
		const reason = await bridge.ended;
		this.#bridge = undefined;
		if (this.#isDisposed) {
			return;
		}
		if (this.#isReplacing) {
			this.#isReplacing = false;
			this.#wanted = true;
			this.#become({ kind: "starting" });
		} else if (this.#wasStopped()) {
			this.#wanted = false; // what a person stopped is not started because its process ended
		} else if (this.#hasSuccessor) {
			this.#wanted = true;
			this.#become({ kind: "starting" });
			await this.#news(SUCCESSOR_WITHIN);
		} else {
			this.#wanted = true;
			await this.#setback(`the connection to the server ended: ${reason}`);
		}
	}

	/** Only an older one that others started: where `serverPath` names an old program, ours is no newer. */
	#isToBeReplaced(pid: number, version: string): boolean {
		const isOurs = pid === this.#launched;
		return isOlder(version, this.around.version) && !isOurs && this.#handovers < HANDOVERS;
	}

	/** An older server makes room for ours, when it has finished what it is doing. */
	async #handedOver(bridge: Bridge, version: string): Promise<boolean> {
		this.around.log.info(`the server is version ${version}: it makes room for ${this.around.version}`);
		this.#wanted = true;
		this.#become({ kind: "starting" });
		bridge.send({ type: "handover" });
		const left = bridge.ended.then(() => true);
		const hasLeft = await Promise.race([left, this.#pause(HANDOVER_WITHIN).then(() => false)]);
		this.#wake();
		await this.#pause(delay(LOOK, this.#handovers));
		this.#handovers += 1;
		return hasLeft;
	}

	#refused({ reason, message }: Refused): Promise<void> {
		this.around.log.warn(`the server refused us (${reason}): ${message}`);
		switch (reason) {
			case "editor_too_old":
				this.#become({ kind: "outdated", reason: message });
				return this.#news();
			case "server_too_old":
				this.#wanted = true; // it has understood, and leaves when it has finished what it is doing
				this.#become({ kind: "starting" });
				return this.#pause(jittered(BACK_OFF, 3, Math.random()));
			case "token":
			case "not_hello":
				return this.#setback(`the server refused us: ${message}`);
			default:
				return reason satisfies never;
		}
	}

	#absent(): Promise<void> {
		this.#requested = undefined;
		if (this.#state.kind !== "failed") {
			this.#become({ kind: "off" });
		}
		return this.#news();
	}

	/** Tries again after a while, unless it has been tried too often. */
	async #setback(reason: string): Promise<void> {
		this.around.log.warn(reason);
		if (this.#failures.add(Date.now())) {
			this.#wanted = false;
			this.#become({ kind: "failed", reason });
			return this.#news();
		}
		this.#become({ kind: "starting" });
		await this.#pause(jittered(BACK_OFF, this.#failures.count - 1, Math.random()));
	}

	#heard(status: Status): void {
		this.#status = status;
		if (this.#requested === (status.http.state === "off" ? "stop" : "start")) {
			this.#requested = undefined;
		}
		if (this.#state.kind === "attached") {
			this.#become({ ...this.#state, status });
		}
	}

	/** By a person, and not wanted back since. */
	#wasStopped(): boolean {
		return this.#requested === "stop" || (this.#requested !== "start" && this.#status?.http.state === "off");
	}

	#become(state: ServerState): void {
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

	/** Done when another server has come, or the person wants something; or when it has been waited for so long. */
	async #news(within?: number): Promise<void> {
		if (this.#isDisposed) {
			return;
		}
		const { promise, resolve } = deferred();
		this.#wake = resolve;
		const timer = within === undefined ? undefined : setTimeout(resolve, within);
		const watcher = watchFor("server.json", this.around.directory, resolve);
		try {
			const found = await readServerFile(this.around.directory);
			if (found && found.token !== this.#lastToken) {
				return; // it came before we watched
			}
			await promise;
		} finally {
			watcher?.close();
			clearTimeout(timer);
		}
	}
}

/** Undefined where the system doesn't let us watch: then only the person brings news. */
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
