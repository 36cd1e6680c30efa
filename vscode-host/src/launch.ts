// Finds the server program and starts it.

import { spawn } from "node:child_process";
import { chmod, copyFile, mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import type { Socket } from "node:net";
import { basename, dirname, join } from "node:path";
import * as vscode from "vscode";
import { deferred } from "./deferred";
import { ALREADY_RUNNING } from "./generated";

const NAME = process.platform === "win32" ? "copilot-proxy.exe" : "copilot-proxy";

/** For tests: the server's grace period after its last window has closed, in milliseconds. */
const TEST_GRACE = "COPILOT_PROXY_TEST_GRACE";

/** Finds the program to start: `copilotProxy.serverPath`, else that of a working copy, else the bundled one. */
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
	/** Resolves to the reason when the server has ended, or to undefined if another server was running. */
	ended: Promise<string | undefined>;
	/** Kills a server that hangs. */
	kill(): void;
}

/** Characters of standard error that are kept, the last ones: the reason of a failed start is one line. */
const KEPT_ERROR = 2000;

/** Starts a server that outlives this window. */
export function startServer(program: string, port: number, directory: string): Launched {
	const { promise: ended, resolve } = deferred<string | undefined>();
	const { [TEST_GRACE]: grace } = process.env;
	// Only standard error is read, which has the reason of a failed start. The server outlives this window.
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
 * Copies the program once per build and removes copies of other builds. Windows can't replace a running program, so one
 * that runs inside the extension's folder would block the extension's update. The modification time identifies a build:
 * hashing the program would take longer than the rest of the extension's start.
 */
async function copied(bundled: string, storage: string, version: string): Promise<string> {
	const { mtimeMs, size } = await stat(bundled);
	const folder = `${version}-${Math.trunc(mtimeMs).toString(16)}`;
	const program = join(storage, folder, NAME);
	await mkdir(dirname(program), { recursive: true });
	if ((await stat(program).catch(() => undefined))?.size !== size) {
		// Another window may copy at the same time, so the finished file is renamed into place.
		const unfinished = `${program}.${process.pid}`;
		await copyFile(bundled, unfinished);
		await rename(unfinished, program);
	}
	await chmod(program, 0o755); // packaging may have removed the executable bit
	await prune(storage, folder);
	return program;
}

async function prune(storage: string, except: string): Promise<void> {
	const others = (await readdir(storage)).filter((name) => name !== except);
	// Windows can't remove a running program; the next start tries again.
	await Promise.all(
		others.map((name) => rm(join(storage, name), { recursive: true }).catch(() => undefined)),
	);
}
