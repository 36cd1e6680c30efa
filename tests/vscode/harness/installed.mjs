// Paths of the programs that setup.sh and tests/clients/setup.sh install.
import { createRequire } from "node:module";
import os from "node:os";
import path from "node:path";

/** The folder of everything that is installed for the tests. */
export const cache = path.join(
	process.env.XDG_CACHE_HOME ?? path.join(os.homedir(), ".cache"),
	"copilot-proxy",
);
const home = path.join(cache, "vscode");

export const codeServer = path.join(home, "node_modules/code-server/out/node/entry.js");
export const { chromium } = createRequire(path.join(home, "package.json"))("playwright-core");
export const chromiumPath = process.env.CHROMIUM ?? "/usr/bin/chromium";

/** The folder of the sets of clients, by the names that tests/clients/setup.sh takes, and of `bin`, the Node they run on. */
export const clients = path.join(cache, "clients");
