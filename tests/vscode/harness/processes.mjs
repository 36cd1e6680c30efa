// The processes of one run, found in /proc by the run's folder, which all of them carry in their environment or arguments.
import fs from "node:fs";
import path from "node:path";

/** Whether this process runs; one that has ended but was not waited for doesn't. */
export function alive(pid) {
	const status = read(`/proc/${pid}/stat`);
	return status !== "" && !/^\d+ \(.*\) [ZX]/s.test(status);
}

/** Every living process that belongs to the run in this folder, but never the asking one. */
export function processesOf(run) {
	return fs
		.readdirSync("/proc")
		.filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
		.filter((pid) =>
			[`/proc/${pid}/environ`, `/proc/${pid}/cmdline`].some((file) => read(file).includes(run)),
		)
		.filter(alive)
		.map((pid) => ({ pid: Number(pid), command: read(`/proc/${pid}/cmdline`).split("\0").filter(Boolean) }));
}

/** Those of them that are `copilot-proxy serve`. */
export const proxiesOf = (run) =>
	processesOf(run).filter(
		({ command: [program = "", verb] }) =>
			path.basename(program).startsWith("copilot-proxy") && verb === "serve",
	);

/** Ends every process of the run at once; for one that is over or has failed. */
export const killAll = (run) => kill(processesOf(run));

/** Ends these processes as a crash would. */
export function kill(processes) {
	for (const { pid } of processes) {
		try {
			process.kill(pid, "SIGKILL");
		} catch (error) {
			if (error.code !== "ESRCH") throw error; // it ended by itself meanwhile
		}
	}
}

function read(file) {
	try {
		return fs.readFileSync(file, "utf8");
	} catch {
		return ""; // it ended, or is somebody else's
	}
}
