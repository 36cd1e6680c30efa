// The page of the API: lists the operations of /openapi.json with their fields, and sends requests to try them.
const list = document.getElementById("operations");

/** Makes an element; children are elements or texts. */
function element(name, properties, ...children) {
	const made = Object.assign(document.createElement(name), properties);
	made.append(...children.filter((child) => child !== undefined));
	return made;
}

let components = {};

/** The schema that a reference stands for. */
function resolved(schema) {
	const name = schema?.$ref?.split("/").at(-1);
	return name ? components[name] : schema;
}

/** A table with the fields of an object, those of `allOf` at its end. */
function fields(schema) {
	const all = [schema, ...(schema.allOf ?? []).map(resolved)];
	const rows = all.flatMap(({ properties = {}, required = [] }) =>
		Object.entries(properties).map(([name, raw]) => {
			const { type, enum: values, description = "" } = resolved(raw);
			const kinds = (values ?? [type ?? "any"].flat()).filter((kind) => kind !== null && kind !== "null");
			return element(
				"tr",
				{},
				element("td", {}, element("code", { textContent: name })),
				element("td", { textContent: kinds.join(values ? " | " : " or ") }),
				element("td", { textContent: required.includes(name) ? `Required. ${description}` : description }),
			);
		}),
	);
	return rows.length > 0 ? element("table", {}, element("tbody", {}, ...rows)) : undefined;
}

/** A form that sends the request and shows the response. */
function tryIt(method, path, operation, schema) {
	const names = operation.parameters.map(({ name, in: place }) => ({ name, place }));
	const inputs = names.map(({ name, place }) => element("input", { name, required: place === "path" }));
	const labels = inputs.map((input) => element("label", {}, `${input.name} `, input));
	const example = schema?.examples?.[0] ?? {};
	const body = schema && element("textarea", { rows: 8, spellcheck: false, ariaLabel: "Body" });
	if (body) {
		body.value = JSON.stringify(example, null, 2);
	}
	const answer = element("pre", { hidden: true, tabIndex: 0, ariaLabel: "Response" });
	const form = element("form", { className: "try" }, ...labels, body, element("button", { textContent: "Send" }));
	form.addEventListener("submit", async (event) => {
		event.preventDefault();
		answer.hidden = false;
		answer.textContent = "...";
		let target = path;
		const query = new URLSearchParams();
		for (const [at, { name, place }] of names.entries()) {
			const { value } = inputs[at];
			if (place === "path") {
				target = target.replace(`{${name}}`, encodeURIComponent(value));
			} else if (value !== "") {
				query.set(name, value);
			}
		}
		try {
			const response = await fetch(query.size > 0 ? `${target}?${query}` : target, {
				method: method.toUpperCase(),
				headers: body ? { "content-type": "application/json" } : {},
				body: body?.value,
			});
			answer.textContent = `${response.status} ${response.statusText}\n\n`;
			if (response.body) {
				for await (const text of response.body.pipeThrough(new TextDecoderStream())) {
					answer.append(text);
				}
			}
		} catch (error) {
			answer.textContent = error.message;
		}
	});
	return [form, answer];
}

function operationView(method, path, operation) {
	const schema = resolved(operation.requestBody?.content["application/json"].schema);
	const view = element(
		"details",
		{},
		element("summary", {}, element("code", { textContent: `${method.toUpperCase()} ${path}` }), ` ${operation.summary}`),
	);
	view.addEventListener(
		"toggle",
		() => {
			const table = schema && fields(schema);
			view.append(...[table, ...tryIt(method, path, operation, schema)].filter(Boolean));
		},
		{ once: true },
	);
	return view;
}

async function show() {
	const response = await fetch("/openapi.json");
	const document = await response.json();
	if (!response.ok) {
		throw new Error(document.error.message);
	}
	components = document.components.schemas;
	const groups = new Map();
	for (const [path, operations] of Object.entries(document.paths)) {
		for (const [method, operation] of Object.entries(operations)) {
			const [tag] = operation.tags;
			groups.set(tag, [...(groups.get(tag) ?? []), operationView(method, path, operation)]);
		}
	}
	for (const [tag, views] of groups) {
		list.append(element("h2", { textContent: tag }), ...views);
	}
}

show().catch((error) => {
	list.append(element("p", { className: "failure", role: "alert", textContent: error.message }));
});
