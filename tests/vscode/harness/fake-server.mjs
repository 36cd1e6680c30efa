// A fake server in the user's directory that refuses every window.
import { once } from "node:events";
import fs from "node:fs";
import net from "node:net";
import path from "node:path";
import { frame, reader } from "./frames.mjs";

/** Answers every hello with this message; returns a function that ends the server. */
export async function startRefusingServer(directory, refused) {
	const endpoint = path.join(directory, "fake.sock");
	const file = path.join(directory, "server.json");
	const sockets = new Set();
	const server = net.createServer((socket) => {
		sockets.add(socket);
		socket.on("error", () => {}); // the window has closed the connection
		socket.on("close", () => sockets.delete(socket));
		socket.on(
			"data",
			reader((_, { type }) => {
				if (type === "hello") socket.end(frame(0, 0, JSON.stringify({ type: "refused", ...refused })));
			}),
		);
	});
	fs.mkdirSync(directory, { recursive: true, mode: 0o700 });
	await once(server.listen(endpoint), "listening");
	const said = { pid: process.pid, version: "9.9.9", endpoint, token: "fake", started_at: 0 };
	fs.writeFileSync(file, JSON.stringify(said));
	return async () => {
		fs.rmSync(file, { force: true });
		for (const socket of sockets) socket.destroy();
		server.close();
		await once(server, "close");
	};
}
