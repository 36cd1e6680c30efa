// Writes the English texts of the source to l10n/bundle.l10n.json (`npm run l10n`), and names what the translations lack.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { extname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { getL10nJson } from "@vscode/l10n-dev";

/** The folders whose texts are translated. */
const FOLDERS = ["src", "webview"];

/** The languages of the translations, as VS Code names them. */
export const LANGUAGES = ["de", "ja", "zh-cn"];

/** The texts of the source in `home`, sorted. */
export async function textsOf(home) {
	const names = FOLDERS.flatMap((folder) =>
		readdirSync(join(home, folder), { recursive: true }).map((name) => join(home, folder, String(name))),
	);
	const files = names
		.filter((name) => name.endsWith(".ts"))
		.map((name) => ({
			extension: extname(name),
			// The page's own l10n.ts has the form of this library, which is what is looked for.
			contents: readFileSync(name, "utf8").replace(/"\.+\/l10n"/, '"@vscode/l10n"'),
		}));
	const texts = Object.entries(await getL10nJson(files));
	return Object.fromEntries(texts.sort(([one], [other]) => (one < other ? -1 : 1)));
}

/** A JSON file of texts in `home`. */
export function read(home, name) {
	return JSON.parse(readFileSync(join(home, name), "utf8"));
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
	const home = join(import.meta.dirname, "..");
	const texts = await textsOf(home);
	writeFileSync(join(home, "l10n", "bundle.l10n.json"), `${JSON.stringify(texts, null, "\t")}\n`);
	for (const language of LANGUAGES) {
		for (const name of ["l10n/bundle.l10n", "package.nls"]) {
			const [english, translated] = [`${name}.json`, `${name}.${language}.json`].map((file) =>
				read(home, file),
			);
			const missing = Object.keys(english).filter((key) => !(key in translated));
			const unused = Object.keys(translated).filter((key) => !(key in english));
			for (const key of missing) process.stdout.write(`${name}.${language}.json lacks: ${key}\n`);
			for (const key of unused)
				process.stdout.write(`${name}.${language}.json has, but nothing uses: ${key}\n`);
		}
	}
}
