// Packages the extension for one platform, with the server program that lies in bin/:
//   npm run package -- --target linux-x64
// leaves ../dist/copilot-proxy-linux-x64.vsix.
import { execFileSync } from "node:child_process";
import { chmodSync, copyFileSync, existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
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
writeManuals();
const packagePath = values.out ?? join(here, "..", "dist", `copilot-proxy-${target}.vsix`);
mkdirSync(dirname(packagePath), { recursive: true });
await createVSIX({ cwd: here, target, packagePath, dependencies: false, skipLicense: false });

/** Writes the program's man page and completion scripts to share/. A program for another system can't be asked for them. */
function writeManuals() {
	const share = join(here, "share");
	rmSync(share, { recursive: true, force: true });
	const files = [
		["man/man1/copilot-proxy.1", ["man"]],
		["bash-completion/completions/copilot-proxy", ["completions", "bash"]],
		["zsh/site-functions/_copilot-proxy", ["completions", "zsh"]],
		["fish/vendor_completions.d/copilot-proxy.fish", ["completions", "fish"]],
		["powershell/copilot-proxy.ps1", ["completions", "powershell"]],
	];
	for (const [name, command] of files) {
		let text;
		try {
			text = execFileSync(program, command);
		} catch (error) {
			process.stdout.write(
				`package: no man page and completions, ${program} doesn't run here: ${error.message}\n`,
			);
			return;
		}
		mkdirSync(dirname(join(share, name)), { recursive: true });
		writeFileSync(join(share, name), text);
	}
}
