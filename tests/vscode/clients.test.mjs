// Official SDKs, libraries and coding agents with tool loops through a real VS Code. The tests are those of tests/clients,
// run against this server. tests/clients/setup.sh installs the clients; without it, they are skipped.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import path from "node:path";
import { text } from "node:stream/consumers";
import { after, before, test } from "node:test";
import { startProxy } from "./harness/index.mjs";
import { clients } from "./harness/installed.mjs";

const tests = path.resolve(import.meta.dirname, "../clients");

// The number of tests of each file, so that none is skipped by mistake. `sets` are those that tests/clients/setup.sh
// installs; the tests run in the first. Slow agents are in `more`, which runs on request.
const SUITES = {
	"the SDKs for Python and LangChain": {
		sets: ["sdks"],
		turns: {
			"python/test_openai_chat_tools.py": 1,
			"python/test_openai_responses.py": 2,
			"python/test_anthropic.py": 2,
			"python/test_langchain.py": 6,
			"python/test_ollama.py": 2,
		},
	},
	"google-genai for Python and LangChain": { sets: ["google"], turns: { "python/test_gemini.py": 4 } },
	LiteLLM: { sets: ["litellm"], turns: { "python/test_litellm.py": 3 } },
	"pydantic-ai, OpenAI's Agents SDK and llm": {
		sets: ["libraries"],
		turns: { "python/test_libraries.py": 6 },
	},
	"the SDKs for Node and the Vercel AI SDK": {
		sets: ["node"],
		turns: {
			"node/openai-chat.test.mjs": 1,
			"node/openai-responses.test.mjs": 1,
			"node/anthropic.test.mjs": 2,
			"node/ai-sdk.test.mjs": 5,
			"node/google-genai.test.mjs": 2,
			"node/ollama.test.mjs": 1,
		},
	},
	"Claude Code, Codex, opencode and aider": {
		sets: ["sdks", "agents", "node", "aider"],
		turns: {
			"agents/test_claude_code.py": 4,
			"agents/test_codex.py": 1,
			"agents/test_opencode.py": 1,
			"agents/test_aider.py": 1,
		},
	},
	"Google's Agent Development Kit": { sets: ["adk"], turns: { "python/test_adk.py": 2 }, more: true },
	"Continue, Gemini CLI, Qwen Code and pi": {
		sets: ["sdks", "more-agents", "node"],
		turns: {
			"more-agents/test_continue.py": 2,
			"more-agents/test_gemini_cli.py": 1,
			"more-agents/test_qwen_code.py": 1,
			"more-agents/test_pi.py": 3,
		},
		more: true,
	},
};

// aider has no tools: it applies the response as an edit.
const WITHOUT_TOOLS = ["agents/test_aider.py"];

/** The reason for which a suite can't run, or false. A complete set has a stamp file; Node's sets must be linked, too. */
function missing({ sets, more }) {
	if (more && !process.env.COPILOT_PROXY_MORE_CLIENTS) return "not every time: COPILOT_PROXY_MORE_CLIENTS=1";
	const complete = (set) =>
		fs.existsSync(path.join(clients, set, ".stamp")) &&
		(set !== "node" || fs.existsSync(path.join(tests, "node/node_modules")));
	const absent = sets.filter((set) => !complete(set));
	return absent.length > 0 && `not installed: tests/clients/setup.sh ${absent.join(" ")}`;
}

let proxy;
let window;

before(async () => {
	if (Object.values(SUITES).every(missing)) return;
	proxy = await startProxy();
	window = await proxy.editor.open();
	await proxy.untilServing();
	await allowCopilot();
});
after(() => proxy?.stop());

/** Gives consent to Copilot's models once, since some tests use their names. */
async function allowCopilot() {
	const said = proxy.textFor("say:allowed", { model: "claude-opus-4.6" });
	await window.answer("Allow");
	assert.equal(await said, "allowed");
}

/** The command that runs these files' tests and writes a JUnit report. */
function command(environment, files, place) {
	const report = path.join(place, "report.xml");
	if (environment === "node") {
		const reporters = { spec: "stdout", junit: report };
		return [
			path.join(clients, "bin/node"),
			"--test",
			"--test-name-pattern=\\bturn\\b",
			...Object.entries(reporters).flatMap(([reporter, destination]) => [
				`--test-reporter=${reporter}`,
				`--test-reporter-destination=${destination}`,
			]),
			...files,
		];
	}
	const options = [`--junitxml=${report}`, "-o", "junit_family=xunit1", `--basetemp=${place}/temporary`];
	return [path.join(clients, environment, "bin/python"), "-m", "pytest", "-m", "turn", ...options, ...files];
}

/** Runs a suite against this server. Returns the number of passed tests by file, and the output. */
async function run({ sets: [environment], turns }) {
	const place = proxy.editor.folder();
	const [program, ...args] = command(environment, Object.keys(turns), place);
	const child = spawn(program, args, {
		cwd: tests,
		env: {
			...process.env,
			COPILOT_PROXY_URL: `http://127.0.0.1:${proxy.port}`,
			NODE_TEST_CONTEXT: undefined, // else the inner test runner would report to this one
			NO_PROXY: "127.0.0.1,localhost",
			no_proxy: "127.0.0.1,localhost",
			PYTHONDONTWRITEBYTECODE: "1",
		},
		stdio: ["ignore", "pipe", "pipe"],
	});
	const [said, complained, [code]] = await Promise.all([
		text(child.stdout),
		text(child.stderr),
		once(child, "exit"),
	]);
	const printed = `${said}\n${complained}`;
	assert.equal(code, 0, printed);
	return { passed: passedIn(fs.readFileSync(path.join(place, "report.xml"), "utf8")), printed };
}

/** The number of passed tests by file, from a JUnit report: a test case without child elements has passed. */
function passedIn(report) {
	const [, ...cases] = report.split("<testcase ");
	const passed = {};
	for (const each of cases.filter((each) => !/<(failure|error|skipped)\b/.test(each))) {
		const file = path.relative(tests, path.resolve(tests, /\bfile="([^"]+)"/.exec(each)[1]));
		passed[file] = (passed[file] ?? 0) + 1;
	}
	return passed;
}

/** The number of requests that reached VS Code, and of those with tool results that were completed. */
const reached = () =>
	window.provider(({ state: { requests } }) => {
		const brought = ({ outcome, messages }) =>
			outcome === "completed" &&
			messages.some(({ parts }) => parts.some(({ type }) => type === "tool_result"));
		return { requests: requests.length, results: requests.filter(brought).length };
	});

for (const [name, suite] of Object.entries(SUITES)) {
	test(`${name}: every client completes its tool loops`, { skip: missing(suite) }, async () => {
		const before = await reached();
		const { passed, printed } = await run(suite);
		assert.deepEqual(passed, suite.turns, printed);

		const { requests, results } = await reached();
		const withTools = Object.entries(suite.turns).filter(([file]) => !WITHOUT_TOOLS.includes(file));
		const turns = withTools.reduce((sum, [, turns]) => sum + turns, 0);
		assert.ok(results - before.results >= turns, `${results - before.results} of ${turns} reached VS Code`);
		assert.ok(requests > before.requests, "nothing reached VS Code");
	});
}
