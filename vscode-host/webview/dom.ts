// Helpers that create elements, without inline styles and handlers, which the page's security policy forbids.

type Child = Node | string;

/** Creates an element with properties and children. */
export function make<Tag extends keyof HTMLElementTagNameMap>(
	tag: Tag,
	properties: Partial<HTMLElementTagNameMap[Tag]> = {},
	...children: Child[]
): HTMLElementTagNameMap[Tag] {
	const element = Object.assign(document.createElement(tag), properties);
	element.append(...children);
	return element;
}

/** Creates an SVG element. */
export function draw(
	tag: string,
	attributes: Record<string, string | number>,
	...children: Child[]
): SVGElement {
	const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
	for (const [name, value] of Object.entries(attributes)) {
		element.setAttribute(name, String(value));
	}
	element.append(...children);
	return element;
}

/** The element of panel.html with an id. */
export function byId<Type extends HTMLElement = HTMLElement>(id: string): Type {
	return document.getElementById(id) as Type;
}

/** Wraps a redraw so that it runs only when its source has changed, which keeps focus and selection. */
export function drawer<Source>(redraw: (source: Source) => void): (source: Source) => void {
	let drawn: string | undefined;
	return (source) => {
		const shown = JSON.stringify(source);
		if (shown !== drawn) {
			drawn = shown;
			redraw(source);
		}
	};
}

/** Announces a text to screen readers. */
export function announce(text: string): void {
	byId("announcement").textContent = text;
}

/** Converts text with `code` between backticks to elements, and removes the stars of *emphasis*. */
export function prose(text: string): Child[] {
	const piece = (each: string, at: number): Child =>
		at % 2 === 1 ? make("code", { textContent: each }) : each.replaceAll("*", "");
	return text.split("`").map(piece);
}
