// Generated from src/bridge/protocol.rs by `UPDATE_PROTOCOL=1 cargo test --lib mirror`: change that file.

export const PROTOCOL = 4;

/**
 * Running and recent requests, without any text of conversations.
 */
export type Activity = { 
/**
 * Whether this is everything that is kept, so that earlier messages are void.
 */
reset: boolean, 
/**
 * New and changed requests, oldest first. The running ones are kept, and the last hundred of the others; of those
 * that were turned away the last twenty.
 */
requests: Array<RequestRecord>, 
/**
 * All models that have answered since the server started, by name.
 */
models: Array<ModelTotals>, 
/**
 * The minutes of the last hour in which requests ended, oldest first.
 */
minutes: Array<Minute>, };

/**
 * An origin to ask the user about.
 */
export type AskOrigin = { 
/**
 * Value of a request's `Origin`; `null` for files and sandboxed frames.
 */
origin: string, };

/**
 * Progress of a request in auto mode.
 */
export type AutoModeStatus = { 
/**
 * Number of the model request that runs or ran last, from 1.
 */
round: number, 
/**
 * Names of the editor tools that run now.
 */
running_tools: Array<string>, };

/**
 * Name patterns (`*`, `?`) of the tools that auto mode may run.
 */
export type AutoTools = { 
/**
 * Those that may.
 */
allow: Array<string>, 
/**
 * Of these, those that may not.
 */
deny: Array<string>, };

/**
 * A change of a budget.
 */
export type BudgetChange = "add" | "lift_today";

/**
 * Limits for a day and a month; absent ones don't limit.
 */
export type BudgetLimits = { 
/**
 * Credits for a day, in local time.
 */
per_day?: number, 
/**
 * Credits for a month, in UTC as Copilot bills.
 */
per_month?: number, 
/**
 * Tokens for a day, of models whose cost is unknown.
 */
tokens_per_day?: number, 
/**
 * Tokens for a month, of models whose cost is unknown.
 */
tokens_per_month?: number, };

/**
 * A budget that is nearly or quite used up: shown to the user.
 */
export type BudgetNotice = { 
/**
 * The budget: `ChangeBudget` names it.
 */
budget: string, 
/**
 * Sentence for the user.
 */
message: string, 
/**
 * Label of the button that adds to it; absent while the budget is not used up.
 */
add?: string, };

/**
 * The user's limits on what requests may cost.
 */
export type Budgets = { 
/**
 * Limits of all clients together.
 */
all: BudgetLimits, 
/**
 * Limits of single clients, by the name of their key or of their product.
 */
per_client: { [key in string]?: BudgetLimits }, };

/**
 * The beginning of a body.
 */
export type CapturedBody = { 
/**
 * The captured part.
 */
text: string, 
/**
 * Bytes in all.
 */
bytes: number, 
/**
 * Whether the body is longer than the captured part.
 */
truncated: boolean, };

/**
 * A model that clients can ask.
 */
export type CatalogModel = { 
/**
 * The name to ask for: its id, or `vendor/id` where another vendor has the same one.
 */
request_name: string, 
/**
 * Provider: `copilot`.
 */
vendor: string, 
/**
 * Unique in its vendor.
 */
id: string, 
/**
 * For example `claude-sonnet-4.5`.
 */
family: string, 
/**
 * Opaque version string.
 */
version: string, 
/**
 * Name for people.
 */
name: string, 
/**
 * In tokens, the provider's own additions already taken off.
 */
max_input_tokens: number, 
/**
 * It can call tools; absent where the editor doesn't say.
 */
tools?: boolean, 
/**
 * It takes images; absent where the editor doesn't say.
 */
images?: boolean, 
/**
 * Every good answer of it ends with a usage part, so that one without was cut short.
 */
reports_usage: boolean, 
/**
 * Whatever else the editor reveals of price and limits.
 */
extra: { [name: string]: unknown }, };

/**
 * The user's change of a budget; it takes effect at once.
 */
export type ChangeBudget = { 
/**
 * The budget, as its notice names it.
 */
budget: string, 
/**
 * The change.
 */
change: BudgetChange, };

/**
 * A question to a model. Everything maps one to one onto `vscode.lm` classes.
 */
export type Chat = { 
/**
 * The model's vendor.
 */
vendor: string, 
/**
 * The model's id.
 */
model: string, 
/**
 * Product and version of the client, as its User-Agent names them: shown where VS Code asks for consent.
 */
client?: string, 
/**
 * A legal transcript; those of a long request are items before it.
 */
messages: Array<Message>, 
/**
 * Tools that the model may call.
 */
tools: Array<Tool>, 
/**
 * It must call: there is exactly one tool then.
 */
required: boolean, 
/**
 * `modelOptions`, as they stand.
 */
options: { [name: string]: unknown }, 
/**
 * `configuration`, as it stands: `{"reasoningEffort":"high"}`.
 */
configuration: { [name: string]: unknown }, 
/**
 * `includeEncryptedThinking`: thinking parts come with the metadata that they go back with.
 */
include_encrypted_thinking: boolean, };

/**
 * A piece of a tool's result.
 */
export type Content = { "type": "text", 
/**
 * Its content.
 */
text: string, } | { "type": "data" } & Data;

/**
 * Largest context of models with a long-context price.
 */
export type ContextSize = "full" | "standard";

/**
 * Cost of a response. A credit is Copilot's unit of billing.
 */
export type Credits = { 
/**
 * Billionths of a credit.
 */
nano: number, 
/**
 * Source of the number.
 */
source: CreditsSource, };

/**
 * Source of a cost; the less certain one is greater.
 */
export type CreditsSource = "reported" | "estimated";

/**
 * Bytes, kept as the base64 in which clients send them and the editor takes them.
 */
export type Data = { 
/**
 * For example `image/png`.
 */
mime: string, 
/**
 * Standard alphabet, padded, checked where it was read.
 */
base64: string, };

/**
 * A tool of an editor: built-in, an extension's or an MCP server's.
 */
export type EditorTool = { 
/**
 * For filtering: `vscode`, `mcp` ...
 */
tags: Array<string>, 
/**
 * Its name. The editor takes only `[\w-]+`; others are mapped there and back.
 */
name: string, 
/**
 * Description for the model.
 */
description: string, 
/**
 * A JSON Schema of its arguments; without one it takes none.
 */
input_schema?: object, };

/**
 * Captured bodies of a request, only while the user wants to see them.
 */
export type Exchange = { 
/**
 * The request's id.
 */
id: string, 
/**
 * The request's headers that change what it means, name and value.
 */
headers: Array<[string, string]>, 
/**
 * The request's body; absent where it is not, or no longer, kept.
 */
request?: CapturedBody, 
/**
 * Body of the response so far.
 */
response?: CapturedBody, };

/**
 * A model that could not respond, so that another one was asked.
 */
export type FailedModel = { 
/**
 * Its id; the requested name if no model has it.
 */
model: string, 
/**
 * Kind of its failure: `rate_limited`.
 */
reason: string, };

/**
 * A workspace folder.
 */
export type Folder = { 
/**
 * As the window's title shows it.
 */
name: string, 
/**
 * Path on disk.
 */
path: string, };

/**
 * From an editor to the server.
 */
export type FromEditor = { "type": "hello" } & Hello | { "type": "run" } & Run | { "type": "read_log" } & ReadLog | { "type": "models" } & Models | { "type": "window" } & Window | { "type": "user_settings" } & UserSettings | { "type": "keys" } & Keys | { "type": "start" } | { "type": "stop" } | { "type": "handover" } | { "type": "watch" } & Watch | { "type": "get_exchange" } & GetExchange | { "type": "get_usage" } & GetUsage | { "type": "stop_request" } & StopRequest | { "type": "change_budget" } & ChangeBudget | { "type": "thinking_id" } & ThinkingId | { "type": "part" } & ResponsePart | { "type": "history_missing" } | { "type": "end" } | { "type": "failed" } & ProviderError | { "type": "tools" } & Tools | { "type": "tool_output" } & ToolOutput | { "type": "origin_answer" } & OriginAnswer | { "type": "pong" };

/**
 * Request for the captured bodies of one request.
 */
export type GetExchange = { 
/**
 * Id of the request.
 */
id: string, };

/**
 * Request for the sums of the usage of some days.
 */
export type GetUsage = { 
/**
 * First day, as `YYYY-MM-DD` in local time.
 */
from: string, 
/**
 * Last day; it is included.
 */
to: string, 
/**
 * Grouping: `day`, `model`, `client`, `session` or `key`.
 */
by: string, };

/**
 * Credentials and identity of an editor.
 */
export type Hello = { 
/**
 * Token from `server.json`.
 */
token: string, 
/**
 * `PROTOCOL` of the editor.
 */
protocol: number, 
/**
 * The extension's version.
 */
version: string, 
/**
 * Process id of the extension host.
 */
pid: number, 
/**
 * The editor's window.
 */
window: Window, };

/**
 * The state of the HTTP port.
 */
export type HttpState = { "state": "off" } | { "state": "running", 
/**
 * Number of the port.
 */
port: number, } | { "state": "port_taken", 
/**
 * Number of the port.
 */
port: number, 
/**
 * The program that has it, where the system tells.
 */
holder?: PortHolder, 
/**
 * The next port that is free.
 */
free_port?: number, } | { "state": "failed", 
/**
 * Number of the port.
 */
port: number, 
/**
 * The system's words.
 */
message: string, };

/**
 * A tool to run.
 */
export type InvokeTool = { 
/**
 * Name, as listed.
 */
name: string, 
/**
 * Arguments of the call.
 */
input: unknown, };

/**
 * All keys of the user. While there are any, each HTTP request must carry one.
 */
export type Keys = { 
/**
 * The valid keys: one that is no longer among them is revoked at once.
 */
keys: Array<PersonKey>, };

/**
 * Severity of a log line.
 */
export type LogLevel = "error" | "warn" | "info" | "debug" | "trace";

/**
 * A line of the server's log.
 */
export type LogLine = { 
/**
 * Severity.
 */
level: LogLevel, 
/**
 * Milliseconds since 1970.
 */
time: number, 
/**
 * One thing that happened.
 */
text: string, };

/**
 * One turn of one speaker.
 */
export type Message = { 
/**
 * Author of the message.
 */
role: Role, 
/**
 * A participant's name, where the client gave one.
 */
name?: string, 
/**
 * Content, in order.
 */
parts: Array<Part>, };

/**
 * Requests that ended in one minute.
 */
export type Minute = { 
/**
 * Begin of the minute, in milliseconds since 1970.
 */
time: number, 
/**
 * Requests that ended.
 */
requests: number, 
/**
 * Those of them that failed.
 */
failed: number, };

/**
 * The models of all editors together.
 */
export type ModelCatalog = { 
/**
 * Entries, as clients see them.
 */
models: Array<CatalogModel>, };

/**
 * A model of an editor.
 */
export type ModelInfo = { 
/**
 * Provider: `copilot`.
 */
vendor: string, 
/**
 * Unique in its vendor.
 */
id: string, 
/**
 * For example `claude-sonnet-4.5`.
 */
family: string, 
/**
 * Opaque version string.
 */
version: string, 
/**
 * Name for people.
 */
name: string, 
/**
 * In tokens, the provider's own additions already taken off.
 */
max_input_tokens: number, 
/**
 * It can call tools; absent where the editor doesn't say.
 */
tools?: boolean, 
/**
 * It takes images; absent where the editor doesn't say.
 */
images?: boolean, 
/**
 * Every good answer of it ends with a usage part, so that one without was cut short.
 */
reports_usage: boolean, 
/**
 * Whatever else the editor reveals of price and limits.
 */
extra: { [name: string]: unknown }, };

/**
 * Totals of a model since the server started.
 */
export type ModelTotals = { 
/**
 * Id of the model.
 */
model: string, 
/**
 * Requests that it was asked with.
 */
requests: number, 
/**
 * Those of them that failed.
 */
failed: number, 
/**
 * Input tokens.
 */
tokens_in: number, 
/**
 * Of these: read from the provider's cache.
 */
cached: number, 
/**
 * Output tokens.
 */
tokens_out: number, };

/**
 * All models of an editor.
 */
export type Models = { 
/**
 * In the editor's order.
 */
models: Array<ModelInfo>, };

/**
 * The user's answer about an origin. The editor has written it to its settings already, except for `null`.
 */
export type OriginAnswer = { 
/**
 * The decision.
 */
decision: OriginDecision, };

/**
 * A decision about the web pages of an origin.
 */
export type OriginDecision = "allow" | "block" | "unanswered";

/**
 * Outcome of a request.
 */
export type Outcome = { "state": "running" } | { "state": "finished", 
/**
 * `stop`, `length`, `tool_calls` ...
 */
reason: string, } | { "state": "failed", 
/**
 * A word for it: `rate_limited`.
 */
kind: string, 
/**
 * Message in the client's response.
 */
message: string, 
/**
 * Hint for the user; empty where the message has it.
 */
hint: string, } | { "state": "disconnected" };

/**
 * A piece of a message, in either direction.
 */
export type Part = { "type": "text", 
/**
 * Its content, never a prompt template.
 */
text: string, } | { "type": "data" } & Data | { "type": "thinking" } & Thinking | { "type": "tool_call" } & ToolCall | { "type": "tool_result" } & ToolResult;

/**
 * A key of the user: its text and what it permits.
 */
export type PersonKey = { 
/**
 * Name in the log, the panel and the usage database.
 */
name: string, 
/**
 * Text that clients send.
 */
key: string, 
/**
 * Patterns (`*`, `?`) of the models that it may use; empty for all.
 */
models: Array<string>, 
/**
 * Whether it may see and run the editor's tools.
 */
tools: boolean, 
/**
 * Credits that it may spend in a day; absent for no limit, as below.
 */
per_day?: number, 
/**
 * Credits that it may spend in a month.
 */
per_month?: number, 
/**
 * Credits that it may spend in all.
 */
total?: number, };

/**
 * The program that has a port.
 */
export type PortHolder = { 
/**
 * Name of the program.
 */
name: string, 
/**
 * Process id.
 */
pid: number, };

/**
 * Input that the provider's cache could have had, if the prefix had not changed.
 */
export type PrefixLoss = { 
/**
 * In tokens.
 */
tokens: number, 
/**
 * Price in credits above that of cached input; absent for a model without prices.
 */
credits?: number, };

/**
 * Number of premium requests, in hundredths: multipliers are `0.25x`, `0.33x`, `1x`, `10x`.
 */
export type PremiumRequests = { 
/**
 * Hundredths of a premium request.
 */
hundredths: number, };

/**
 * An error of the provider, as far as VS Code passes it on.
 */
export type ProviderError = { 
/**
 * The error's `name`: `Error`, `ChatQuotaExceeded`, `ChatRateLimited`, `LanguageModelError` ...
 */
name: string, 
/**
 * The `code` that only a `LanguageModelError` has: `NoPermissions`, `Blocked`, `NotFound`.
 */
code?: string, 
/**
 * The error's `message`, as it stands.
 */
message: string, };

/**
 * Credentials of `copilot-proxy logs`.
 */
export type ReadLog = { 
/**
 * Token from `server.json`.
 */
token: string, 
/**
 * `PROTOCOL` of the program.
 */
protocol: number, 
/**
 * Version of the program.
 */
version: string, 
/**
 * Process id of the program.
 */
pid: number, 
/**
 * Whether new lines are sent, too, until the connection ends.
 */
follow: boolean, 
/**
 * Number of the lines before that are sent, the last ones; absent for all.
 */
last?: number, };

/**
 * Refusal of a `Hello`.
 */
export type Refused = { 
/**
 * Kind of refusal.
 */
reason: RefusedReason, 
/**
 * A sentence that the user can act on.
 */
message: string, };

/**
 * Kinds of refusal.
 */
export type RefusedReason = "token" | "editor_too_old" | "server_too_old" | "not_hello";

/**
 * The account of one request.
 */
export type RequestRecord = { 
/**
 * Counted up since the server started.
 */
number: number, 
/**
 * Id, as in its response's `x-request-id`.
 */
id: string, 
/**
 * Time of arrival, in milliseconds since 1970.
 */
time: number, 
/**
 * Product and version of its client; empty where it doesn't say.
 */
client: string, 
/**
 * Name of the key that it carried; absent without a valid one.
 */
key?: string, 
/**
 * Session of the client, where it names one.
 */
session?: string, 
/**
 * Origin of the web page that sent it; absent for programs.
 */
origin?: string, 
/**
 * Dialect: `openai-chat`; empty for endpoints that run no model.
 */
dialect: string, 
/**
 * HTTP method.
 */
method: string, 
/**
 * The endpoint: `/v1/chat/completions`.
 */
path: string, 
/**
 * Whether the response is a stream.
 */
stream: boolean, 
/**
 * The model's name as the client wrote it.
 */
requested_model?: string, 
/**
 * The id of the model that answers, once it is chosen.
 */
model?: string, 
/**
 * Models that were asked before and could not respond, in their order.
 */
failed_models?: Array<FailedModel>, 
/**
 * The model that `auto` was routed to, where the provider tells.
 */
routed_model?: string, 
/**
 * Characters of text and thinking so far.
 */
characters: number, 
/**
 * HTTP status of the response; absent until its head is written.
 */
status?: number, 
/**
 * Time in the queue, in milliseconds; absent until a response has ended well.
 */
queued_ms?: number, 
/**
 * Until the model's first sign, in milliseconds.
 */
first_ms?: number, 
/**
 * From its arrival to its end, in milliseconds; absent while it runs.
 */
duration_ms?: number, 
/**
 * Usage in tokens, of all attempts if the request didn't end well; absent while it runs, and if no model was asked.
 */
tokens?: Tokens, 
/**
 * Cost in credits; absent where it is unknown.
 */
credits?: Credits, 
/**
 * Premium requests; absent for models that are billed by tokens.
 */
premium_requests?: PremiumRequests, 
/**
 * Part of the request before it in its conversation that this one begins with, from 0 to 1; absent for the first
 * request of a conversation.
 */
prefix_kept?: number, 
/**
 * Change that the kept part ends at, such as `tool "x" added`; absent where all of it was kept.
 */
prefix_break?: string, 
/**
 * Cost of that change; absent where there was none.
 */
prefix_loss?: PrefixLoss, 
/**
 * Editor tools that auto mode has run for it, in the order in which their results were passed on.
 */
tool_runs?: Array<ToolRun>, 
/**
 * Progress of auto mode, while the request runs in it.
 */
auto_mode?: AutoModeStatus, 
/**
 * Outcome of the request.
 */
outcome: Outcome, 
/**
 * Whether it was refused before its body was read: by access control, or for want of an endpoint.
 */
rejected: boolean, 
/**
 * Whether its bodies were captured: `GetExchange` reads them.
 */
has_exchange: boolean, };

/**
 * A part of an answer that needs JSON.
 */
export type ResponsePart = { 
/**
 * A tool call, thinking with metadata, or data such as the provider's `usage`.
 */
part: Part, };

/**
 * Author of a message. VS Code has no system role for extensions: a legal transcript has none either.
 */
export type Role = "system" | "user" | "assistant";

/**
 * Credentials of `copilot-proxy run`, which asks for a key for the program that it starts. The key is valid while the
 * connection lasts.
 */
export type Run = { 
/**
 * Token from `server.json`.
 */
token: string, 
/**
 * `PROTOCOL` of the program.
 */
protocol: number, 
/**
 * Version of the program.
 */
version: string, 
/**
 * Process id of `run`.
 */
pid: number, 
/**
 * The program that it starts: `codex`.
 */
program: string, 
/**
 * Credits that the program may spend in all.
 */
max_credits?: number, 
/**
 * The key that an earlier server made, so that it stays valid.
 */
earlier?: RunKey, };

/**
 * Key of a program that `copilot-proxy run` starts.
 */
export type RunKey = { 
/**
 * Name of the key, and of the program's session where it names none.
 */
name: string, 
/**
 * Text that the program sends.
 */
key: string, };

/**
 * The state of the server: the status bar shows nothing else.
 */
export type Status = { 
/**
 * The port's state.
 */
http: HttpState, 
/**
 * Requests being answered.
 */
in_flight: number, 
/**
 * Number of attached editors.
 */
editors: number, 
/**
 * Models offered by all editors together.
 */
models: number, 
/**
 * A request failed for want of consent, and none has succeeded since.
 */
consent_needed: boolean, 
/**
 * Requests answered since the server started.
 */
requests: number, 
/**
 * Tokens in, since the server started.
 */
tokens_in: number, 
/**
 * Tokens out, since the server started.
 */
tokens_out: number, 
/**
 * Start of the server, in milliseconds since 1970.
 */
started_at: number, };

/**
 * A running request that the user wants to stop.
 */
export type StopRequest = { 
/**
 * Its id, as its record has it.
 */
id: string, };

/**
 * A piece of reasoning. Its provider takes it back only as it came: with its id and its metadata.
 */
export type Thinking = { 
/**
 * Text of the reasoning; empty where the provider keeps it to itself.
 */
text: string, 
/**
 * The provider's id of it, unique in its response only.
 */
id?: string, 
/**
 * Opaque values of the provider: a signature or encrypted reasoning, and the API that they belong to.
 */
metadata?: { [name: string]: unknown }, };

/**
 * The id of a thought.
 */
export type ThinkingId = { 
/**
 * Opaque id of the provider.
 */
id: string, };

/**
 * Messages from the server to an editor. The frame's stream names the request; 0 = the connection itself.
 */
export type ToEditor = { "type": "welcome" } & Welcome | { "type": "refused" } & Refused | { "type": "chat" } & Chat | { "type": "cancel" } | { "type": "pause" } | { "type": "resume" } | { "type": "list_tools" } | { "type": "poll_tools" } | { "type": "invoke_tool" } & InvokeTool | { "type": "ask_origin" } & AskOrigin | { "type": "status" } & Status | { "type": "log" } & LogLine | { "type": "activity" } & Activity | { "type": "exchange" } & Exchange | { "type": "usage" } & UsageResponse | { "type": "model_catalog" } & ModelCatalog | { "type": "budget_notice" } & BudgetNotice | { "type": "write_setting" } & WriteSetting | { "type": "refresh_models" } | { "type": "run_key" } & RunKey | { "type": "superseded" } | { "type": "ping" };

/**
 * Usage of a request, in tokens.
 */
export type Tokens = { 
/**
 * All of the input.
 */
input: number, 
/**
 * All of the output.
 */
output: number, 
/**
 * Of the input: read from the provider's cache.
 */
cached: number, 
/**
 * Whether the provider reported it; otherwise the server counted.
 */
reported: boolean, };

/**
 * A tool the model may call.
 */
export type Tool = { 
/**
 * Its name. The editor takes only `[\w-]+`; others are mapped there and back.
 */
name: string, 
/**
 * Description for the model.
 */
description: string, 
/**
 * A JSON Schema of its arguments; without one it takes none.
 */
input_schema?: object, };

/**
 * A call of a tool.
 */
export type ToolCall = { 
/**
 * Pairs the call with its result.
 */
id: string, 
/**
 * Name of the tool, as the request offers it.
 */
name: string, 
/**
 * Its arguments: nearly always a JSON object; in a legal transcript always.
 */
input: unknown, };

/**
 * A tool's result.
 */
export type ToolOutput = { 
/**
 * Prompt-tsx is flattened to text already.
 */
content: Array<Content>, };

/**
 * The result of a tool call.
 */
export type ToolResult = { 
/**
 * The call's id.
 */
id: string, 
/**
 * Text and images that the tool returned.
 */
content: Array<Content>, 
/**
 * Whether the tool failed; the content is the error then.
 */
is_error: boolean, };

/**
 * A run of an editor tool in auto mode.
 */
export type ToolRun = { 
/**
 * Name of the tool.
 */
name: string, 
/**
 * Round of auto mode, from 1.
 */
round: number, 
/**
 * Start, in milliseconds since 1970.
 */
time: number, 
/**
 * Duration in milliseconds.
 */
duration_ms: number, 
/**
 * Whether it failed.
 */
failed: boolean, };

/**
 * The tools of an editor, just now.
 */
export type Tools = { 
/**
 * In the editor's order.
 */
tools: Array<EditorTool>, };

/**
 * Sums of the usage, in answer to `GetUsage`.
 */
export type UsageResponse = { 
/**
 * First day of the question.
 */
from: string, 
/**
 * Its last day.
 */
to: string, 
/**
 * Its grouping.
 */
by: string, 
/**
 * The sums, as `GET /v1/usage` returns them.
 */
report?: unknown, 
/**
 * Reason why there are none.
 */
problem?: string, };

/**
 * The user's settings in VS Code (`copilotProxy.*`), as far as the server needs them.
 */
export type UserSettings = { 
/**
 * Port to listen on; 0 takes a free one.
 */
port: number, 
/**
 * Listen on `[::1]` too.
 */
ipv6: boolean, 
/**
 * The model of requests that name none; empty = none set.
 */
default_model: string, 
/**
 * Models to ask, in this order, where the requested one can't respond; a request's own list replaces them.
 */
fallbacks: Array<string>, 
/**
 * Requests and replies are shown in the panel.
 */
log_requests_to_ui: boolean, 
/**
 * Log lines may hold words of conversations.
 */
raw_logging: boolean, 
/**
 * Origins of web pages that may use the models, besides local ones; `*` = any.
 */
allowed_origins: Array<string>, 
/**
 * Origins of web pages that may not; the user is not asked about them.
 */
blocked_origins: Array<string>, 
/**
 * Origins of web pages that may use the editor's tools.
 */
tool_origins: Array<string>, 
/**
 * Editor names besides the loopback ones.
 */
allowed_hosts: Array<string>, 
/**
 * Tools that auto mode may run.
 */
auto_tools: AutoTools, 
/**
 * Name of the tool that searches the web; empty = found by its name and schema.
 */
web_search_tool: string, 
/**
 * A model silent for longer is given up, in seconds.
 */
model_timeout: number, 
/**
 * Tier of model `auto` where the request names none; empty = the provider's default.
 */
auto_tier: string, 
/**
 * Largest context of models with a long-context price.
 */
context_size: ContextSize, 
/**
 * Limits on what requests may cost.
 */
budgets: Budgets, };

/**
 * Subscription of an editor whose panel is open.
 */
export type Watch = { 
/**
 * Whether the panel is open.
 */
enabled: boolean, };

/**
 * The answer to a good `Hello`.
 */
export type Welcome = { 
/**
 * The server's version, as `copilot-proxy --version` prints it.
 */
version: string, 
/**
 * Process id of the server.
 */
pid: number, };

/**
 * A window, as far as the choice of an editor asks for it.
 */
export type Window = { 
/**
 * Whether it has the focus.
 */
focused: boolean, 
/**
 * Its workspace folders.
 */
folders: Array<Folder>, };

/**
 * A setting that the user has changed outside of VS Code.
 */
export type WriteSetting = { 
/**
 * `logRequestsToUI` or `autoTools`.
 */
name: string, 
/**
 * Its value.
 */
value: unknown, };
