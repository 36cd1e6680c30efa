// The per-user directory through which the windows find the server. Only the server writes its files.

import { lstat, mkdir, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { failureOf } from "./failure";
import type { ServerFile } from "./generated";

/** The environment variable that names the parent directory. */
const PARENT_VARIABLE = process.platform === "win32" ? "LOCALAPPDATA" : "XDG_RUNTIME_DIR";

/** Path of this user's directory. */
export function userDirectory(env: NodeJS.ProcessEnv = process.env): string {
	if (process.platform === "win32") {
		return join(env.LOCALAPPDATA ?? tmpdir(), "copilot-proxy");
	}
	const { XDG_RUNTIME_DIR: runtime } = env;
	return runtime ? join(runtime, "copilot-proxy") : join(tmpdir(), `copilot-proxy-${process.getuid?.()}`);
}

/** Creates the directory if there is none. Throws unless only this user can enter it, since its owner could read all chats. */
export async function ensurePrivateDir(directory: string): Promise<void> {
	try {
		await mkdir(directory, { recursive: true, mode: 0o700 });
	} catch (error) {
		const { message } = failureOf(error);
		throw new Error(
			`${directory} can't be created: ${message}. Make the directory that it is in writable, or start VS Code with ${PARENT_VARIABLE} set to a directory that you can write to`,
		);
	}
	if (process.platform === "win32") {
		return; // it is below %LOCALAPPDATA%, which only this user can write to
	}
	const found = await lstat(directory);
	if (!found.isDirectory()) {
		throw new Error(`${directory} is not a directory`);
	}
	if (found.uid !== process.getuid?.()) {
		throw new Error(`${directory} belongs to another user`);
	}
	if ((found.mode & 0o077) !== 0) {
		throw new Error(`${directory} is open to other users; run chmod 700 on it`);
	}
}

/** Reads `server.json`; undefined if there is none or it is incomplete. */
export async function readServerFile(directory: string): Promise<ServerFile | undefined> {
	try {
		const found: unknown = JSON.parse(await readFile(join(directory, "server.json"), "utf8"));
		return isServerFile(found) ? found : undefined;
	} catch {
		return undefined; // no server is running, or it is starting or shutting down
	}
}

function isServerFile(value: unknown): value is ServerFile {
	const { pid, version, endpoint, token } = (value ?? {}) as Record<string, unknown>;
	return (
		typeof pid === "number" &&
		typeof version === "string" &&
		typeof endpoint === "string" &&
		typeof token === "string"
	);
}
