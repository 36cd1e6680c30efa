// Runs commands of the server program (`setup`, `doctor`) without a shell. The key is passed in the environment, never on
// the command line, which other users can read.

import { type ChildProcessByStdio, spawn } from "node:child_process";
import { homedir } from "node:os";
import type { Readable, Writable } from "node:stream";
import { deferred } from "./deferred";

/** The server that a command should use. */
export interface CommandContext {
	directory: string;
	/** Base URL; undefined while the port is unknown. */
	url: string | undefined;
	/** Empty if no key is set. */
	key: string;
}

export class Cli {
	constructor(
		private readonly find: () => Promise<string>,
		private readonly context: () => CommandContext,
	) {}

	/** Starts a command, given as its name and arguments. */
	async run(command: readonly string[], cwd = homedir()): Promise<RunningCommand> {
		const { directory, url, key } = this.context();
		const args = [...command, "--dir", directory, ...(url === undefined ? [] : ["--url", url])];
		const env = key === "" ? process.env : { ...process.env, COPILOT_PROXY_API_KEY: key };
		const program = await this.find();
		return new RunningCommand(spawn(program, args, { cwd, env, stdio: "pipe", windowsHide: true }));
	}
}

/** Outcome of a command: exit code, standard output and standard error. */
export interface CommandOutcome {
	code: number | undefined;
	stdout: string;
	stderr: string;
}

/** A running command. */
export class RunningCommand {
	readonly ended: Promise<CommandOutcome>;
	readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;
	readonly #line = deferred<string | undefined>();

	constructor(child: ChildProcessByStdio<Writable, Readable, Readable>) {
		this.#child = child;
		const { promise, resolve } = deferred<CommandOutcome>();
		this.ended = promise;
		let stdout = "";
		let stderr = "";
		const end = (code: number | undefined) => {
			this.#line.resolve(undefined);
			resolve({ code, stdout, stderr: stderr.replace(/^copilot-proxy: /, "").trim() });
		};
		child.stdin.on("error", () => undefined); // the command has ended without reading its input
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

	/** Resolves to the first line of its output; throws its error output if it ends without one. */
	async line(): Promise<string> {
		const line = await this.#line.promise;
		if (line === undefined) {
			throw new Error((await this.ended).stderr || "the program ended without output");
		}
		return line;
	}

	/** Writes an answer to its standard input and closes it. */
	answer(word = ""): void {
		this.#child.stdin.end(word && `${word}\n`);
	}

	/** Kills the command. */
	stop(): void {
		this.#child.kill();
	}
}
