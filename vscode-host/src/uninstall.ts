// VS Code runs this in a plain Node.js once the extension is uninstalled in the last version (`vscode:uninstall` in
// package.json): puts back the configuration files that `setup` wrote. Those that were changed since stay as they are.

import { spawnSync } from "node:child_process";
import { chmodSync, existsSync } from "node:fs";
import { join } from "node:path";

/** VS Code ends the script after five seconds. */
const TIME_LIMIT = 4000;

const program = join(
	__dirname,
	"..",
	"bin",
	process.platform === "win32" ? "copilot-proxy.exe" : "copilot-proxy",
);
if (existsSync(program)) {
	chmodSync(program, 0o755); // packaging may have removed the executable bit
	spawnSync(program, ["setup", "--undo", "--all", "--yes"], {
		stdio: "inherit",
		timeout: TIME_LIMIT,
		windowsHide: true,
	});
}
