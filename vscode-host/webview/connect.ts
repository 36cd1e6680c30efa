// Connects the page to the extension in VS Code's panel, or to the server in a browser. Both carry the same messages.

import type { FromPanel, ToPanel } from "../src/panel-messages";
import { browserTransport } from "./browser-transport";
import type { Transport } from "./transport";

interface VsCodeApi {
	postMessage(message: FromPanel): void;
	getState(): unknown;
	setState(state: unknown): void;
}

declare global {
	interface Window {
		acquireVsCodeApi?(): VsCodeApi;
	}
}

export function connect(): Transport {
	const api = window.acquireVsCodeApi?.();
	return api ? editorTransport(api) : browserTransport();
}

function editorTransport(api: VsCodeApi): Transport {
	return {
		isInEditor: true,
		send: (message) => api.postMessage(message),
		receive: (handle) =>
			addEventListener("message", ({ data }: MessageEvent<ToPanel>) => {
				handle(data);
			}),
		load: () => api.getState(),
		store: (state) => api.setState(state),
	};
}
