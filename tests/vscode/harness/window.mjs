// One VS Code window: actions and content of its user interface, and code that runs in its extension host.
import fs from "node:fs";
import path from "node:path";
import { until } from "./wait.mjs";

/** The folder for screenshots, if they are wanted. */
const PICTURES = process.env.COPILOT_PROXY_SCREENSHOTS;

const DIALOG = ".monaco-dialog-box";

export class Window {
	/** The page; the creator of the window sets it. */
	page;

	/** `provider` and `consumer` run code in the extension of that name: see drive.mjs. `pid` is their extension host's. */
	constructor({ pid, provider, consumer }) {
		Object.assign(this, { pid, provider, consumer });
	}

	hasFolder() {
		return this.provider(({ vscode }) => (vscode.workspace.workspaceFolders ?? []).length > 0);
	}

	/** The path of the folder that is open. */
	folder() {
		return this.provider(({ vscode }) => vscode.workspace.workspaceFolders[0].uri.fsPath);
	}

	/** Changes a setting of the user's, as the settings editor does. */
	configure(name, value) {
		return this.provider(
			async ({ vscode }, name, value) => {
				const { Global } = vscode.ConfigurationTarget;
				await vscode.workspace.getConfiguration().update(name, value, Global);
			},
			name,
			value,
		);
	}

	/** Runs a command by its title, through the command palette. */
	async command(title) {
		await this.page.keyboard.press("F1");
		const input = this.page.locator(".quick-input-widget input").first();
		await input.waitFor();
		await input.fill(`>${title}`);
		// The exact title, since other commands begin with the same words. Enter would run the focused row, which is another
		// one until the list is filtered.
		const name = this.page.locator(".label-name").getByText(title, { exact: true });
		const row = this.page.locator(".quick-input-list .monaco-list-row").filter({ has: name }).first();
		await row.click();
	}

	/** The modal dialogs on screen: none, or the one in front. */
	dialogs() {
		return this.page.locator(DIALOG);
	}

	/** Waits for a modal dialog, clicks a button of it, and returns its text. */
	async answer(button) {
		const dialog = this.dialogs();
		await dialog.waitFor();
		const text = await dialog.textContent();
		await dialog.getByRole("button", { name: button, exact: true }).click();
		return text;
	}

	/** Turns on GitHub's Copilot Chat extension, which VS Code includes but leaves off. */
	async enableCopilot() {
		const enabled = this.provider(async ({ vscode }) => {
			const options = { enable: true, justification: "To be tested." };
			await vscode.commands.executeCommand(
				"workbench.extensions.installExtension",
				"GitHub.copilot-chat",
				options,
			);
		});
		await this.answer("Enable Extension");
		await enabled;
	}

	/** The toasts on screen, as text. */
	notifications() {
		return this.page.locator(".notifications-toasts .notification-toast").allInnerTexts();
	}

	/** The toasts without the extension's first-run notification. */
	async complaints() {
		return (await this.notifications()).filter((text) => !text.includes("Copilot Proxy is ready"));
	}

	/** The toast on screen with this text. */
	toast(text) {
		return this.page.locator(".notification-toast").filter({ hasText: text });
	}

	/** Clicks a button of it. */
	press(text, button) {
		return this.toast(text).getByRole("button", { name: button, exact: true }).click();
	}

	/** A status bar item; `extension` is `publisher.name`. */
	statusItem(extension, id) {
		return this.page.locator(`[id="${extension}.${id}"]`);
	}

	/** Waits until the status bar item has this text (icons have none). */
	async untilStatus(extension, id, text, ms) {
		const item = this.statusItem(extension, id);
		const said = async () => (await item.count()) > 0 && (await item.first().textContent()).trim();
		let last;
		await until(
			async () => {
				last = await said();
				return text instanceof RegExp ? text.test(last || "") : last === text;
			},
			`the status bar to say ${text}`,
			ms,
		).catch((error) => {
			throw new Error(`${error.message}; it says ${JSON.stringify(last)}`);
		});
	}

	/** Takes a screenshot of the window, if screenshots are wanted. */
	async screenshot(name) {
		if (!PICTURES) return;
		fs.mkdirSync(PICTURES, { recursive: true });
		await this.page.screenshot({ path: path.join(PICTURES, `${name}.png`) });
	}

	/** The content of the webview in front. */
	webview() {
		return this.page.frameLocator("iframe.webview").frameLocator("#active-frame");
	}
}
