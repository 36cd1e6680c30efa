// Finds the server program and starts it.

import { spawn } from "node:child_process";
import { chmod, copyFile, mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import type { Socket } from "node:net";
import { basename, dirname, join } from "node:path";
import * as vscode from "vscode";
import { deferred } from "./deferred";
import { ALREADY_RUNNING } from "./generated";

const NAME = process.platform === "win32" ? "copilot-proxy.exe" : "copilot-proxy";

/** For tests: how long the server stays when the last window has left, in milliseconds. */
const TEST_GRACE = "COPILOT_PROXY_TEST_GRACE";

/** The program to start: the user's own, the one of a working copy, or the one in the extension. */
export async function serverProgram(context: vscode.ExtensionContext, serverPath: string): Promise<string> {
	if (serverPath !== "") {
		return existing(serverPath, "copilotProxy.serverPath names it");
	}
	if (context.extensionMode === vscode.ExtensionMode.Development) {
		const built = await newest(
			["release", "debug"].map((profile) => join(dirname(context.extensionPath), "target", profile, NAME)),
		);
		if (built) {
			return built;
		}
	}
	const bundled = context.asAbsolutePath(join("bin", NAME));
	await existing(
		bundled,
		"this extension was packaged for another platform; copilotProxy.serverPath can name one",
	);
	const storage = join(context.globalStorageUri.fsPath, "bin");
	return copied(bundled, storage, context.extension.packageJSON.version);
}

/** A server that was just started. */
export interface Launched {
	pid: number | undefined;
	/** Path of the program. */
	program: string;
	/** Done when it has ended, with the reason; undefined where it found another one running. */
	ended: Promise<string | undefined>;
	/** Ends it, for one that hangs. */
	kill(): void;
}

/** Last characters of the standard error that are kept: the reason for which a server can't start is one line. */
const KEPT_ERROR = 2000;

/** Starts a server that outlives this window. */
export function startServer(program: string, port: number, directory: string): Launched {
	const { promise: ended, resolve } = deferred<string | undefined>();
	const { [TEST_GRACE]: grace } = process.env;
	// Only the standard error, which has the reason of a failed start. This window may close first: the server goes on.
	const more = grace ? ["--grace", grace] : [];
	const server = spawn(program, ["serve", "--port", String(port), "--dir", directory, ...more], {
		cwd: directory,
		detached: true,
		stdio: ["ignore", "ignore", "pipe"],
		windowsHide: true,
	});
	let written = "";
	server.stderr.setEncoding("utf8").on("data", (text: string) => {
		written = (written + text).slice(-KEPT_ERROR);
	});
	(server.stderr as Socket).unref();
	server
		.on("error", (error) => resolve(error.message))
		.on("close", (code, signal) => {
			const ending = `${basename(program)} ended with ${signal ?? `code ${code}`}`;
			const reason = written.trim().split("\n").at(-1);
			resolve(code === ALREADY_RUNNING ? undefined : reason ? `${ending}: ${reason}` : ending);
		})
		.unref();
	return { pid: server.pid, program, ended, kill: () => void server.kill("SIGKILL") };
}

async function existing(path: string, why: string): Promise<string> {
	const found = await stat(path).catch(() => undefined);
	if (!found?.isFile()) {
		throw new Error(`there is no server program at ${path} (${why})`);
	}
	return path;
}

async function newest(paths: string[]): Promise<string | undefined> {
	const found = await Promise.all(
		paths.map(async (path) => ({ path, at: (await stat(path).catch(() => undefined))?.mtimeMs })),
	);
	return found
		.filter(({ at }) => at !== undefined)
		.sort((one, other) => (other.at ?? 0) - (one.at ?? 0))
		.at(0)?.path;
}

/**
 * A copy of the program, made once: a running program can't be replaced on Windows, so that one inside the extension
 * would stand in the way of the extension's own update. Copies of other builds go. A build is known by its time: to read
 * and hash the whole program would take this thread longer than all else that the extension does to start.
 */
async function copied(bundled: string, storage: string, version: string): Promise<string> {
	const { mtimeMs, size } = await stat(bundled);
	const folder = `${version}-${Math.trunc(mtimeMs).toString(16)}`;
	const program = join(storage, folder, NAME);
	await mkdir(dirname(program), { recursive: true });
	if ((await stat(program).catch(() => undefined))?.size !== size) {
		// Another window may be at it too: the copy appears whole or not at all.
		const unfinished = `${program}.${process.pid}`;
		await copyFile(bundled, unfinished);
		await rename(unfinished, program);
	}
	await chmod(program, 0o755); // packaging may have lost it
	await prune(storage, folder);
	return program;
}

async function prune(storage: string, except: string): Promise<void> {
	const others = (await readdir(storage)).filter((name) => name !== except);
	// One that runs can't be removed on Windows; the next start tries again.
	await Promise.all(
		others.map((name) => rm(join(storage, name), { recursive: true }).catch(() => undefined)),
	);
}
