// The checks before a release: packages for all platforms, whole, of the right version, each with a program for its own.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";

const home = join(__dirname, "../..");
const { version } = JSON.parse(readFileSync(join(home, "package.json"), "utf8"));

interface Script {
	TARGETS: Record<string, string>;
	programKind(bytes: Buffer): string;
	faultsOf(bytes: Buffer, target: string, version: string): Promise<string[]>;
	notesOf(changelog: string, version: string): string | undefined;
	examine(folder: string, version: string): Promise<{ faults: string[]; sums: string; notes: string }>;
}
const script = () => import(pathToFileURL(join(home, "scripts/release.mjs")).href) as Promise<Script>;

/** The beginning of a program. */
function program(kind: string): Buffer {
	const bytes = Buffer.alloc(128);
	const [format, processor] = kind.split(" ");
	const isArm = processor === "arm64";
	if (format === "elf") {
		bytes.write("\x7fELF", "latin1");
		bytes.writeUInt16LE(isArm ? 183 : 62, 18);
	} else if (format === "mach-o") {
		bytes.writeUInt32LE(0xfeedfacf, 0);
		bytes.writeUInt32LE(isArm ? 0x0100000c : 0x01000007, 4);
	} else {
		bytes.write("MZ", "latin1");
		bytes.writeUInt32LE(64, 60);
		bytes.write("PE\0\0", 64, "latin1");
		bytes.writeUInt16LE(isArm ? 0xaa64 : 0x8664, 68);
	}
	return bytes;
}

/** A ZIP file with these entries, not packed. Its checksums are 0, which the reader doesn't look at. */
function zip(entries: Record<string, Buffer | string>): Buffer {
	const parts: Buffer[] = [];
	const directory: Buffer[] = [];
	let offset = 0;
	for (const [name, content] of Object.entries(entries)) {
		const data = Buffer.from(content);
		const header = Buffer.alloc(46);
		header.writeUInt32LE(0x02014b50, 0);
		header.writeUInt16LE(10, 6);
		header.writeUInt32LE(data.length, 20);
		header.writeUInt32LE(data.length, 24);
		header.writeUInt16LE(name.length, 28);
		header.writeUInt32LE(offset, 42);
		const local = Buffer.concat([Buffer.from("PK\x03\x04"), header.subarray(6, 32), Buffer.from(name), data]);
		directory.push(header, Buffer.from(name));
		parts.push(local);
		offset += local.length;
	}
	const listed = Buffer.concat(directory);
	const end = Buffer.alloc(22);
	end.writeUInt32LE(0x06054b50, 0);
	end.writeUInt16LE(Object.keys(entries).length, 8);
	end.writeUInt16LE(Object.keys(entries).length, 10);
	end.writeUInt32LE(listed.length, 12);
	end.writeUInt32LE(offset, 16);
	return Buffer.concat([...parts, listed, end]);
}

function entries(target: string, kind: string, more = {}): Record<string, Buffer | string> {
	const suffix = target.startsWith("win32") ? ".exe" : "";
	const files = [
		"LICENSE.txt",
		"ThirdPartyNotices.txt",
		"changelog.md",
		"l10n/bundle.l10n.de.json",
		"out/extension.js",
		"out/panel.js",
		"out/uninstall.js",
		"package.nls.de.json",
		"readme.md",
	];
	return {
		...Object.fromEntries(files.map((name) => [`extension/${name}`, ""])),
		"extension/package.json": JSON.stringify({ version }),
		"extension.vsixmanifest": `<Identity TargetPlatform="${target}"/>`,
		[`extension/bin/copilot-proxy${suffix}`]: program(kind),
		...more,
	};
}

test("formats and processors of programs are recognized", async () => {
	const { programKind, TARGETS } = await script();
	for (const kind of Object.values(TARGETS)) {
		assert.equal(programKind(program(kind)), kind);
	}
	assert.equal(programKind(Buffer.from("#!/bin/sh")), "no program");
	assert.equal(programKind(Buffer.alloc(0)), "no program");
	if (process.platform === "linux") {
		assert.equal(programKind(readFileSync(process.execPath)), `elf ${process.arch}`);
	}
});

test("a package with a fault is not released", async () => {
	const { faultsOf } = await script();
	const faults = (more: object) =>
		faultsOf(zip(entries("darwin-arm64", "mach-o arm64", more)), "darwin-arm64", version);
	assert.deepEqual(await faults({}), []);
	assert.deepEqual(await faults({ "extension/bin/copilot-proxy": program("elf x64") }), [
		"its program is elf x64, not mach-o arm64",
	]);
	assert.deepEqual(await faults({ "extension/package.json": '{"version":"9.9.9"}' }), [
		`its version is 9.9.9, not ${version}`,
	]);
	assert.deepEqual(await faults({ "extension.vsixmanifest": '<Identity TargetPlatform="linux-x64"/>' }), [
		"it is for linux-x64",
	]);
	const { "extension/readme.md": _, ...others } = entries("darwin-arm64", "mach-o arm64");
	assert.deepEqual(await faultsOf(zip(others), "darwin-arm64", version), ["lacks extension/readme.md"]);
	await assert.rejects(faultsOf(Buffer.from("no package"), "darwin-arm64", version));
});

test("all platforms must be there; the checksums are those of the files", async (context) => {
	const { examine, TARGETS } = await script();
	const folder = mkdtempSync(join(tmpdir(), "release-"));
	context.after(() => rmSync(folder, { recursive: true }));
	const undated = (faults: string[]) => faults.filter((fault) => !fault.startsWith("CHANGELOG.md"));
	const name = (target: string) => `copilot-proxy-${target}.vsix`;
	for (const [target, kind] of Object.entries(TARGETS)) {
		writeFileSync(join(folder, name(target)), zip(entries(target, kind)));
	}
	const { faults, sums } = await examine(folder, version);
	assert.deepEqual(undated(faults), []);
	const lines = sums.trimEnd().split("\n");
	assert.equal(lines.length, 8);
	const first = readFileSync(join(folder, name("linux-x64")));
	assert.equal(lines[0], `${createHash("sha256").update(first).digest("hex")}  ${name("linux-x64")}`);

	rmSync(join(folder, name("win32-arm64")));
	writeFileSync(join(folder, name("web")), "");
	const found = undated((await examine(folder, "9.9.9")).faults);
	assert.ok(found.includes(`${name("win32-arm64")}: missing`), String(found));
	assert.ok(found.includes(`${name("web")}: unknown platform`), String(found));
	assert.ok(found.includes(`Cargo.toml: its version is ${version}, not 9.9.9`), String(found));
});

test("the notes are the dated section of the changelog", async () => {
	const { notesOf } = await script();
	const changelog =
		"# Changelog\n\n## 0.2.0 (unreleased)\n- new\n\n## 0.1.0 (2026-12-01)\n\n### Added\n- all\n";
	assert.equal(notesOf(changelog, "0.1.0"), "### Added\n- all");
	assert.equal(notesOf(changelog, "0.2.0"), undefined);
	assert.equal(notesOf(changelog, "0.3.0"), undefined);
});

test("the workflow pins every action, publishes what was checked, and only for tags", () => {
	const workflow = readFileSync(join(home, "../.github/workflows/release.yml"), "utf8");
	const used = [...workflow.matchAll(/uses: (\S+)/g)].map(([, action]) => action ?? "");
	for (const action of used) {
		assert.match(action, /^\.\/|@[0-9a-f]{40}$/, action);
	}
	const [, publish = ""] = workflow.split(/^ {2}publish:$/m);
	assert.match(publish, /^\s*if: \$\{\{ github\.ref_type == 'tag' \}\}$/m);
	assert.match(publish, /needs: check/);
	assert.match(
		publish,
		/sha256sum --check --strict SHA256SUMS[\s\S]*vsce publish --oidc[\s\S]*ovsx[\s\S]*gh release/,
	);
});

test("the listing names one repository, and what it shows is in the package", () => {
	const manifest = JSON.parse(readFileSync(join(home, "package.json"), "utf8"));
	const repository = manifest.repository.url.replace(/\.git$/, "");
	for (const url of [manifest.homepage, manifest.bugs.url, manifest.qna, manifest.badges[0].url]) {
		assert.ok(url.startsWith(repository), url);
	}
	assert.equal(manifest.pricing, "Free");
	assert.ok(manifest.keywords.length <= 30);
	for (const file of [
		"CHANGELOG.md",
		"LICENSE",
		"README.md",
		"ThirdPartyNotices.txt",
		"l10n/**",
		"package.nls*.json",
	]) {
		assert.ok(manifest.files.includes(file), file);
	}
	const readme = readFileSync(join(home, "README.md"), "utf8");
	const pictures = [...readme.matchAll(/!\[[^\]]*\]\(([^)]+)\)/g)].map(([, url]) => url ?? "");
	assert.ok(pictures.length >= 2);
	for (const url of pictures) {
		assert.ok(url.startsWith(`${repository}/raw/main/docs/images/`), url);
	}
});
