// The tabs of the page. Arrow keys move between them, as everywhere in VS Code.

import { remember, remembered } from "./page";

export function wireTabs(): void {
	const tabs = [...document.querySelectorAll<HTMLButtonElement>('[role="tab"]')];
	const select = (tab: HTMLButtonElement) => {
		for (const each of tabs) {
			const isSelected = each === tab;
			each.ariaSelected = String(isSelected);
			each.tabIndex = isSelected ? 0 : -1;
			panelOf(each).hidden = !isSelected;
		}
		remember({ tab: tab.id.replace("-tab", "") });
	};
	for (const [at, tab] of tabs.entries()) {
		tab.onclick = () => select(tab);
		tab.onkeydown = ({ key }) => {
			const next = tabs[nextOf(key, at, tabs.length)];
			if (next && next !== tab) {
				select(next);
				next.focus();
			}
		};
	}
	const first = tabs.find(({ id }) => id === `${remembered().tab}-tab`) ?? tabs[0];
	if (first) {
		select(first);
	}
}

function nextOf(key: string, at: number, tabs: number): number {
	switch (key) {
		case "ArrowRight":
			return (at + 1) % tabs;
		case "ArrowLeft":
			return (at + tabs - 1) % tabs;
		case "Home":
			return 0;
		case "End":
			return tabs - 1;
		default:
			return at;
	}
}

function panelOf(tab: HTMLElement): HTMLElement {
	return document.getElementById(tab.getAttribute("aria-controls") ?? "") as HTMLElement;
}
