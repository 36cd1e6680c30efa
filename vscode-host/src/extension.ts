// Creates the parts of the extension and connects them. Decides nothing.

import * as vscode from "vscode";
import { showBudgetNotice } from "./budgets";
import { runChat } from "./chat";
import { Cli } from "./cli";
import { ContextKeys } from "./context-keys";
import { chooseDefaultModel } from "./default-model";
import { diagnose } from "./diagnosis";
import { Review } from "./diff-review";
import { userDirectory } from "./directory";
import { copyCurl, copyEndpoint, type OpenServer } from "./endpoints";
import { failureOf } from "./failure";
import { FirstRun } from "./first-run";
import { Keys } from "./keys";
import { serverProgram, startServer } from "./launch";
import { Log } from "./log";
import { ManageKeys } from "./manage-keys";
import { ModelAbsence } from "./model-absence";
import { Consent } from "./model-consent";
import { Models } from "./models";
import { Notices, showFailures } from "./notices";
import { Origins } from "./origins";
import { Panel } from "./panel";
import { viewOf } from "./panel-view";
import type { FromEditor, Window } from "./protocol";
import { sendRequest } from "./resend";
import { Server } from "./server";
import { endpoint, noticeOf, whyNoModels } from "./server-state";
import { Settings } from "./settings";
import { Setup } from "./setup";
import { StatusBar } from "./status-bar";
import { AGENTS, addToTerminals, installCommand, runInTerminal, updateCommand } from "./terminal-commands";
import { Tools } from "./tools";
import { Documents } from "./virtual-documents";

/** Settings that a browser at `/ui` may change. */
const PAGE_SETTINGS: ReadonlySet<string> = new Set(["logRequestsToUI", "autoTools"]);

export function activate(context: vscode.ExtensionContext): void {
	const log = new Log();
	const settings = new Settings(context.extension.packageJSON.contributes.configuration.properties);
	const keys = new Keys(context.secrets);
	const models = new Models();
	const contextKeys = new ContextKeys();
	const consent = new Consent(context.globalState, () => contextKeys.reach("allow"));
	/** Whether programs have models, whichever window offers them; some models of a window are not for programs. */
	const hasModels = () =>
		server.state.kind === "attached" && server.state.status !== undefined && server.state.status.models > 0;
	const absence = new ModelAbsence(hasModels);
	const tools = new Tools();
	const origins = new Origins(settings);
	const notices = new Notices();
	const firstRun = new FirstRun(context.globalState);
	const directory = userDirectory();

	const keysRead = keys
		.read()
		.then(() => keys.moveFrom(settings))
		.catch((error) => {
			const text = `the API keys can't be read from VS Code's secret storage: ${failureOf(error).message}`;
			log.error(text);
			void vscode.window.showErrorMessage(`Copilot Proxy: ${text}`);
		});

	/** Finds the server's program; one search at a time, since it may copy the program. */
	let searching: Promise<string> | undefined;
	const program = () => {
		searching ??= serverProgram(context, settings.serverPath).finally(() => {
			searching = undefined;
		});
		return searching;
	};
	const currentKeys = (): FromEditor[] => (keys.all ? [{ type: "keys", keys: [...keys.all] }] : []);
	const userSettings = (): FromEditor => ({ type: "user_settings", ...settings.userSettings });
	/** Empty before the first read. */
	const currentModels = (): FromEditor[] =>
		models.infos ? [{ type: "models", models: [...models.infos] }] : [];
	const watchMessage = (): FromEditor[] => (panel.isWatching ? [{ type: "watch", enabled: true }] : []);
	const readModels = () =>
		void models.read().catch((error) => log.warn(`reading the models failed: ${error}`));

	const server = new Server(
		{
			directory,
			version: context.extension.packageJSON.version,
			log,
			window: currentWindow,
			async initialMessages() {
				await keysRead;
				return [...currentKeys(), userSettings(), ...currentModels(), ...watchMessage()];
			},
			async launch() {
				const path = await program();
				log.info(`starting ${path}`);
				return startServer(path, settings.port, directory);
			},
			handlers: {
				chat: (chat, request, items) => runChat(chat, request, models, consent, items),
				listTools: () => tools.list(),
				pollTools: () => tools.poll(),
				invokeTool: (invocation, request) => tools.invoke(invocation, request),
				askOrigin: (origin) => origins.ask(origin),
				budgetNotice: (notice) => void showBudgetNotice(notice, (message) => server.send(message)),
				refreshModels: readModels,
				// Models and tools run in the window. If it is gone, as with a remote window on a suspended machine, the
				// extension host stays for hours, and requests to it would never get a response.
				isAlive: () => vscode.commands.executeCommand("setContext", "copilotProxy.attached", true),
				log: (line) => log.server(line),
				activity: (activity) => panel.activity(activity),
				exchange: (exchange) => panel.exchange(exchange),
				usage: (usage) => panel.usage(usage),
				writeSetting: ({ name, value }) => {
					if (PAGE_SETTINGS.has(name)) {
						void settings.write(name, value);
					}
				},
				modelCatalog: ({ models }) => panel.modelCatalog(models),
			},
		},
		settings.autoStart,
	);

	const programs = context.globalStorageUri.fsPath;
	const prepareTerminals = () =>
		void program()
			.then((path) => {
				addToTerminals(context.environmentVariableCollection, path);
				return updateCommand(path, programs);
			})
			.catch(() => undefined); // the start of the server fails for the same reason, and says so
	const openServer = (): OpenServer => ({
		port: server.port,
		needsKey: (keys.all ?? []).length > 0,
		model: models.infos?.[0]?.id,
	});
	const remedy = () => noticeOf(server.state, absence.reason).remedy;
	const useFreePort = () => {
		const http = server.state.kind === "attached" ? server.state.status?.http : undefined;
		return http?.state === "port_taken" && settings.write("port", http.free_port);
	};
	const allow = async () => {
		const isWithoutModels = server.state.kind === "attached" && !hasModels();
		if (models.all.length > 0 && !isWithoutModels) {
			return consent.obtain(models.all);
		}
		await absence.check();
		const { detail, remedy } = whyNoModels(absence.reason);
		const buttons = remedy ? [remedy.title] : [];
		if ((await vscode.window.showWarningMessage(`Copilot Proxy: ${detail}`, ...buttons)) !== undefined) {
			await absence.resolve();
		}
	};

	const cli = new Cli(program, () => ({
		directory,
		url: urlOf(server.port ?? settings.port),
		key: keys.own,
	}));
	const documents = new Documents();
	const review = new Review(documents);
	const setup = new Setup(cli, documents, review);

	const statusBar = new StatusBar("copilotProxy.showStatus");
	const panel: Panel = new Panel(context.extensionUri, {
		view: () =>
			viewOf({
				state: server.state,
				models: models.infos ?? [],
				settings: settings.views,
				needsKey: (keys.all ?? []).length > 0,
				absence: absence.reason,
			}),
		async tools(startServers) {
			if (startServers) {
				await tools.list();
			}
			return { isRestricted: !vscode.workspace.isTrusted, tools: tools.now };
		},
		watch: (enabled) => server.send({ type: "watch", enabled }),
		getExchange: (id) => server.send({ type: "get_exchange", id }),
		stopRequest: (id) => server.send({ type: "stop_request", id }),
		set: (name, value) => settings.write(name, value),
		getUsage: (query) => server.send({ type: "get_usage", ...query }),
		resend: (path, headers, body) =>
			sendRequest(endpoint(server.port ?? settings.port), keys.own, path, headers, body),
	});
	let hadModels = false;
	const show = () => {
		if (hasModels() !== hadModels) {
			hadModels = !hadModels;
			void absence.check();
		}
		contextKeys.show(server.state);
		statusBar.show(server.state, absence.reason);
		notices.show(server.state);
		firstRun.greet(server.state);
		panel.update();
	};
	const sendWindow = () => server.send({ type: "window", ...currentWindow() });
	const command = (name: string, run: (argument?: unknown) => unknown) =>
		vscode.commands.registerCommand(`copilotProxy.${name}`, run);

	context.subscriptions.push(
		log,
		settings,
		keys,
		models,
		absence,
		contextKeys,
		statusBar,
		panel,
		documents,
		review,
		server,
		server.onDidChange(show),
		absence.onDidChange(show),
		models.onDidRead(() => {
			currentModels().forEach(server.send, server);
			void absence.check();
			panel.update();
		}),
		keys.onDidChange(() => {
			currentKeys().forEach(server.send, server);
			panel.update();
		}),
		settings.onDidChange((changed) => {
			if (changed("apiKey")) {
				void showFailures(() => keys.moveFrom(settings));
			}
			server.send(userSettings());
			panel.update();
			if (changed("autoStart") && settings.autoStart) {
				server.ensureStarted();
			}
			if (changed("serverPath")) {
				prepareTerminals();
				server.replace();
			}
		}),
		vscode.window.onDidChangeWindowState(sendWindow),
		vscode.workspace.onDidChangeWorkspaceFolders(sendWindow),
		vscode.window.registerWebviewPanelSerializer(Panel.viewType, panel),
		command("start", () => server.start()),
		command("stop", () => server.stop()),
		command("restart", () => server.restart()),
		command("showStatus", () => panel.show()),
		command("copyEndpoint", () => copyEndpoint(openServer())),
		command("copyCurl", () => copyCurl(openServer())),
		command("allow", allow),
		command("getModels", () => showFailures(() => absence.resolve())),
		command("useFreePort", useFreePort),
		command("chooseModel", () => chooseDefaultModel(models.infos ?? [], settings)),
		command("installCommand", () =>
			showFailures(async () => installCommand(await program(), programs, context.asAbsolutePath("share"))),
		),
		...AGENTS.map(([name, title, agent]) => command(name, () => runInTerminal(title, agent))),
		command("setUp", (client) =>
			showFailures(() => setup.start(typeof client === "string" ? client : undefined)),
		),
		command("manageKeys", () => showFailures(() => new ManageKeys(keys).start())),
		command("diagnose", () => showFailures(() => diagnose(cli, documents, remedy))),
		command("showLogs", () => log.show()),
		command("openSettings", () =>
			vscode.commands.executeCommand("workbench.action.openSettings", "@ext:copilot-proxy.copilot-proxy"),
		),
	);
	show();
	readModels();
	prepareTerminals();
}

/** Port 0 means any free port, which is not known yet. */
function urlOf(port: number): string | undefined {
	return port === 0 ? undefined : endpoint(port);
}

function currentWindow(): Window {
	return {
		focused: vscode.window.state.focused,
		folders: (vscode.workspace.workspaceFolders ?? []).map(({ name, uri }) => ({ name, path: uri.fsPath })),
	};
}
