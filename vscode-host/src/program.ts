// The program's own commands (`setup`, `doctor`), run for the person instead of being written a second time: no shell, and
// no key on a command line.

import { type ChildProcessByStdio, spawn } from "node:child_process";
import { homedir } from "node:os";
import type { Readable, Writable } from "node:stream";
import { deferred } from "./deferred";

/** What its commands have to know to mean this window's server. */
export interface Meant {
	directory: string;
	/** Where the server listens, or would; undefined where nobody knows. */
	url: string | undefined;
	/** Empty where none is set. */
	key: string;
}

export class Program {
	constructor(
		private readonly find: () => Promise<string>,
		private readonly meant: () => Meant,
	) {}

	/** Starts a command; its first word is its name. */
	async run(command: readonly string[], cwd = homedir()): Promise<Run> {
		const { directory, url, key } = this.meant();
		const args = [...command, "--dir", directory, ...(url === undefined ? [] : ["--url", url])];
		const env = key === "" ? process.env : { ...process.env, COPILOT_PROXY_API_KEY: key };
		const program = await this.find();
		return new Run(spawn(program, args, { cwd, env, stdio: "pipe", windowsHide: true }));
	}
}

/** How a command ended: its exit code, what it said, and what it complained of. */
export interface Ended {
	code: number | undefined;
	said: string;
	complained: string;
}

/** A command that is running. */
export class Run {
	readonly ended: Promise<Ended>;
	readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;
	readonly #line = deferred<string | undefined>();

	constructor(child: ChildProcessByStdio<Writable, Readable, Readable>) {
		this.#child = child;
		const { promise, resolve } = deferred<Ended>();
		this.ended = promise;
		let said = "";
		let complained = "";
		const end = (code: number | undefined) => {
			this.#line.resolve(undefined);
			resolve({ code, said, complained: complained.replace(/^copilot-proxy: /, "").trim() });
		};
		child.stdin.on("error", () => undefined); // it has ended without waiting for an answer
		child.stdout.setEncoding("utf8").on("data", (text: string) => {
			said += text;
			const [line, ...more] = said.split("\n", 2);
			if (more.length > 0) {
				this.#line.resolve(line);
			}
		});
		child.stderr.setEncoding("utf8").on("data", (text: string) => {
			complained += text;
		});
		child.on("error", (error) => {
			complained += error.message;
			end(undefined);
		});
		child.on("close", (code) => end(code ?? undefined));
	}

	/** The first line it says; throws its complaint if it ends without one. */
	async line(): Promise<string> {
		const line = await this.#line.promise;
		if (line === undefined) {
			throw new Error((await this.ended).complained || "the program ended without a word");
		}
		return line;
	}

	/** Answers its question; without a word it takes no answer. */
	answer(word = ""): void {
		this.#child.stdin.end(word && `${word}\n`);
	}

	/** It is of no use any more. */
	stop(): void {
		this.#child.kill();
	}
}
