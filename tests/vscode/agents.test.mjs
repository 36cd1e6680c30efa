// Coding agents as people run them, each in a throw-away home, taking a turn with a tool call through a real VS Code.
// tests/clients/setup.sh installs them; where it has not been run, these tests are skipped.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import path from "node:path";
import { text } from "node:stream/consumers";
import { after, before, test } from "node:test";
import { startProxy } from "./harness/index.mjs";
import { agents } from "./harness/installed.mjs";

// What an agent wants from the outside (prices, updates, telemetry) ends at a port where nobody listens.
const NOWHERE = "http://127.0.0.1:9";

const missing = (agent) =>
	fs.existsSync(path.join(agents.programs, agent))
		? false
		: `${agent} is not installed: tests/clients/setup.sh agents node`;

let proxy;

before(async () => {
	if (["claude", "codex", "opencode"].every(missing)) return;
	proxy = await startProxy();
	await proxy.editor.open();
	await proxy.untilServing();
});
after(() => proxy?.stop());

const script = (agent, call) =>
	`say:I shall leave a proof.\ncall:${call.tool} ${JSON.stringify(call.input)}\nthen:\nsay:${agent} is done.\n`;
const PROOF = "echo made by an agent > proof.txt";

/** Runs an agent in a home and a project with these files; gives what it printed, and the proof it left. */
async function run(agent, args, { stdin, files = {}, environment = {} }) {
	const place = proxy.editor.folder({ "home/.keep": "", "project/hello.txt": "old\n", ...files });
	const project = path.join(place, "project");
	const child = spawn(path.join(agents.programs, agent), args, {
		cwd: project,
		env: {
			PATH: `${agents.node}:${process.env.PATH}`,
			HOME: path.join(place, "home"),
			HTTP_PROXY: NOWHERE,
			HTTPS_PROXY: NOWHERE,
			NO_PROXY: "127.0.0.1,localhost",
			no_proxy: "127.0.0.1,localhost",
			...environment,
		},
		stdio: ["pipe", "pipe", "pipe"],
	});
	child.stdin.end(stdin);
	const [said, complained, [code]] = await Promise.all([
		text(child.stdout),
		text(child.stderr),
		once(child, "exit"),
	]);
	assert.equal(code, 0, `${agent} ended with ${code}:\n${said}\n${complained}`);
	return { said, proof: fs.readFileSync(path.join(project, "proof.txt"), "utf8") };
}

test("Claude Code takes a turn with a tool", { skip: missing("claude") }, async () => {
	const { said, proof } = await run("claude", ["-p", "--output-format", "json", "--allowedTools", "Bash"], {
		stdin: script("Claude Code", { tool: "Bash", input: { command: PROOF, description: "leaves a proof" } }),
		environment: {
			ANTHROPIC_BASE_URL: `http://127.0.0.1:${proxy.port}`,
			ANTHROPIC_API_KEY: "unused",
			ANTHROPIC_MODEL: "scripted-1",
			CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
			DISABLE_AUTOUPDATER: "1",
			DISABLE_ERROR_REPORTING: "1",
			DISABLE_TELEMETRY: "1",
		},
	});
	const report = JSON.parse(said);
	assert.deepEqual([report.is_error, report.result], [false, "Claude Code is done."]);
	assert.ok(report.usage.input_tokens > 0 && report.usage.output_tokens > 0, said);
	assert.equal(proof, "made by an agent\n");
});

test("Codex takes a turn with a tool", { skip: missing("codex") }, async () => {
	const config = [
		'model = "scripted-1"',
		'model_provider = "proxy"',
		"check_for_update_on_startup = false",
		"[analytics]",
		"enabled = false",
		"[model_providers.proxy]",
		'name = "Copilot Proxy"',
		`base_url = "http://127.0.0.1:${proxy.port}/v1"`,
		'env_key = "PROXY_KEY"',
		'wire_api = "responses"',
	];
	const args = ["exec", "--skip-git-repo-check", "--sandbox", "danger-full-access", "-"];
	const { said, proof } = await run("codex", args, {
		stdin: script("Codex", { tool: "exec_command", input: { cmd: PROOF } }),
		files: { "home/.codex/config.toml": config.join("\n") },
		environment: { PROXY_KEY: "unused" },
	});
	assert.match(said.trim(), /Codex is done\.$/);
	assert.equal(proof, "made by an agent\n");
});

test("opencode takes a turn with a tool", { skip: missing("opencode") }, async () => {
	const limit = { context: 200_000, output: 32_000 };
	const models = Object.fromEntries(
		["scripted-1", "scripted-usage"].map((name) => [name, { name, tool_call: true, limit }]),
	);
	const config = {
		share: "disabled",
		autoupdate: false,
		permission: { bash: "allow" },
		model: "proxy/scripted-1",
		small_model: "proxy/scripted-usage",
		provider: {
			proxy: {
				npm: "@ai-sdk/openai-compatible",
				name: "Copilot Proxy",
				options: { baseURL: `http://127.0.0.1:${proxy.port}/v1`, apiKey: "unused" },
				models,
			},
		},
	};
	const { said, proof } = await run("opencode", ["run"], {
		stdin: script("opencode", { tool: "bash", input: { command: PROOF, description: "leaves a proof" } }),
		files: { "project/opencode.json": JSON.stringify(config) },
		environment: {
			OPENCODE_DISABLE_AUTOUPDATE: "1",
			OPENCODE_DISABLE_DEFAULT_PLUGINS: "1",
			OPENCODE_DISABLE_LSP_DOWNLOAD: "1",
			OPENCODE_DISABLE_MODELS_FETCH: "1",
		},
	});
	assert.match(said, /opencode is done\./);
	assert.equal(proof, "made by an agent\n");
});
