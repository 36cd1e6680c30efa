// A real VS Code in headless Chromium, with home, settings, extensions, runtime directory and logs in one temporary
// folder. Loopback only. `stop` or the end of the test process ends all its processes.
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
	// In the current format: each window migrates an older one by rewriting the file, and several that do so at the same
	// time can lose other settings.
	"extensions.autoUpdate": "off",
	"extensions.ignoreRecommendations": true,
	"remote.autoForwardPorts": false, // else a notification appears for every port that any program opens
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
	// The minimum in seconds: the extension host of a page whose goodbye was lost ends after this time, not after hours.
	"--reconnection-grace-time",
	"20",
];

// An interrupted test run ends with the 'exit' event, too, on which every editor removes its files.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.once(signal, () => process.exit(1));

/**
 * Starts VS Code with the provider (or the replacement in the folder `provider`) and `extensions`: .vsix files, and folders
 * of test extensions, each of which opens a socket with its folder's name (provider/drive.js). `settings` are the user's;
 * `environment` is that of the extensions, `locale` VS Code's language.
 */
export async function startEditor({
	provider = "provider",
	extensions = [],
	settings = {},
	environment = {},
	locale,
} = {}) {
	const editor = new Editor(environment, locale);
	try {
		await editor.start({ provider, extensions, settings });
		return editor;
	} catch (error) {
		await editor.stop();
		throw error;
	}
}

/**
 * Closes a page after it has sent its goodbye: a busy browser ends a closed page before its last message is sent, and the
 * extension host then waits for the page to reconnect.
 */
async function goodbye(page) {
	await page.goto("about:blank").catch(() => {}); // a crashed page sends none
	await page.close();
}

class Editor {
	/** The run's folder. Its name is short, since it contains sockets and the length of a socket's path is limited. */
	run = fs.mkdtempSync("/tmp/cp-");
	runtimeDir = this.at("run");
	#driven = [];
	#extraEnvironment;
	#locale;
	#server;
	#browser;
	#stopped;
	#endWithUs = () => this.#clear();

	constructor(environment, locale) {
		this.#extraEnvironment = environment;
		this.#locale = locale;
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
		if (this.#locale) this.#writeLanguagePack();
		this.#install(path.join(tests, provider), "provider");
		for (const extension of extensions) this.#install(extension);

		const port = await freePort();
		this.url = `http://127.0.0.1:${port}`;
		const log = fs.openSync(this.at("server.log"), "w");
		this.#server = spawn(
			process.execPath,
			[
				...this.#common(),
				...SERVER_FLAGS,
				"--bind-addr",
				`127.0.0.1:${port}`,
				...(this.#locale ? ["--locale", this.#locale] : []),
			],
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
		await this.context.grantPermissions(["clipboard-read", "clipboard-write"]);
	}

	/** The environment of VS Code and the extensions, which has nothing of the test process's own. */
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

	/** Makes VS Code believe that a language is installed. The pack is empty: VS Code's own texts stay English. */
	#writeLanguagePack() {
		const texts = this.at("language.i18n.json");
		fs.writeFileSync(texts, JSON.stringify({ version: "1.0.0", contents: {} }));
		const pack = {
			hash: "0",
			label: this.#locale,
			extensions: [{ extensionIdentifier: { id: "tests.language" }, version: "1.0.0" }],
			translations: { vscode: texts },
		};
		fs.writeFileSync(this.at("user/languagepacks.json"), JSON.stringify({ [this.#locale]: pack }));
	}

	/** Writes the user's settings, for windows that are opened later. */
	settings(settings) {
		fs.writeFileSync(
			this.at("user/User/settings.json"),
			JSON.stringify({ ...SETTINGS, ...settings }, null, 2),
		);
	}

	/** Creates a folder with these files: contents by path. */
	folder(files = {}) {
		const folder = fs.mkdtempSync(this.at("folder-"));
		for (const [name, content] of Object.entries(files)) {
			fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
			fs.writeFileSync(path.join(folder, name), content);
		}
		return folder;
	}

	/** Opens a folder or a `.code-workspace` file in a new window; a new folder if none is given. */
	async open(folder = this.folder()) {
		const page = await this.context.newPage();
		let window = await this.#attached(page, () => this.#show(page, folder));
		// VS Code sometimes shows a .code-workspace without its folders until the page is reloaded.
		await until(async () => {
			if (await window.hasFolder()) return true;
			window = await this.reload(window);
			return false;
		}, `the folder of ${folder}`);
		return window;
	}

	/** Opens several windows at the same time. */
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

	/** Kills the window's extension host; VS Code starts another. */
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

	/** The pids of all extension hosts so far. */
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

	/** The log output channel of an extension: a text for each window, in the order in which they were opened. */
	logs(extension, channel) {
		const number = (name) => Number(/exthost(\d+)/.exec(name)[1]);
		return fs
			.readdirSync(this.at("user/logs"), { recursive: true })
			.filter((name) => name.endsWith(path.join(extension, `${channel}.log`)))
			.toSorted((one, other) => number(one) - number(other))
			.map((name) => fs.readFileSync(this.at("user/logs", name), "utf8"));
	}

	/** Crashes the window's page; returns its extension host, which waits for the page to reconnect. */
	async crash({ page, pid }) {
		const crashed = new Promise((resolve) => page.once("crash", resolve));
		const session = await this.context.newCDPSession(page);
		session.send("Page.crash").catch(() => {}); // the crashed page sends no reply
		await crashed;
		return pid;
	}

	/** Kills the browser; the extension hosts wait for it to reconnect. */
	async killBrowser() {
		const gone = new Promise((resolve) => this.#browser.once("disconnected", resolve));
		for (const { pid, command } of processesOf(this.run))
			if (command[0].includes("chrom")) process.kill(pid, "SIGKILL");
		await gone;
	}

	/** Closes VS Code as a user would, then kills remaining processes and removes the files. Returns those processes. */
	stop() {
		this.#stopped ??= this.#stop();
		return this.#stopped;
	}

	/** Closes every window. `stop` returns an extension host that does not end. */
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
		fs.rmSync(this.run, { recursive: true, force: true }); // again, since ending processes may have written meanwhile
		process.removeListener("exit", this.#endWithUs);
		return left;
	}

	/** Synchronous, since it runs on 'exit', too. */
	#clear() {
		killAll(this.run);
		fs.rmSync(this.run, { recursive: true, force: true });
	}
}
