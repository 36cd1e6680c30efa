// A web site that attacks a server on loopback: its pages, and the browser that visits them.
import { once } from "node:events";
import http from "node:http";
import { chromium, chromiumPath } from "./installed.mjs";

/** Any page of the site may read what the site itself answers. */
const READABLE = {
	"access-control-allow-origin": "*",
	"access-control-allow-headers": "content-type",
	"access-control-allow-methods": "GET, POST",
};

/** A service worker that sends the requests that its page asks for. */
const SERVICE_WORKER = `
	addEventListener("install", () => skipWaiting());
	addEventListener("activate", (event) => event.waitUntil(clients.claim()));
	addEventListener("message", async ({ data: { url, options }, ports: [port] }) => {
		port.postMessage(await fetch(url, options).then((response) => response.text(), () => ""));
	});`;

/**
 * Starts the site on a free port. `/` is an empty page, `/sandbox` one with a sandboxed frame, `/redirect?to=URL` answers
 * 307, `/report?to=URL` is a page that breaks its own policy, which the browser reports to that URL.
 */
export async function startWebSite() {
	const server = http.createServer(respond).listen(0, "127.0.0.1");
	await once(server, "listening");
	const { port } = server.address();
	return {
		port,
		stop: () => {
			server.close();
			server.closeAllConnections();
		},
	};
}

function respond(request, response) {
	const { pathname, searchParams } = new URL(request.url, "http://site.test");
	const to = searchParams.get("to");
	const send = (headers, body = "") => response.writeHead(200, headers).end(body);
	const page = { "content-type": "text/html" };
	request.resume();
	if (request.method === "OPTIONS") return send(READABLE);
	switch (pathname) {
		case "/redirect":
			return response.writeHead(307, { ...READABLE, location: to }).end();
		case "/worker.js":
			return send({ "content-type": "text/javascript" }, SERVICE_WORKER);
		case "/report":
			return send({ ...page, "content-security-policy": `img-src 'none'; report-uri ${to}` }, "<img src=/x>");
		case "/sandbox":
			return send(
				page,
				'<iframe src="/" sandbox="allow-scripts allow-forms" allow="local-network; loopback-network; local-network-access"></iframe>',
			);
		default:
			return send(page, "<!doctype html><title>A page</title>");
	}
}

/**
 * Starts a browser that finds every name that ends in `.test`, and the name by which containers reach their host, on this
 * machine, and trusts the pages of `evil.test` at `sitePort` as if they came by https: service workers need that. With
 * `protectsLoopback` these pages count as pages of the internet, and the browser lets them reach loopback only with a
 * permission; without it as older browsers do.
 */
export function startWebBrowser(sitePort, { protectsLoopback = false } = {}) {
	return chromium.launch({
		executablePath: chromiumPath,
		args: [
			"--no-sandbox",
			"--disable-gpu",
			"--disable-background-networking",
			"--disable-component-update",
			"--host-resolver-rules=MAP *.test 127.0.0.1, MAP host.docker.internal 127.0.0.1",
			`--unsafely-treat-insecure-origin-as-secure=http://evil.test:${sitePort}`,
			protectsLoopback
				? `--ip-address-space-overrides=127.0.0.1:${sitePort}=public`
				: "--disable-features=LocalNetworkAccessChecks,LocalNetworkAccessChecksWebSockets",
		],
	});
}
