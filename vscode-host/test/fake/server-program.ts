// A fake of the server program. It takes the lock of its directory, writes server.json and behaves as FAKE_SERVER says:
// "serve" accepts connections until the last one has closed, "die" exits, "full" exits with a reason, "hang" does nothing.

import { linkSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { FromEditor, HttpState } from "../../src/protocol";
import { FakeServer, type Peer } from "./server";

const ANOTHER_RUNS = 3;
const args = process.argv.slice(2);
const after = (name: string) => args[args.indexOf(name) + 1] ?? "";
const directory = after("--dir");
const port = Number(after("--port"));
const lock = join(directory, "lock");

/** Takes the lock, which only one of several processes gets; the lock of a dead process is removed first. */
function takeLock(): boolean {
	if (!alive(holder())) {
		rmSync(lock, { force: true });
	}
	const own = join(directory, `lock.${process.pid}`);
	writeFileSync(own, String(process.pid));
	try {
		linkSync(own, lock); // the lock appears together with its content
		return true;
	} catch {
		return false;
	} finally {
		rmSync(own);
	}
}

/** The process that holds the lock; undefined if there is none. */
function holder(): number | undefined {
	try {
		return Number(readFileSync(lock, "utf8"));
	} catch {
		return undefined;
	}
}

function alive(pid: number | undefined): boolean {
	try {
		return pid === undefined || process.kill(pid, 0);
	} catch {
		return false;
	}
}

async function serve(): Promise<void> {
	const server = await new FakeServer(directory).listen();
	const peers = new Set<Peer>();
	let http: HttpState = { state: "running", port };
	const sendStatus = () => {
		const counts = { in_flight: 0, models: 1, requests: 0, tokens_in: 0, tokens_out: 0, started_at: 0 };
		for (const peer of peers) {
			peer.send(0, { type: "status", http, editors: peers.size, consent_needed: false, ...counts });
		}
	};
	const onMessage = (message: FromEditor) => {
		if (message.type === "start") {
			http = { state: "running", port };
			sendStatus();
		} else if (message.type === "stop") {
			http = { state: "off" };
			sendStatus();
		} else if (message.type === "handover") {
			server.close();
			process.exit(0);
		}
	};
	server.publish({ version: process.env.FAKE_VERSION ?? "0.1.0" });
	for (;;) {
		const peer = await server.welcome(process.env.FAKE_VERSION);
		peers.add(peer);
		sendStatus();
		void (async () => {
			for (;;) {
				const { item } = await peer.next();
				"type" in item && onMessage(item);
			}
		})();
		void peer.closed.then(() => {
			peers.delete(peer);
			if (peers.size === 0) {
				server.close();
				process.exit(0);
			}
			sendStatus();
		});
	}
}

writeFileSync(join(directory, "starts"), `${process.pid}\n`, { flag: "a" });
if (!takeLock()) {
	process.exit(ANOTHER_RUNS);
}
switch (process.env.FAKE_SERVER) {
	case "die":
		process.exit(1);
		break;
	case "full":
		process.stderr.write("server.json: No space left on device\n");
		process.exit(1);
		break;
	case "hang":
		setInterval(() => undefined, 60_000);
		break;
	default:
		void serve();
}
