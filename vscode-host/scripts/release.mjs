// Checks the packages of a release and writes what belongs beside them: SHA256SUMS and the notes of the release.
//   node scripts/release.mjs --version 0.1.0 [--packages ../dist]
// Nothing is published here; .github/workflows/release.yml does that with what this has checked.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { fromBuffer } from "yauzl";

const home = fileURLToPath(new URL("..", import.meta.url));

/** The platforms that are released, and the beginning of their programs: format and processor. */
export const TARGETS = {
	"linux-x64": "elf x64",
	"linux-arm64": "elf arm64",
	"alpine-x64": "elf x64",
	"alpine-arm64": "elf arm64",
	"darwin-x64": "mach-o x64",
	"darwin-arm64": "mach-o arm64",
	"win32-x64": "pe x64",
	"win32-arm64": "pe arm64",
};

/** Files that every package has, besides the program. */
const FILES = [
	"extension/LICENSE.txt",
	"extension/ThirdPartyNotices.txt",
	"extension/changelog.md",
	"extension/l10n/bundle.l10n.de.json",
	"extension/out/extension.js",
	"extension/out/panel.js",
	"extension/out/uninstall.js",
	"extension/package.json",
	"extension/package.nls.de.json",
	"extension/readme.md",
];

const PROCESSORS = {
	62: "x64",
	183: "arm64",
	16777223: "x64",
	16777228: "arm64",
	34404: "x64",
	43620: "arm64",
};

/** Format and processor of a program. */
export function programKind(bytes) {
	const processor = (number) => PROCESSORS[number] ?? "unknown";
	if (bytes.length >= 20 && bytes.toString("latin1", 0, 4) === "\x7fELF") {
		return `elf ${processor(bytes.readUInt16LE(18))}`;
	}
	if (bytes.length >= 8 && bytes.readUInt32LE(0) === 0xfeedfacf) {
		return `mach-o ${processor(bytes.readUInt32LE(4))}`;
	}
	if (bytes.length >= 64 && bytes.toString("latin1", 0, 2) === "MZ") {
		const header = bytes.readUInt32LE(60);
		const isThere = header + 6 <= bytes.length && bytes.toString("latin1", header, header + 4) === "PE\0\0";
		return `pe ${isThere ? processor(bytes.readUInt16LE(header + 4)) : "unknown"}`;
	}
	return "no program";
}

/** The names in a package, and the content of those that `wanted` accepts. */
function entriesOf(bytes, wanted) {
	return new Promise((resolve, reject) => {
		fromBuffer(bytes, { lazyEntries: true }, (failed, zip) => {
			if (failed) {
				return reject(failed);
			}
			const entries = new Map();
			zip.on("error", reject).on("end", () => resolve(entries));
			zip.on("entry", (entry) => {
				entries.set(entry.fileName, undefined);
				if (!wanted(entry.fileName)) {
					return zip.readEntry();
				}
				zip.openReadStream(entry, (failed, stream) => {
					if (failed) {
						return reject(failed);
					}
					const chunks = [];
					stream.on("error", reject).on("data", (chunk) => chunks.push(chunk));
					stream.on("end", () => {
						entries.set(entry.fileName, Buffer.concat(chunks));
						zip.readEntry();
					});
				});
			});
			zip.readEntry();
		});
	});
}

/** The faults of one package: empty if it can be released. */
export async function faultsOf(bytes, target, version) {
	const program = target.startsWith("win32")
		? "extension/bin/copilot-proxy.exe"
		: "extension/bin/copilot-proxy";
	const read = [program, "extension/package.json", "extension.vsixmanifest"];
	const entries = await entriesOf(bytes, (name) => read.includes(name));
	const faults = [...FILES, ...read].filter((name) => !entries.has(name)).map((name) => `lacks ${name}`);
	if (faults.length > 0) {
		return faults;
	}
	const kind = programKind(entries.get(program));
	const manifest = JSON.parse(entries.get("extension/package.json").toString());
	const platform = /TargetPlatform="([^"]*)"/.exec(entries.get("extension.vsixmanifest").toString())?.[1];
	return [
		...(kind === TARGETS[target] ? [] : [`its program is ${kind}, not ${TARGETS[target]}`]),
		...(manifest.version === version ? [] : [`its version is ${manifest.version}, not ${version}`]),
		...(platform === target ? [] : [`it is for ${platform}`]),
	];
}

/** The section of a version in the changelog; undefined if there is none or it is not dated yet. */
export function notesOf(changelog, version) {
	const sections = changelog.split(/^## /m).slice(1);
	const section = sections.find((text) => text.startsWith(`${version} `));
	const [title = "", ...lines] = section?.split("\n") ?? [];
	return /\d{4}-\d\d-\d\d/.test(title) ? lines.join("\n").trim() : undefined;
}

/** Checks everything of a release; returns the faults and the two files' contents. */
export async function examine(folder, version) {
	const faults = [];
	const names = readdirSync(folder).filter((name) => name.endsWith(".vsix"));
	const wanted = Object.keys(TARGETS).map((target) => `copilot-proxy-${target}.vsix`);
	faults.push(...names.filter((name) => !wanted.includes(name)).map((name) => `${name}: unknown platform`));
	const sums = [];
	for (const [at, target] of Object.keys(TARGETS).entries()) {
		const name = wanted[at];
		if (!names.includes(name)) {
			faults.push(`${name}: missing`);
			continue;
		}
		const bytes = readFileSync(join(folder, name));
		faults.push(...(await faultsOf(bytes, target, version)).map((fault) => `${name}: ${fault}`));
		sums.push(`${createHash("sha256").update(bytes).digest("hex")}  ${name}\n`);
	}
	const cargo = /^version = "([^"]+)"/m.exec(readFileSync(join(home, "../Cargo.toml"), "utf8"))?.[1];
	if (cargo !== version) {
		faults.push(`Cargo.toml: its version is ${cargo}, not ${version}`);
	}
	const notes = notesOf(readFileSync(join(home, "../CHANGELOG.md"), "utf8"), version);
	if (notes === undefined) {
		faults.push(`CHANGELOG.md: no dated section for ${version}`);
	}
	return { faults, sums: sums.join(""), notes: notes ?? "" };
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
	const { values } = parseArgs({ options: { version: { type: "string" }, packages: { type: "string" } } });
	const folder = values.packages ?? join(home, "../dist");
	const { faults, sums, notes } = await examine(folder, values.version ?? "");
	writeFileSync(join(folder, "SHA256SUMS"), sums);
	writeFileSync(join(folder, "NOTES.md"), `${notes}\n`);
	process.stdout.write(sums);
	for (const fault of faults) {
		process.stderr.write(`${fault}\n`);
	}
	process.exitCode = faults.length === 0 ? 0 : 1;
}
