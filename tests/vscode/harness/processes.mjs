// The processes of one run, found in /proc by the run's folder in their environment or arguments.
import fs from "node:fs";
import path from "node:path";

/** Whether a process runs; a zombie doesn't. */
export function alive(pid) {
	const status = read(`/proc/${pid}/stat`);
	return status !== "" && !/^\d+ \(.*\) [ZX]/s.test(status);
}

/** Every running process of the run in this folder, except this one. */
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

/** The processes of the run that are `copilot-proxy serve`. */
export const proxiesOf = (run) =>
	processesOf(run).filter(
		({ command: [program = "", verb] }) =>
			path.basename(program).startsWith("copilot-proxy") && verb === "serve",
	);

/** Kills every process of the run. */
export const killAll = (run) => kill(processesOf(run));

/** Kills these processes. */
export function kill(processes) {
	for (const { pid } of processes) {
		try {
			process.kill(pid, "SIGKILL");
		} catch (error) {
			if (error.code !== "ESRCH") throw error; // it has ended meanwhile
		}
	}
}

function read(file) {
	try {
		return fs.readFileSync(file, "utf8");
	} catch {
		return ""; // it has ended, or belongs to another user
	}
}
