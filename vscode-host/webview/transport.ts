// The interface of the page's connection. Types only.

import type { FromPanel, ToPanel } from "../src/panel-messages";

export interface Transport {
	/** Whether VS Code shows the page. */
	readonly isInEditor: boolean;
	send(message: FromPanel): void;
	receive(handle: (message: ToPanel) => void): void;
	/** State that survives while the page is gone. */
	load(): unknown;
	store(state: unknown): void;
}
