// The program's own commands (`setup`, `doctor`), run for the person instead of being written a second time: no shell, and
// no key on a command line.

import { type ChildProcessByStdio, spawn } from "node:child_process";
import { homedir } from "node:os";
import type { Readable, Writable } from "node:stream";
import { deferred } from "./deferred";

/** The connection of this window's server, for its commands. */
export interface Meant {
	directory: string;
	/** Base URL of the server; undefined while its port is unknown. */
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

/** Outcome of a command: exit code, standard output and standard error. */
export interface Ended {
	code: number | undefined;
	stdout: string;
	stderr: string;
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
		let stdout = "";
		let stderr = "";
		const end = (code: number | undefined) => {
			this.#line.resolve(undefined);
			resolve({ code, stdout, stderr: stderr.replace(/^copilot-proxy: /, "").trim() });
		};
		child.stdin.on("error", () => undefined); // it has ended without waiting for an answer
		child.stdout.setEncoding("utf8").on("data", (text: string) => {
			stdout += text;
			const [line, ...more] = stdout.split("\n", 2);
			if (more.length > 0) {
				this.#line.resolve(line);
			}
		});
		child.stderr.setEncoding("utf8").on("data", (text: string) => {
			stderr += text;
		});
		child.on("error", (error) => {
			stderr += error.message;
			end(undefined);
		});
		child.on("close", (code) => end(code ?? undefined));
	}

	/** The first line of its output; throws its error output if it ends without one. */
	async line(): Promise<string> {
		const line = await this.#line.promise;
		if (line === undefined) {
			throw new Error((await this.ended).stderr || "the program ended without a word");
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
