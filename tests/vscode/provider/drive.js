"use strict";
// Runs code of a test inside an extension host. On a socket in the folder COPILOT_PROXY_TEST_RUN it reads lines of JSON
// ({id, code}) and writes one for each ({id, value} or {id, error}). `code` is the body of an async function with `scope`.
const net = require("node:net");
const path = require("node:path");
const { createInterface } = require("node:readline");

const AsyncFunction = (async () => {}).constructor;

/** Opens the socket `NAME-PID.sock`, if the environment variable is set. */
function drive(name, scope) {
	const run = process.env.COPILOT_PROXY_TEST_RUN;
	if (!run) return { dispose() {} };
	const server = net.createServer((socket) => {
		socket.on("error", () => {}); // the test has closed the connection
		createInterface({ input: socket })
			.on("line", async (line) => {
				const { id, code } = JSON.parse(line);
				socket.write(`${await outcome(id, code, scope)}\n`);
			})
			.on("error", () => {});
	});
	server.listen(path.join(run, `${name}-${process.pid}.sock`));
	return { dispose: () => server.close() };
}

async function outcome(id, code, scope) {
	try {
		const value = await new AsyncFunction(...Object.keys(scope), code)(...Object.values(scope));
		return JSON.stringify({ id, value });
	} catch (error) {
		const { name, code: kind, message = JSON.stringify(error) } = error ?? {};
		return JSON.stringify({ id, error: { name, code: kind, message } });
	}
}

module.exports = { drive };
