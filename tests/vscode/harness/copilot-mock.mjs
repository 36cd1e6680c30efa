// A mock of GitHub's service on loopback: sign-in, three models, and responses in the three APIs of the service. It is
// also the proxy of Copilot's traffic, so that no request leaves the machine.
//
// The last line of a prompt is JSON that describes the response: {text: [...], calls: [{id, name, input}], finish, usage},
// an error {status, headers, body}, or {cut: true} for a closed connection. With {wait: true} it ends after `goOn`.
// {afterTool: {...}} describes the response once a tool's result follows the prompt, {onRetry: {...}} once an assistant's
// message does.
import { once } from "node:events";
import http from "node:http";
import net from "node:net";
import { encoders, WAIT } from "./copilot-answers.mjs";

/** The host name of the GitHub Enterprise server after `api.`; only the proxy resolves it. */
const ENTERPRISE = "copilot.test";
export const PROMPT_LIMIT = 16_000;

/** Context sizes of `gpt-4.1-long`: Copilot trims to the first unless a request asks for more. */
export const LONG_WINDOW = { standard: 32_000, window: 200_000 };
const LONG_CONTEXT = {
	prices: {
		default: { input_price: 300, output_price: 1_500, cache_price: 30, context_max: LONG_WINDOW.standard },
		long_context: { input_price: 600, output_price: 2_250, cache_price: 60, context_max: LONG_WINDOW.window },
	},
	limit: LONG_WINDOW.window,
};

const MODELS = [
	["gpt-4.1", "Azure OpenAI", ["/chat/completions"], { is_chat_default: true, is_chat_fallback: true }],
	["claude-sonnet-4.5", "Anthropic", ["/chat/completions", "/v1/messages"], {}, { thinks: true }],
	["gpt-5-codex", "OpenAI", ["/responses"], {}, { thinks: true }],
	["gpt-4.1-long", "Azure OpenAI", ["/chat/completions"], {}, LONG_CONTEXT],
];

export async function startCopilotMock() {
	const mock = new CopilotMock();
	await mock.listen();
	return mock;
}

class CopilotMock {
	/** The requests to models: `{path, body, cut}`; `cut` is set once the client has disconnected. */
	questions = [];
	/** The bodies of requests to route model `auto`. */
	routings = [];
	/** The response to the next request to route `auto`, in place of a model: `{status, body}`. */
	routingError;
	/** The cost of all responses that were sent to their end, in billionths of a credit. */
	charged = 0;
	/** The model that `auto` is routed to. */
	routedModel = "gpt-5-codex";
	/** The number of service tokens that were issued. */
	tokens = 0;
	#server = http.createServer((request, response) => this.#serve(request, response));

	async listen() {
		this.#server.on("connect", (request, socket) => this.#tunnel(request, socket));
		this.#server.listen(0, "127.0.0.1");
		await once(this.#server, "listening");
		this.url = `http://127.0.0.1:${this.#server.address().port}`;
	}

	/** The user settings that send Copilot's traffic to this mock. */
	get settings() {
		return {
			"http.proxy": this.url,
			"github-enterprise.uri": `http://${ENTERPRISE}`,
			"github.copilot.advanced": { authProvider: "github-enterprise" },
		};
	}

	async stop() {
		this.#server.close();
		this.#server.closeAllConnections();
		await once(this.#server, "close");
	}

	/** Forwards the enterprise server's host to this mock and refuses any other host. */
	#tunnel(request, socket) {
		socket.on("error", () => {});
		if (request.url !== `api.${ENTERPRISE}:80`) return socket.end("HTTP/1.1 502 Bad Gateway\r\n\r\n");
		const inner = net.connect(this.#server.address().port, "127.0.0.1", () => {
			socket.write("HTTP/1.1 200 OK\r\n\r\n");
			socket.pipe(inner).pipe(socket);
		});
		inner.on("error", () => socket.destroy());
		socket.on("close", () => inner.destroy());
	}

	async #serve(request, response) {
		let body = "";
		for await (const chunk of request) body += chunk;
		const { pathname } = new URL(request.url, this.url);
		switch (pathname) {
			case "/copilot_internal/v2/token":
				this.tokens += 1;
				return json(response, this.#token());
			case "/copilot_internal/user":
				return json(response, { copilot_plan: "individual", chat_enabled: true, login: "tester" });
			case "/user":
				return json(response, { id: 1, login: "tester" });
			case "/auto":
				return this.#route(JSON.parse(body), response);
			case "/models":
				return json(response, { data: MODELS.map((model) => modelOf(...model)) });
			default:
				return pathname in encoders
					? this.#answer(pathname, JSON.parse(body), response)
					: json(response, {}, { status: 404 });
		}
	}

	/** The session expires immediately, so that each request is routed again. */
	#route(body, response) {
		this.routings.push(body);
		const { status, body: error } = this.routingError ?? {};
		if (status) return json(response, error, { status });
		const model = MODELS.find(([id]) => id === this.routedModel);
		return json(response, {
			selected_model: modelOf(...model),
			session_token: `session-${this.routings.length}`,
			expires_at: Math.floor(Date.now() / 1000),
			discounted_costs: {},
		});
	}

	#token() {
		const token = `tid=${this.tokens};exp=9999999999`;
		const endpoints = { api: this.url, proxy: this.url, telemetry: this.url };
		const expiresAt = Math.floor(Date.now() / 1000) + 1_800;
		return { token, expires_at: expiresAt, refresh_in: 1_500, chat_enabled: true, sku: "paid", endpoints };
	}

	async #answer(path, body, response) {
		const question = { path, body, cut: false };
		this.questions.push(question);
		response.on("close", () => {
			question.cut = !response.writableEnded;
		});
		const { status, headers, body: error, ...answer } = wishOf(body);
		if (status) return json(response, error, { status, headers });
		if (answer.cut) return response.destroy();
		response.writeHead(200, { "content-type": "text/event-stream" });
		for (const event of encoders[path](answer)) {
			if (event === WAIT) {
				await new Promise((resolve) => {
					this.goOn = resolve;
				});
				continue;
			}
			const name = path === "/chat/completions" ? "" : `event: ${event.type}\n`;
			response.write(`${name}data: ${JSON.stringify(event)}\n\n`);
		}
		response.end(path === "/chat/completions" ? "data: [DONE]\n\n" : undefined);
		this.charged += answer.usage?.nano ?? 0;
	}
}

/** The description of the response: the last line of a user's text that is JSON. */
function wishOf({ messages, input }) {
	const history = messages ?? input;
	const wishIn = ({ role, content }) =>
		(role !== "user" ? [] : typeof content === "string" ? [content] : content.map(({ text }) => text))
			.map((text) => text?.split("\n").at(-1))
			.filter((line) => line?.startsWith("{"))
			.at(-1);
	const at = history.findLastIndex((message) => wishIn(message) !== undefined);
	const wish = JSON.parse(at < 0 ? '{"text":["no wish"]}' : wishIn(history[at]));
	const later = history.slice(at + 1);
	if (wish.afterTool && later.some(hasToolResult)) return wish.afterTool;
	return wish.onRetry && later.some(({ role }) => role === "assistant") ? wish.onRetry : wish;
}

/** Whether a message or an item has the result of a tool, in any of the three APIs. */
const hasToolResult = ({ role, type, content }) =>
	role === "tool" ||
	type === "function_call_output" ||
	(Array.isArray(content) && content.some(({ type: kind }) => kind === "tool_result"));

/** Sends a response; a text `body` is sent unchanged. */
function json(response, body = "", { status = 200, headers = {} } = {}) {
	response.writeHead(status, { "content-type": "application/json", ...headers });
	response.end(typeof body === "string" ? body : JSON.stringify(body));
}

function modelOf(id, vendor, endpoints, more = {}, { prices, limit = PROMPT_LIMIT, thinks = false } = {}) {
	const limits = {
		max_context_window_tokens: limit + 4_000,
		max_prompt_tokens: limit,
		max_output_tokens: 4_000,
	};
	const thinking = thinks ? { adaptive_thinking: true, reasoning_effort: ["low", "medium", "high"] } : {};
	const supports = {
		streaming: true,
		tool_calls: true,
		parallel_tool_calls: true,
		vision: true,
		...thinking,
	};
	return {
		id,
		name: id,
		vendor,
		object: "model",
		version: id,
		model_picker_enabled: true,
		is_chat_default: false,
		is_chat_fallback: false,
		policy: { state: "enabled", terms: "" },
		capabilities: { type: "chat", family: id, tokenizer: "o200k_base", limits, supports },
		supported_endpoints: endpoints,
		...(prices ? { billing: { token_prices: { batch_size: 1_000_000, ...prices } } } : {}),
		...more,
	};
}
