// Where setup.sh put things, and tests/clients/setup.sh the clients.
import { createRequire } from "node:module";
import os from "node:os";
import path from "node:path";

const cache = path.join(process.env.XDG_CACHE_HOME ?? path.join(os.homedir(), ".cache"), "copilot-proxy");
const home = path.join(cache, "vscode");

export const codeServer = path.join(home, "node_modules/code-server/out/node/entry.js");
export const { chromium } = createRequire(path.join(home, "package.json"))("playwright-core");
export const chromiumPath = process.env.CHROMIUM ?? "/usr/bin/chromium";

/** The folder of the clients' sets, one for each name that tests/clients/setup.sh takes. */
export const clients = path.join(cache, "clients");

/** The folder of the agents' programs, and that of the Node they run on. */
export const agents = {
	programs: path.join(clients, "agents/node_modules/.bin"),
	node: path.join(clients, "bin"),
};
