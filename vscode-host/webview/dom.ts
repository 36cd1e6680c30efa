// Making elements. No inline styles and no inline handlers anywhere: the page's policy forbids them.

type Child = Node | string;

/** An element with properties and children. */
export function make<Tag extends keyof HTMLElementTagNameMap>(
	tag: Tag,
	properties: Partial<HTMLElementTagNameMap[Tag]> = {},
	...children: Child[]
): HTMLElementTagNameMap[Tag] {
	const element = Object.assign(document.createElement(tag), properties);
	element.append(...children);
	return element;
}

/** A part of a picture. */
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

/** The element of the page that has this id: it is written in panel.html. */
export function byId<Type extends HTMLElement = HTMLElement>(id: string): Type {
	return document.getElementById(id) as Type;
}

/** Draws only when what is shown has changed, so that focus and selection stay where they are. */
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

/** Says something to those who hear the page instead of seeing it. */
export function announce(text: string): void {
	byId("announcement").textContent = text;
}

/** Text in which `code` stands between backticks and *stress* between stars. */
export function prose(text: string): Child[] {
	const piece = (each: string, at: number): Child =>
		at % 2 === 1 ? make("code", { textContent: each }) : each.replaceAll("*", "");
	return text.split("`").map(piece);
}
