// Where setup.sh put things.
import { createRequire } from "node:module";
import os from "node:os";
import path from "node:path";

const cache = process.env.XDG_CACHE_HOME ?? path.join(os.homedir(), ".cache");
const home = path.join(cache, "copilot-proxy/vscode");

export const codeServer = path.join(home, "node_modules/code-server/out/node/entry.js");
export const { chromium } = createRequire(path.join(home, "package.json"))("playwright-core");
export const chromiumPath = process.env.CHROMIUM ?? "/usr/bin/chromium";
