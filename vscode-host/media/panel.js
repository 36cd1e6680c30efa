// Shows what the extension sends and sends back what was clicked. Each part of the page is drawn by a function of its
// own, and only when what it shows has changed, so that focus and selection stay where they are.

const extension = acquireVsCodeApi();

const TITLES = {
	start: "Start Server",
	stop: "Stop Server",
	restart: "Restart Server",
	allow: "Allow Models...",
};

/** Those that a person most likely came for. */
const INVITING = new Set(["start", "allow"]);

const byId = (id) => document.getElementById(id);

/** An element with properties and children. */
function make(tag, properties, ...children) {
	const element = Object.assign(document.createElement(tag), properties);
	element.append(...children);
	return element;
}

function copy(text) {
	extension.postMessage({ type: "copy", text });
	byId("said").textContent = `Copied ${text}`;
}

const parts = {
	state({ title, more, tone }) {
		document.body.dataset.tone = tone;
		byId("title").textContent = title;
		byId("more").textContent = more;
	},

	actions({ actions }) {
		const buttons = actions.map((command) =>
			make("button", {
				textContent: TITLES[command],
				className: INVITING.has(command) ? "primary" : "",
				onclick: () => extension.postMessage({ type: "run", command }),
			}),
		);
		byId("actions").replaceChildren(...buttons);
	},

	endpoints({ endpoints }) {
		byId("endpoints").hidden = endpoints.length === 0;
		const items = endpoints.map(({ name, url }) =>
			make(
				"li",
				{},
				make("span", { className: "name", textContent: name }),
				make("code", { textContent: url }),
				make("button", { textContent: "Copy", ariaLabel: `Copy ${name} base URL`, onclick: () => copy(url) }),
			),
		);
		byId("endpoint-list").replaceChildren(...items);
	},

	figures({ figures }) {
		byId("figures").hidden = !figures;
		const items = Object.entries(figures ?? {}).map(([name, value]) =>
			make("div", {}, make("dt", { textContent: name }), make("dd", { textContent: value.toLocaleString() })),
		);
		byId("figure-list").replaceChildren(...items);
	},

	models({ models }) {
		byId("models").hidden = models.length === 0;
		byId("no-models").hidden = models.length > 0;
		byId("models").tBodies[0].replaceChildren(...models.map(modelRow));
	},
};

function modelRow({ name, id, vendor, limit, tools, images }) {
	const tags = [tools && "tools", images && "images"].filter(Boolean);
	return make(
		"tr",
		{},
		make("td", { textContent: name }),
		make("td", {}, make("code", { textContent: id })),
		make("td", { textContent: vendor }),
		make("td", { className: "number", textContent: limit.toLocaleString() }),
		make("td", {}, ...tags.map((tag) => make("span", { className: "tag", textContent: tag }))),
	);
}

/** What each part was last drawn from. */
const drawn = {};

addEventListener("message", ({ data }) => {
	const sources = {
		state: [data.title, data.more, data.tone],
		actions: data.actions,
		endpoints: data.endpoints,
		figures: data.figures,
		models: data.models,
	};
	for (const [name, source] of Object.entries(sources)) {
		const shown = JSON.stringify(source);
		if (drawn[name] !== shown) {
			drawn[name] = shown;
			parts[name](data);
		}
	}
});

extension.postMessage({ type: "ready" });
