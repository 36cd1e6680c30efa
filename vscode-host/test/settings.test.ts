import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { beforeEach, test } from "node:test";
import { type Declared, Settings } from "../src/settings";
import { ConfigurationTarget, fake } from "./fake/vscode";

const manifest = JSON.parse(readFileSync(join(__dirname, "../../package.json"), "utf8"));
const declared: Record<string, Declared & { scope: string }> = manifest.contributes.configuration.properties;

beforeEach(() => {
	fake.settings = Object.fromEntries(
		Object.entries(declared).map(([name, property]) => [name.replace("copilotProxy.", ""), property.default]),
	);
});

const defaults = {
	port: 8080,
	ipv6: false,
	default_model: "",
	fallbacks: [],
	log_requests_to_ui: false,
	raw_logging: false,
	allowed_origins: [],
	blocked_origins: [],
	tool_origins: [],
	allowed_hosts: [],
	auto_tools: { allow: ["*"], deny: [] },
	web_search_tool: "",
	model_timeout: 300,
	auto_tier: "",
	context_size: "full",
	budgets: { all: {}, per_client: {} },
};

test("the defaults are those of package.json, and workspaces can't change a setting", () => {
	const settings = new Settings(declared);
	assert.deepEqual(settings.userSettings, defaults);
	assert.deepEqual([settings.autoStart, settings.serverPath], [true, ""]);
	assert.deepEqual(
		Object.values(declared).filter(({ scope }) => scope !== "application"),
		[],
	);
});

test("the server gets the user's settings", () => {
	Object.assign(fake.settings, {
		port: 0,
		ipv6: true,
		defaultModel: " gpt ",
		fallbacks: ["gpt-5-mini"],
		logRequestsToUI: true,
		rawLogging: true,
		allowedOrigins: ["http://a"],
		blockedOrigins: ["http://c"],
		toolOrigins: ["http://b"],
		allowedHosts: ["c"],
		autoTools: { allow: ["get_*"] },
		webSearchTool: " brave_web_search ",
		modelTimeout: 60,
		autoTier: "efficiency",
		contextSize: "standard",
		budgets: { perDay: 20, tokensPerMonth: 1e6, perClient: { codex_cli_rs: { perMonth: 0.5 } } },
	});
	assert.deepEqual(new Settings(declared).userSettings, {
		port: 0,
		ipv6: true,
		default_model: "gpt",
		fallbacks: ["gpt-5-mini"],
		log_requests_to_ui: true,
		raw_logging: true,
		allowed_origins: ["http://a"],
		blocked_origins: ["http://c"],
		tool_origins: ["http://b"],
		allowed_hosts: ["c"],
		auto_tools: { allow: ["get_*"], deny: [] },
		web_search_tool: "brave_web_search",
		model_timeout: 60,
		auto_tier: "efficiency",
		context_size: "standard",
		budgets: {
			all: { per_day: 20, tokens_per_month: 1e6 },
			per_client: { codex_cli_rs: { per_month: 0.5 } },
		},
	});
});

test("a value of the wrong type counts as not set", () => {
	Object.assign(fake.settings, {
		port: "8081",
		defaultModel: null,
		fallbacks: "gpt-5-mini",
		logRequestsToUI: "yes",
		allowedOrigins: ["a", 7],
		toolOrigins: "http://b",
		autoTools: { allow: "*", deny: [1] },
		webSearchTool: ["x"],
		modelTimeout: 1.5,
		autoTier: "fast",
		contextSize: "small",
		budgets: { perDay: "20", perMonth: -1, perClient: { a: 7 } },
		serverPath: 7,
	});
	assert.deepEqual(new Settings(declared).userSettings, defaults);
	for (const port of [-1, 65_536, Number.NaN, 80.5]) {
		fake.settings.port = port;
		assert.equal(new Settings(declared).port, 8080);
	}
	assert.equal(new Settings(declared).serverPath, "");
});

test("~ in serverPath is the home directory", () => {
	fake.settings.serverPath = "~/bin/copilot-proxy";
	assert.equal(new Settings(declared).serverPath, join(homedir(), "bin/copilot-proxy"));
});

test("a change event has the names of the changed settings, and only of this extension", () => {
	const settings = new Settings(declared);
	const changes: boolean[][] = [];
	settings.onDidChange((changed) => changes.push([changed("port"), changed("serverPath")]));
	fake.set("port", 9);
	fake.changes.configuration.fire({ affectsConfiguration: (name) => "editor.fontSize".startsWith(name) });
	settings.dispose();
	fake.set("port", 10);
	assert.deepEqual(changes, [[true, false]]);
});

test("the panel gets every setting with its kind and whether it has its default", () => {
	fake.settings.port = 9000;
	fake.settings.modelTimeout = "soon";
	const views = new Settings(declared).views;
	assert.deepEqual(
		views.map(({ name, kind, isSecret, isDefault }) => [name, kind, isSecret, isDefault]),
		[
			["port", "number", false, false],
			["ipv6", "switch", false, true],
			["autoStart", "switch", false, true],
			["defaultModel", "text", false, true],
			["fallbacks", "lines", false, true],
			["autoTier", "choice", false, true],
			["contextSize", "choice", false, true],
			["modelTimeout", "number", false, true],
			["autoTools", "patterns", false, true],
			["webSearchTool", "text", false, true],
			["allowedOrigins", "lines", false, true],
			["blockedOrigins", "lines", false, true],
			["toolOrigins", "lines", false, true],
			["allowedHosts", "lines", false, true],
			["logRequestsToUI", "switch", false, true],
			["rawLogging", "switch", false, true],
			["serverPath", "text", false, true],
		],
	);
	const [port] = views;
	assert.deepEqual([port?.value, port?.minimum, port?.maximum], [9000, 0, 65_535]);
});

test("a valid change in the panel is written to the user settings, an invalid one is not", async () => {
	const settings = new Settings(declared);
	fake.written.length = 0;
	await settings.write("port", 9000);
	await settings.write("port", 8080);
	await settings.write("allowedOrigins", ["http://a"]);
	await settings.write("autoTools", { allow: ["get_*"], deny: [] });
	await settings.write("port", 70_000);
	await settings.write("port", "9000");
	await settings.write("allowedOrigins", [1]);
	await settings.write("autoTools", { allow: "all" });
	await settings.write("unknown", 1);
	const { Global } = ConfigurationTarget;
	assert.deepEqual(fake.written, [
		["port", 9000, Global],
		["port", undefined, Global],
		["allowedOrigins", ["http://a"], Global],
		["autoTools", { allow: ["get_*"], deny: [] }, Global],
	]);
});

test("the pages about settings list every setting with its default", () => {
	for (const path of ["../../README.md", "../../../docs/settings.md"]) {
		const readme = readFileSync(join(__dirname, path), "utf8");
		const rows = new Map(
			[...readme.matchAll(/^\| `(\w+)`\s*\|\s*([^|]*?)\s*\|/gm)].map(([, name, value]) => [name, value]),
		);
		for (const [name, { default: value, deprecationMessage }] of Object.entries(declared)) {
			if (deprecationMessage !== undefined) {
				continue;
			}
			const row = rows.get(name.replace("copilotProxy.", ""));
			const shown = value === "" ? "" : name.endsWith("autoTools") ? "all" : `\`${JSON.stringify(value)}\``;
			assert.equal(row, shown, `${path}: ${name}`);
		}
	}
});
