// Packages the extension for one platform, with the server program that lies in bin/:
//   npm run package -- --target linux-x64
// leaves ../dist/copilot-proxy-linux-x64.vsix.
import { chmodSync, copyFileSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { createVSIX } from "@vscode/vsce";
import { notices } from "./notices.mjs";

const here = dirname(dirname(fileURLToPath(import.meta.url)));
const { values } = parseArgs({ options: { target: { type: "string" }, out: { type: "string" } } });
const target = values.target ?? `${process.platform}-${process.arch}`;
const program = join(here, "bin", target.startsWith("win32") ? "copilot-proxy.exe" : "copilot-proxy");

if (!existsSync(program)) {
	throw new Error(
		`${program} is missing: build the server for ${target} and copy it there (make package does)`,
	);
}
chmodSync(program, 0o755);
for (const file of ["LICENSE", "CHANGELOG.md"]) {
	copyFileSync(join(here, "..", file), join(here, file));
}
writeFileSync(join(here, "ThirdPartyNotices.txt"), await notices(target));
const packagePath = values.out ?? join(here, "..", "dist", `copilot-proxy-${target}.vsix`);
mkdirSync(dirname(packagePath), { recursive: true });
await createVSIX({ cwd: here, target, packagePath, dependencies: false, skipLicense: false });
