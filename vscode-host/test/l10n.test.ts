// The translations: each has every text of package.json and of the source, with the same placeholders, links and code.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { beforeEach, test } from "node:test";
import { pathToFileURL } from "node:url";
import { fake, l10n } from "./fake/vscode";

const home = join(__dirname, "../..");

type Texts = Record<string, string>;
interface Script {
	LANGUAGES: string[];
	textsOf(home: string): Promise<Texts>;
	read(home: string, name: string): Texts;
}
const script = () => import(pathToFileURL(join(home, "scripts/l10n.mjs")).href) as Promise<Script>;

/** Parts of a text that every translation keeps: placeholders, code, links to commands. */
function kept(text: string): string[] {
	return (text.match(/\{\w+\}|`[^`]+`|\(command:[\w.]+\)|https?:\/\/[^\s()]+\d/g) ?? []).sort();
}

function compare(name: string, english: Texts, translated: Texts): void {
	assert.deepEqual(Object.keys(translated).sort(), Object.keys(english).sort(), name);
	for (const [key, text] of Object.entries(english)) {
		const translation = translated[key] ?? "";
		assert.notEqual(translation.trim(), "", `${name}: ${key}`);
		assert.deepEqual(kept(translation), kept(text), `${name}: ${key}`);
		const ends = (text: string) => /\.\.\.$/.test(text);
		assert.equal(
			ends(translation),
			ends(text),
			`${name}: only the label of an action with input ends in ...: ${key}`,
		);
	}
}

beforeEach(() => {
	fake.translations = {};
});

test("each translation has all texts of the source", async () => {
	const { LANGUAGES, textsOf, read } = await script();
	const texts = await textsOf(home);
	assert.ok(Object.keys(texts).length > 100, "texts were found");
	assert.deepEqual(read(home, "l10n/bundle.l10n.json"), texts, "out of date: npm run l10n");
	for (const language of LANGUAGES) {
		compare(language, texts, read(home, `l10n/bundle.l10n.${language}.json`));
	}
});

test("each translation has all texts of package.json", async () => {
	const { LANGUAGES, read } = await script();
	const english = read(home, "package.nls.json");
	const manifest = readFileSync(join(home, "package.json"), "utf8");
	const used = [...manifest.matchAll(/"%([^%]+)%"/g)].map(([, key]) => key ?? "");
	assert.deepEqual([...new Set(used)].sort(), Object.keys(english).sort());
	for (const language of LANGUAGES) {
		compare(language, english, read(home, `package.nls.${language}.json`));
	}
});

/** The texts of package.json that VS Code shows, by their path. */
function shownTexts(value: unknown, path: string): [path: string, text: string][] {
	if (typeof value === "string") {
		const shown =
			/\.(title|description|\w+Description|deprecationMessage|\w+Descriptions\.\d+|enumItemLabels\.\d+)$/;
		return shown.test(path) ? [[path, value]] : [];
	}
	return typeof value === "object" && value !== null
		? Object.entries(value).flatMap(([name, part]) => shownTexts(part, `${path}.${name}`))
		: [];
}

test("package.json has no text of its own", () => {
	const { description, capabilities, contributes } = JSON.parse(
		readFileSync(join(home, "package.json"), "utf8"),
	);
	const shown = shownTexts({ description, capabilities, contributes }, "");
	assert.ok(shown.length > 40);
	// The name of the extension is the same in all languages.
	const literal = shown.filter(([, text]) => !/^%.+%$/.test(text) && text !== "Copilot Proxy");
	assert.deepEqual(literal, []);
});

/** Texts for users that are no argument of `l10n.t`, where the source shows them: in options of VS Code, in templates. */
const LITERALS = [
	/show(?:Information|Warning|Error)Message\(\s*(["`][^"`]*["`])/g,
	/\b(?:title|placeHolder|prompt|label|detail|description|tooltip): (["`][^"`]*["`])/g,
	/\b(?:aria-label|title|placeholder)=("[^"]*")/g,
	/<(?:button|p|h1|h2|h3|span|th|dt|summary|caption|label)\b[^<>]*>([^<>]*)</g,
];

test("every text that users see is passed through l10n.t", () => {
	const files = ["src", "webview"].flatMap((folder) =>
		readdirSync(join(home, folder), { recursive: true }).map((name) => join(home, folder, String(name))),
	);
	const found = files.flatMap((file) => {
		if (!file.endsWith(".ts") || /protocol\.ts$|generated\.ts$/.test(file)) {
			return [];
		}
		// Expressions, icons and the name of the extension are no texts.
		const text = readFileSync(file, "utf8").replaceAll(/l10n\.t\(\s*"[^"]*"/g, "l10n.t(");
		const literals = LITERALS.flatMap((pattern) =>
			[...text.matchAll(pattern)].map(([, literal]) => literal ?? ""),
		);
		const plain = literals.map((literal) =>
			literal.replaceAll(/\$\{[^}]*(?:\}|$)|\$\([\w~-]+\)|Copilot Proxy|\b(?:OpenAI|PowerShell|POST)\b/g, ""),
		);
		// The rest of an expression has its signs.
		const isText = (literal: string) => /[A-Za-z]{3}/.test(literal) && !/[{}?=;]|\) /.test(literal);
		return plain.filter(isText).map((literal) => `${basename(file)}: ${literal}`);
	});
	assert.deepEqual(found, []);
});

test("commands named in a text are those of the same language", async () => {
	const { LANGUAGES, read } = await script();
	for (const language of LANGUAGES) {
		const texts = read(home, `package.nls.${language}.json`);
		const named = [...`${texts["setting.autoStart"]}`.matchAll(/\*Copilot Proxy: ([^*]+)\*/g)];
		assert.deepEqual(
			named.map(([, title]) => title),
			[texts["command.start"]],
		);
	}
});

test("placeholders are filled in, in the order of the translation", () => {
	fake.translations = { "Port {port} is {state}": "{state}: {port}" };
	assert.equal(l10n.t("Port {port} is {state}", { port: 8080, state: "free" }), "free: 8080");
	assert.equal(l10n.t("{0} of {1}", 1, 2), "1 of 2");
});
