import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { beforeEach, test } from "node:test";
import { Settings } from "../src/settings";
import { fake } from "./fake/vscode";

const manifest = JSON.parse(readFileSync(join(__dirname, "../../package.json"), "utf8"));
const properties: Record<string, { default: unknown; scope: string }> =
	manifest.contributes.configuration.properties;

beforeEach(() => {
	fake.settings = Object.fromEntries(
		Object.entries(properties).map(([name, property]) => [
			name.replace("copilotProxy.", ""),
			property.default,
		]),
	);
});

const defaults = {
	port: 8080,
	default_model: "",
	log_requests_to_ui: false,
	raw_logging: false,
	api_key: "",
	allowed_origins: ["*"],
	tool_origins: [],
	allowed_hosts: [],
	auto_tools: { allow: ["*"], deny: [] },
	model_timeout: 300,
};

test("the defaults are those of package.json, and no workspace can change a setting", () => {
	const settings = new Settings();
	assert.deepEqual(settings.preferences, defaults);
	assert.deepEqual([settings.autoStart, settings.serverPath], [true, ""]);
	assert.deepEqual(
		Object.values(properties).filter(({ scope }) => scope !== "application"),
		[],
	);
});

test("what a person set is told", () => {
	Object.assign(fake.settings, {
		port: 0,
		defaultModel: " gpt ",
		logRequestsToUI: true,
		rawLogging: true,
		apiKey: "secret",
		allowedOrigins: ["http://a"],
		toolOrigins: ["http://b"],
		allowedHosts: ["c"],
		autoTools: { allow: ["get_*"] },
		modelTimeout: 60,
	});
	assert.deepEqual(new Settings().preferences, {
		port: 0,
		default_model: "gpt",
		log_requests_to_ui: true,
		raw_logging: true,
		api_key: "secret",
		allowed_origins: ["http://a"],
		tool_origins: ["http://b"],
		allowed_hosts: ["c"],
		auto_tools: { allow: ["get_*"], deny: [] },
		model_timeout: 60,
	});
});

test("a value of another type counts as not set", () => {
	Object.assign(fake.settings, {
		port: "8081",
		defaultModel: null,
		logRequestsToUI: "yes",
		allowedOrigins: ["a", 7],
		toolOrigins: "http://b",
		autoTools: { allow: "*", deny: [1] },
		modelTimeout: 1.5,
		serverPath: 7,
	});
	assert.deepEqual(new Settings().preferences, defaults);
	for (const port of [-1, 65_536, Number.NaN, 80.5]) {
		fake.settings.port = port;
		assert.equal(new Settings().port, 8080);
	}
	assert.equal(new Settings().serverPath, "");
});

test("~ in the server's path is the home directory", () => {
	fake.settings.serverPath = "~/bin/copilot-proxy";
	assert.equal(new Settings().serverPath, join(homedir(), "bin/copilot-proxy"));
});

test("changes are told with their names, those of others are not", () => {
	const settings = new Settings();
	const heard: boolean[][] = [];
	settings.onDidChange((changed) => heard.push([changed("port"), changed("serverPath")]));
	fake.set("port", 9);
	fake.changes.configuration.fire({ affectsConfiguration: (name) => "editor.fontSize".startsWith(name) });
	settings.dispose();
	fake.set("port", 10);
	assert.deepEqual(heard, [[true, false]]);
});
