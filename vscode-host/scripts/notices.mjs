// Collects the licences of all that a package ships: the crates in the server program for one platform, and the npm
// packages in the bundles. scripts/package.mjs writes them to ThirdPartyNotices.txt.
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { build } from "esbuild";

const home = join(import.meta.dirname, "..");

/** The platforms of packages as Rust names them. */
const TRIPLES = {
	"linux-x64": "x86_64-unknown-linux-musl",
	"alpine-x64": "x86_64-unknown-linux-musl",
	"linux-arm64": "aarch64-unknown-linux-musl",
	"alpine-arm64": "aarch64-unknown-linux-musl",
	"darwin-x64": "x86_64-apple-darwin",
	"darwin-arm64": "aarch64-apple-darwin",
	"win32-x64": "x86_64-pc-windows-msvc",
	"win32-arm64": "aarch64-pc-windows-msvc",
};

/** Names of files with the text of a licence. */
const TEXTS = /^(licen[cs]e|copying|copyright|notice|unlicense)/i;

/** Parts that no list of packages has. */
const OTHERS = [
	{
		name: "o200k_base",
		version: "vocabulary",
		license: "MIT",
		url: "https://github.com/openai/tiktoken",
		texts: [join(home, "../src/tokens/o200k/LICENSE")],
	},
	{
		name: "SQLite",
		version: "in libsqlite3-sys",
		license: "public domain",
		url: "https://sqlite.org/copyright.html",
		texts: [],
	},
	{
		name: "Rust's standard library",
		version: "in the program",
		license: "MIT OR Apache-2.0",
		url: "https://github.com/rust-lang/rust",
		texts: [],
	},
];

/** All third-party parts of a package for `target`: `{name, version, license, url, texts}`, with the files of texts. */
export async function partsOf(target) {
	const musl = {
		name: "musl",
		version: "in the program",
		license: "MIT",
		url: "https://musl.libc.org",
		texts: [],
	};
	const others = /^(linux|alpine)/.test(target) ? [...OTHERS, musl] : OTHERS;
	return [...crates(target), ...(await npmPackages()), ...others];
}

/** The crates that are linked into the program, without those of tests and of build scripts. */
function crates(target) {
	const args = ["metadata", "--locked", "--format-version", "1", "--filter-platform", TRIPLES[target]];
	const output = execFileSync("cargo", args, {
		cwd: join(home, ".."),
		maxBuffer: 1 << 28,
		stdio: ["ignore", "pipe", "inherit"],
	});
	const { packages, resolve } = JSON.parse(output);
	const byId = new Map(packages.map((each) => [each.id, each]));
	const nodes = new Map(resolve.nodes.map((node) => [node.id, node]));
	const linked = new Set([resolve.root]);
	for (const id of linked) {
		for (const { pkg, dep_kinds } of nodes.get(id).deps) {
			const isMacro = byId.get(pkg).targets.some(({ kind }) => kind.includes("proc-macro"));
			if (!isMacro && dep_kinds.some(({ kind }) => kind === null)) linked.add(pkg);
		}
	}
	linked.delete(resolve.root);
	return [...linked].map((id) => {
		const { name, version, license, repository, homepage, authors, manifest_path } = byId.get(id);
		const url = repository ?? homepage ?? `https://crates.io/crates/${name}`;
		return { name, version, license, url, authors, texts: textsIn(dirname(manifest_path)) };
	});
}

/** The packages whose code is in the bundles. */
async function npmPackages() {
	const { metafile } = await build({
		absWorkingDir: home,
		entryPoints: ["src/extension.ts", "src/uninstall.ts", "webview/main.ts"],
		bundle: true,
		external: ["vscode"],
		metafile: true,
		outdir: "out",
		platform: "node",
		write: false,
	});
	const folders = Object.keys(metafile.inputs).flatMap((file) =>
		(/^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(file) ?? []).slice(1),
	);
	return [...new Set(folders)].map((folder) => {
		const { name, version, license, homepage } = JSON.parse(
			readFileSync(join(home, folder, "package.json"), "utf8"),
		);
		const url = homepage ?? `https://www.npmjs.com/package/${name}`;
		return { name, version, license, url, texts: textsIn(join(home, folder)) };
	});
}

function textsIn(folder) {
	const names = existsSync(folder) ? readdirSync(folder, { withFileTypes: true }) : [];
	return names
		.filter((entry) => entry.isFile() && TEXTS.test(entry.name))
		.map(({ name }) => join(folder, name));
}

/** The notices of all parts as one text; a licence text that several parts have comes once. */
export async function notices(target) {
	const parts = (await partsOf(target)).sort((one, other) => one.name.localeCompare(other.name, "en"));
	const texts = new Map();
	for (const { name, version, texts: files } of parts) {
		for (const file of files) {
			const text = readFileSync(file, "utf8").replaceAll("\r\n", "\n").trim();
			const found = texts.get(text) ?? texts.set(text, { file: basename(file), parts: [] }).get(text);
			found.parts.push(`${name} ${version}`);
		}
	}
	const line = ({ name, version, license, url, authors = [], texts: files }) =>
		`${name} ${version} (${license}), ${url}${files.length === 0 && authors.length > 0 ? `, by ${authors.join(", ")}` : ""}`;
	const rule = "-".repeat(80);
	return [
		"Copilot Proxy contains the following parts by others.\n",
		...parts.map(line),
		"",
		...[...texts].map(([text, { parts }]) => `${rule}\n${parts.join(", ")}\n${rule}\n\n${text}\n`),
	].join("\n");
}
