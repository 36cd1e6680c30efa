// Sends a request of the panel to the server's HTTP port, as any program does.

/** Paths that run a model; the page may ask for no other. */
const PATH = /^\/(v1\/[\w/:.-]+|v1beta\/[\w/:.-]+|api\/(chat|generate))$/;

/** Sends a body and reads the response, which the panel shows from the server's log. */
export async function sendRequest(
	endpoint: string,
	key: string,
	path: string,
	headers: readonly [name: string, value: string][],
	body: string,
): Promise<void> {
	if (!PATH.test(path)) {
		throw new Error(`${path} is no endpoint of a model`);
	}
	const response = await fetch(endpoint + path, {
		method: "POST",
		headers: {
			...Object.fromEntries(headers),
			"content-type": "application/json",
			"user-agent": "Copilot-Proxy-Inspector",
			...(key === "" ? {} : { authorization: `Bearer ${key}` }),
		},
		body,
	});
	for await (const _ of response.body ?? []) {
		// read to its end, else the server would cancel the model
	}
}
