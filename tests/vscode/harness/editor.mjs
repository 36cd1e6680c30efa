// A real VS Code in headless Chromium with everything of its own in one temporary folder: home, settings, extensions,
// runtime directory, logs. Loopback only. Whatever it started ends with `stop`, or with the test process.
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import path from "node:path";
import { driveOf } from "./drive.mjs";
import { freePort } from "./http.mjs";
import { chromium, chromiumPath, codeServer } from "./installed.mjs";
import { alive, killAll, processesOf } from "./processes.mjs";
import { PATIENCE_MS, until } from "./wait.mjs";
import { Window } from "./window.mjs";

const tests = path.dirname(import.meta.dirname);

const SETTINGS = {
	"chat.mcp.gallery.enabled": false,
	"extensions.autoCheckUpdates": false,
	// As VS Code writes it today: what is written as in older versions, each window mends by writing the whole file anew,
	// and five that do so at once can lose what else is in it.
	"extensions.autoUpdate": "off",
	"extensions.ignoreRecommendations": true,
	"remote.autoForwardPorts": false, // else a toast appears for every port that anything on the machine opens
	"telemetry.telemetryLevel": "off",
	"update.mode": "none",
	"workbench.secondarySideBar.defaultVisibility": "hidden",
	"workbench.startupEditor": "none",
};

const BROWSER_FLAGS = [
	"--no-sandbox",
	"--disable-gpu",
	"--disable-quic",
	"--no-first-run",
	"--disable-background-networking",
	"--disable-component-update",
	"--disable-sync",
];

const SERVER_FLAGS = [
	"--auth",
	"none",
	"--disable-telemetry",
	"--disable-update-check",
	"--disable-workspace-trust",
	"--disable-getting-started-override",
	"--disable-proxy",
	// In seconds, the least there is: what is left of a page whose last words were lost ends after this, not after hours.
	"--reconnection-grace-time",
	"20",
];

// An interrupted test run ends as any other does: with the 'exit' at which every editor clears up after itself.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.once(signal, () => process.exit(1));

/**
 * Starts VS Code with the provider (or, as `provider`, the folder of what stands in its place) and `extensions`: .vsix
 * files, and folders of tests' own extensions, each of which opens a socket in its folder's name (provider/drive.js).
 * `settings` are a user's; the extensions see `environment`.
 */
export async function startEditor({
	provider = "provider",
	extensions = [],
	settings = {},
	environment = {},
} = {}) {
	const editor = new Editor(environment);
	try {
		await editor.start({ provider, extensions, settings });
		return editor;
	} catch (error) {
		await editor.stop();
		throw error;
	}
}

/**
 * Closes a page after it has said goodbye: a busy browser ends a closed page before its last words have left, and the
 * extension host of a page that just vanishes waits for it to come back.
 */
async function goodbye(page) {
	await page.goto("about:blank").catch(() => {}); // one that has crashed says nothing
	await page.close();
}

class Editor {
	/** The run's folder. Its name is short, for sockets lie in it and a socket's path has little room. */
	run = fs.mkdtempSync("/tmp/cp-");
	runtimeDir = this.at("run");
	#driven = [];
	#extraEnvironment;
	#server;
	#browser;
	#stopped;
	#endWithUs = () => this.#clear();

	constructor(environment) {
		this.#extraEnvironment = environment;
		process.once("exit", this.#endWithUs);
	}

	at(...names) {
		return path.join(this.run, ...names);
	}

	async start({ provider, extensions, settings }) {
		for (const folder of ["home", "user/User", "extensions", "temp"])
			fs.mkdirSync(this.at(folder), { recursive: true });
		fs.mkdirSync(this.runtimeDir, { mode: 0o700 });
		fs.writeFileSync(this.at("config.yaml"), "");
		this.settings(settings);
		this.#install(path.join(tests, provider), "provider");
		for (const extension of extensions) this.#install(extension);

		const port = await freePort();
		this.url = `http://127.0.0.1:${port}`;
		const log = fs.openSync(this.at("server.log"), "w");
		this.#server = spawn(
			process.execPath,
			[...this.#common(), ...SERVER_FLAGS, "--bind-addr", `127.0.0.1:${port}`],
			{
				env: this.#environment(),
				stdio: ["ignore", log, log],
			},
		);
		fs.closeSync(log);
		await until(
			() =>
				fetch(`${this.url}/healthz`).then(
					({ ok }) => ok,
					() => false,
				),
			"code-server to answer",
		);
		this.#browser = await chromium.launch({
			executablePath: chromiumPath,
			args: BROWSER_FLAGS,
			env: this.#environment(),
		});
		this.context = await this.#browser.newContext({ viewport: { width: 1280, height: 800 } });
		this.context.setDefaultTimeout(PATIENCE_MS);
	}

	/** Nothing of the tester's own environment reaches VS Code or the extensions, and nothing of theirs the tester. */
	#environment() {
		return {
			PATH: process.env.PATH,
			LANG: "C.UTF-8",
			HOME: this.at("home"),
			TMPDIR: this.at("temp"),
			XDG_RUNTIME_DIR: this.runtimeDir,
			COPILOT_PROXY_TEST_RUN: this.run,
			...this.#extraEnvironment,
			EXTENSIONS_GALLERY: '{"serviceUrl":""}',
		};
	}

	#common() {
		return [
			codeServer,
			"--config",
			this.at("config.yaml"),
			"--user-data-dir",
			this.at("user"),
			"--extensions-dir",
			this.at("extensions"),
		];
	}

	#install(extension, name = path.basename(extension)) {
		if (extension.endsWith(".vsix")) {
			const command = [...this.#common(), "--install-extension", path.resolve(extension)];
			execFileSync(process.execPath, command, { env: this.#environment(), stdio: "pipe" });
			return;
		}
		fs.cpSync(extension, this.at("extensions", name), { recursive: true });
		fs.cpSync(path.join(tests, "provider/drive.js"), this.at("extensions", name, "drive.js"));
		this.#driven.push(name);
	}

	/** Writes the user's settings, for windows that are opened later. */
	settings(settings) {
		fs.writeFileSync(
			this.at("user/User/settings.json"),
			JSON.stringify({ ...SETTINGS, ...settings }, null, 2),
		);
	}

	/** Makes a folder with these files in it: their content by their path. */
	folder(files = {}) {
		const folder = fs.mkdtempSync(this.at("folder-"));
		for (const [name, content] of Object.entries(files)) {
			fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
			fs.writeFileSync(path.join(folder, name), content);
		}
		return folder;
	}

	/** Opens a folder or a `.code-workspace` file, a fresh folder if none is named, in a window of its own. */
	async open(folder = this.folder()) {
		const page = await this.context.newPage();
		let window = await this.#attached(page, () => this.#show(page, folder));
		// VS Code shows a .code-workspace without its folders now and then, until the page is loaded again.
		await until(async () => {
			if (await window.hasFolder()) return true;
			window = await this.reload(window);
			return false;
		}, `the folder of ${folder}`);
		return window;
	}

	/** Opens so many windows at the same instant. */
	async openTogether(count) {
		const before = new Set(this.#hosts("provider"));
		const pages = await Promise.all(
			Array.from({ length: count }, async () => {
				const page = await this.context.newPage();
				const folder = this.folder();
				await this.#show(page, folder);
				return { page, folder };
			}),
		);
		const pids = await until(() => {
			const fresh = this.#hosts("provider").filter((pid) => !before.has(pid));
			return fresh.length === count && fresh;
		}, `${count} extension hosts`);
		return Promise.all(
			pids.map(async (pid) => {
				const window = await this.#windowOf(pid);
				const shown = await window.folder();
				return Object.assign(window, { page: pages.find(({ folder }) => folder === shown).page });
			}),
		);
	}

	async #show(page, folder) {
		const kind = folder.endsWith(".code-workspace") ? "workspace" : "folder";
		await page.goto(`${this.url}/?${kind}=${encodeURIComponent(folder)}`);
		await page.locator(".monaco-workbench").waitFor();
	}

	/** After `act` (a reload, a killed extension host): the same page, with its new extension host. */
	reopened({ page }, act) {
		return this.#attached(page, act);
	}

	async reload(window) {
		return this.reopened(window, () => window.page.reload());
	}

	/** Ends the window's extension host as a crash would; VS Code starts another. */
	async killExtensionHost(window) {
		return this.reopened(window, () => process.kill(window.pid, "SIGKILL"));
	}

	/** Closes the window and waits for its extension host to end. */
	async close({ page, pid }) {
		await goodbye(page);
		await until(() => !alive(pid), `extension host ${pid} to end`);
	}

	/** The folder of an installed extension. */
	installed(extension) {
		return this.at(
			"extensions",
			fs.readdirSync(this.at("extensions")).find((name) => name.startsWith(`${extension}-`)),
		);
	}

	/** The pid of every extension host there was. */
	hosts() {
		return this.#hosts("provider").map(Number);
	}

	/** The pids whose extension of this name has opened its socket. */
	#hosts(name) {
		return fs
			.readdirSync(this.run)
			.flatMap((file) => new RegExp(`^${name}-(\\d+)\\.sock$`).exec(file)?.[1] ?? []);
	}

	async #attached(page, act) {
		const before = new Set(this.#hosts("provider"));
		await act();
		const pid = await until(
			() => this.#hosts("provider").find((each) => !before.has(each)),
			"the extension host",
		);
		return Object.assign(await this.#windowOf(pid), { page });
	}

	async #windowOf(pid) {
		const drives = {};
		for (const name of this.#driven) {
			await until(() => this.#hosts(name).includes(pid), `the extension ${name} to start`);
			drives[name] = await driveOf(this.at(`${name}-${pid}.sock`));
		}
		return new Window({ pid: Number(pid), ...drives });
	}

	/** What an extension wrote to its log output channel: a text for each window, in the order they were opened. */
	logs(extension, channel) {
		const number = (name) => Number(/exthost(\d+)/.exec(name)[1]);
		return fs
			.readdirSync(this.at("user/logs"), { recursive: true })
			.filter((name) => name.endsWith(path.join(extension, `${channel}.log`)))
			.toSorted((one, other) => number(one) - number(other))
			.map((name) => fs.readFileSync(this.at("user/logs", name), "utf8"));
	}

	/** Ends the window's page as a crash would; gives its extension host, which waits for it to come back. */
	async crash({ page, pid }) {
		const crashed = new Promise((resolve) => page.once("crash", resolve));
		const session = await this.context.newCDPSession(page);
		session.send("Page.crash").catch(() => {}); // nobody is left to answer
		await crashed;
		return pid;
	}

	/** Ends the browser as a crash would: the extension hosts are left alone, and wait for it to come back. */
	async killBrowser() {
		const gone = new Promise((resolve) => this.#browser.once("disconnected", resolve));
		for (const { pid, command } of processesOf(this.run))
			if (command[0].includes("chrom")) process.kill(pid, "SIGKILL");
		await gone;
	}

	/** Closes VS Code as its user would, then ends and removes whatever is left. Gives what was left running. */
	stop() {
		this.#stopped ??= this.#stop();
		return this.#stopped;
	}

	/** Closes every window. An extension host that does not end is among what `stop` finds left. */
	async closeAll() {
		const hosts = this.hosts();
		const pages = this.#browser?.isConnected() ? this.context.pages() : [];
		for (const page of pages) await goodbye(page);
		await until(() => !hosts.some(alive), "the extension hosts to end", 10_000).catch(() => {});
	}

	async #stop() {
		await this.closeAll();
		await this.#browser?.close();
		if (this.#server?.exitCode === null) {
			this.#server.kill();
			await once(this.#server, "exit");
		}
		const left = await until(() => processesOf(this.run).length === 0, "VS Code to end", 5_000).then(
			() => [],
			() => processesOf(this.run),
		);
		this.#clear();
		await until(() => processesOf(this.run).length === 0, "the rest to end");
		fs.rmSync(this.run, { recursive: true, force: true }); // again: what was ending may have written meanwhile
		process.removeListener("exit", this.#endWithUs);
		return left;
	}

	/** Synchronous, for it may be the last thing this process does. */
	#clear() {
		killAll(this.run);
		fs.rmSync(this.run, { recursive: true, force: true });
	}
}
