// The page's connection to the server at `/ui`: events as a stream, everything else as requests to `/ui/api/`.

import type { FromPanel, ToPanel } from "../src/panel-messages";
import * as l10n from "./l10n";
import type { Transport } from "./transport";

const STATE = "copilot-proxy";

export function browserTransport(): Transport {
	let handle: (message: ToPanel) => void = () => {};
	document.documentElement.classList.add("browser");
	return {
		isInEditor: false,
		send: (message) => {
			perform(message, (answer) => handle(answer)).catch((error: unknown) =>
				handle({ type: "problem", message: error instanceof Error ? error.message : String(error) }),
			);
		},
		receive: (receiver) => {
			handle = receiver;
		},
		load: () => {
			try {
				return JSON.parse(localStorage.getItem(STATE) ?? "null");
			} catch {
				return undefined; // storage is off, or another version's
			}
		},
		store: (state) => {
			try {
				localStorage.setItem(STATE, JSON.stringify(state));
			} catch {
				// storage is off or full: the state is lost with the page
			}
		},
	};
}

async function perform(message: FromPanel, answer: (message: ToPanel) => void): Promise<void> {
	switch (message.type) {
		case "ready":
			return subscribe(answer);
		case "get_exchange":
			return answer({ type: "exchange", exchange: await get(`requests/${message.id}`) });
		case "stop_request":
			await post(`requests/${message.id}/cancel`, {});
			return;
		case "get_usage": {
			const { from, to, by } = message;
			const query = new URLSearchParams({ from, to, by });
			const response = await fetch(`/ui/api/usage?${query}`);
			const body = await response.json();
			return answer({
				type: "usage",
				from,
				to,
				by,
				...(response.ok ? { report: body } : { problem: messageOf(body) }),
			});
		}
		case "readTools":
			return answer({ type: "tools", tools: await get("tools") });
		case "set":
			await post("settings", { name: message.name, value: message.value });
			return;
		case "resend": {
			const headers = Object.fromEntries(message.headers);
			const response = await fetch(message.path, {
				method: "POST",
				headers: { ...headers, "content-type": "application/json" },
				body: message.body,
			});
			await response.text(); // the page shows it from the log
			return;
		}
		case "copy":
			return navigator.clipboard.writeText(message.text);
		case "save":
			return download(message.name, message.text);
		case "run":
			return; // commands of VS Code
		default:
			message satisfies never;
	}
}

function subscribe(answer: (message: ToPanel) => void): void {
	const events = new EventSource("/ui/api/events");
	events.onmessage = ({ data }) => answer(JSON.parse(data));
	events.onerror = () => {
		const problem = l10n.t("The server doesn't respond; the page tries again.");
		answer({ type: "problem", message: problem });
		if (events.readyState === EventSource.CLOSED) {
			setTimeout(() => subscribe(answer), 3000);
		}
	};
	void get<never>("tools").then((tools) => answer({ type: "tools", tools }));
}

async function get<Type>(path: string): Promise<Type> {
	const response = await fetch(`/ui/api/${path}`);
	const body = await response.json();
	if (!response.ok) {
		throw new Error(messageOf(body));
	}
	return body;
}

async function post(path: string, body: unknown): Promise<void> {
	const response = await fetch(`/ui/api/${path}`, {
		method: "POST",
		headers: { "content-type": "application/json" },
		body: JSON.stringify(body),
	});
	if (!response.ok) {
		throw new Error(messageOf(await response.json()));
	}
}

function messageOf(body: unknown): string {
	const error = (body as { error?: { message?: string } | null } | null)?.error;
	return error?.message ?? l10n.t("The server returned an error.");
}

function download(name: string, text: string): void {
	const link = document.createElement("a");
	link.href = URL.createObjectURL(new Blob([text], { type: "application/octet-stream" }));
	link.download = name;
	link.click();
	URL.revokeObjectURL(link.href);
}
