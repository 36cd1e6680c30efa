// Runs a test's code inside an extension host, through the socket that provider/drive.js opens there.
import { once } from "node:events";
import net from "node:net";
import { createInterface } from "node:readline";
import { until } from "./wait.mjs";

/**
 * Returns a function that runs code there: `await drive(async ({vscode, state}, x) => ..., x)`. The code can use only its
 * arguments, which are sent as JSON like its value; an error keeps its name, code and message.
 */
export async function driveOf(socketPath) {
	const socket = await connected(socketPath);
	const waiting = new Map();
	let last = 0;
	let gone = false;

	socket.on("error", () => {}); // 'close' follows and rejects the pending calls
	socket.on("close", () => {
		gone = true;
		for (const { reject } of waiting.values()) reject(new Error("the extension host has ended"));
	});
	createInterface({ input: socket })
		.on("line", (line) => {
			const { id, value, error } = JSON.parse(line);
			const { resolve, reject } = waiting.get(id);
			waiting.delete(id);
			if (error) reject(Object.assign(new Error(error.message), error));
			else resolve(value);
		})
		.on("error", () => {});

	const drive = (code, ...args) =>
		new Promise((resolve, reject) => {
			if (gone) return reject(new Error("the extension host has ended"));
			last += 1;
			waiting.set(last, { resolve, reject });
			const body = `return (${code})({ vscode, state }, ...${JSON.stringify(args)})`;
			socket.write(`${JSON.stringify({ id: last, code: body })}\n`);
		});
	drive.close = () => socket.destroy();
	return drive;
}

/** Connects to a socket, whose file appears shortly before its listener. */
function connected(socketPath) {
	return until(async () => {
		const socket = net.connect(socketPath);
		try {
			await once(socket, "connect");
			return socket;
		} catch (error) {
			if (error.code === "ECONNREFUSED") return undefined;
			throw error;
		}
	}, `a listener at ${socketPath}`);
}
