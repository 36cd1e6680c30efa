//! The only definition of the messages between the server and an editor.
//!
//! Both ends ship together behind a version check. `vscode-host/src/protocol.ts` is generated from these types: the
//! test at the end of this file compares the two, and writes the file on request.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::conversation::{Content, Digest, Message, Part, Tool};

mod activity;
mod budgets;
mod keys;

pub use budgets::{BudgetChange, BudgetLimits, BudgetNotice, Budgets, ChangeBudget};

pub use activity::{
    Activity, AutoModeStatus, CapturedBody, CatalogModel, Exchange, FailedModel, GetExchange, GetUsage,
    Minute, ModelCatalog, ModelTotals, Outcome, PrefixLoss, RequestRecord, StopRequest, Tokens, ToolRun,
    UsageResponse, Watch, WriteSetting,
};
pub use keys::{Keys, PersonKey, Run, RunKey};

/// The version of everything below. Raise it with any change that an older peer would misread.
pub const PROTOCOL: u32 = 4;

/// Messages from the server to an editor. The frame's stream names the request; 0 = the connection itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub enum ToEditor {
    /// The hello was accepted; always the server's first message.
    Welcome(Welcome),
    /// The hello was not accepted; the connection closes after it.
    Refused(Refused),
    /// Request to a model. Answered with text and thinking frames, `ThinkingId`, `Part`, then `End` or `Failed`. A long
    /// one comes after its items, which hold its messages and tools.
    Chat(Arc<Chat>),
    /// Cancel this request and send nothing further about it.
    Cancel,
    /// The client reads too slowly: pull no more parts of this request until `Resume`.
    Pause,
    /// Continue after a `Pause`.
    Resume,
    /// List the tools as they are now. Answered with `Tools` or `Failed`.
    ListTools,
    /// List the tools that there are without starting MCP servers: sent again and again while a client wants to know of
    /// changes. Answered as `ListTools`.
    PollTools,
    /// Run a tool. Answered with `ToolOutput` or `Failed`.
    InvokeTool(InvokeTool),
    /// Ask the user whether web pages of an origin may use the models. Answered with `OriginAnswer` or `Failed`.
    AskOrigin(AskOrigin),
    /// The state of the server; pushed after the welcome and with every change.
    Status(Status),
    /// A line of the server's log.
    Log(LogLine),
    /// Running and recent requests; only for editors that watch.
    Activity(Activity),
    /// Captured bodies of a request, in answer to `GetExchange`.
    Exchange(Exchange),
    /// Sums of the usage, in answer to `GetUsage`.
    Usage(UsageResponse),
    /// Models of all windows; only for editors that watch.
    ModelCatalog(ModelCatalog),
    /// A budget is nearly or quite used up: tell the user.
    BudgetNotice(BudgetNotice),
    /// Write a setting of the user: a browser at `/ui` has changed it.
    WriteSetting(WriteSetting),
    /// The models that were sent are out of date: read them again.
    RefreshModels,
    /// Key of the program that `copilot-proxy run` starts; the answer to `Run`.
    RunKey(RunKey),
    /// Another server takes this one's place: after the end of this connection wait for that one, start none.
    Superseded,
    /// Checks that the editor is alive. Answered with `Pong`.
    Ping,
}

/// From an editor to the server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub enum FromEditor {
    /// Credentials of the editor; always its first message, within two seconds.
    Hello(Hello),
    /// `copilot-proxy run` instead of an editor: always its first and only message. Answered with `RunKey` or `Refused`.
    Run(Run),
    /// `copilot-proxy logs` instead of an editor: always its first and only message. Answered with `Log` or `Refused`.
    ReadLog(ReadLog),
    /// All models of this editor; sent after the welcome and with every change.
    Models(Models),
    /// The window's focus or folders changed.
    Window(Window),
    /// The user's settings; sent after the welcome and with every change. The latest ones apply to all windows.
    UserSettings(UserSettings),
    /// The user's API keys; sent after the welcome and with every change. The latest ones apply to all windows.
    Keys(Keys),
    /// Open the HTTP port.
    Start,
    /// End running answers with an error event and close the HTTP port, for all windows.
    Stop,
    /// A newer editor asks this server to make room: finish what is running, then exit.
    Handover,
    /// The panel was opened or closed. Answered with everything that is kept, then with changes.
    Watch(Watch),
    /// Send the captured bodies of a request. Answered with `Exchange`.
    GetExchange(GetExchange),
    /// Send the sums of the usage. Answered with `Usage`.
    GetUsage(GetUsage),
    /// Cancels a running request: its model and tools are cancelled, its client gets an error.
    StopRequest(StopRequest),
    /// The user changes a budget.
    ChangeBudget(ChangeBudget),
    /// The thinking frames that follow on this stream belong to this thought.
    ThinkingId(ThinkingId),
    /// A part of the answer that is neither text nor thinking without metadata.
    Part(ResponsePart),
    /// Items of this request are not held: send all of them again, and the request.
    HistoryMissing,
    /// The answer is complete.
    End,
    /// The request failed; nothing follows on its stream.
    Failed(ProviderError),
    /// Answer to `ListTools` and `PollTools`.
    Tools(Tools),
    /// Answer to `InvokeTool`.
    ToolOutput(ToolOutput),
    /// Answer to `AskOrigin`.
    OriginAnswer(OriginAnswer),
    /// Answer to `Ping`.
    Pong,
}

/// The answer to a good `Hello`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Welcome {
    /// The server's version, as `copilot-proxy --version` prints it.
    pub version: String,
    /// Process id of the server.
    pub pid: u32,
}

/// Refusal of a `Hello`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Refused {
    /// Kind of refusal.
    pub reason: RefusedReason,
    /// A sentence that the user can act on.
    pub message: String,
}

/// Kinds of refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub enum RefusedReason {
    /// The token is not this server's.
    Token,
    /// The editor's protocol is older than the server's: the window should be reloaded.
    EditorTooOld,
    /// The editor's protocol is newer: ask this server for a `Handover` and start a new one.
    ServerTooOld,
    /// The first message was no hello.
    NotHello,
}

/// Credentials and identity of an editor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Hello {
    /// Token from `server.json`.
    pub token: String,
    /// `PROTOCOL` of the editor.
    pub protocol: u32,
    /// The extension's version.
    pub version: String,
    /// Process id of the extension host.
    pub pid: u32,
    /// The editor's window.
    pub window: Window,
}

/// A window, as far as the choice of an editor asks for it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Window {
    /// Whether it has the focus.
    pub focused: bool,
    /// Its workspace folders.
    pub folders: Vec<Folder>,
}

/// A workspace folder.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Folder {
    /// As the window's title shows it.
    pub name: String,
    /// Path on disk.
    pub path: String,
}

/// All models of an editor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Models {
    /// In the editor's order.
    pub models: Vec<ModelInfo>,
}

/// A model of an editor.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ModelInfo {
    /// Provider: `copilot`.
    pub vendor: String,
    /// Unique in its vendor.
    pub id: String,
    /// For example `claude-sonnet-4.5`.
    pub family: String,
    /// Opaque version string.
    pub version: String,
    /// Name for people.
    pub name: String,
    /// In tokens, the provider's own additions already taken off.
    #[cfg_attr(test, ts(type = "number"))]
    pub max_input_tokens: u64,
    /// It can call tools; absent where the editor doesn't say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub tools: Option<bool>,
    /// It takes images; absent where the editor doesn't say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub images: Option<bool>,
    /// Every good answer of it ends with a usage part, so that one without was cut short.
    #[serde(default)]
    pub reports_usage: bool,
    /// Whatever else the editor reveals of price and limits.
    #[serde(default)]
    #[cfg_attr(test, ts(type = "{ [name: string]: unknown }"))]
    pub extra: Map<String, Value>,
}

/// The user's settings in VS Code (`copilotProxy.*`), as far as the server needs them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct UserSettings {
    /// Port to listen on; 0 takes a free one.
    pub port: u16,
    /// Listen on `[::1]` too.
    pub ipv6: bool,
    /// The model of requests that name none; empty = none set.
    pub default_model: String,
    /// Models to ask, in this order, where the requested one can't respond; a request's own list replaces them.
    pub fallbacks: Vec<String>,
    /// Requests and replies are shown in the panel.
    pub log_requests_to_ui: bool,
    /// Log lines may hold words of conversations.
    pub raw_logging: bool,
    /// Origins of web pages that may use the models, besides local ones; `*` = any.
    pub allowed_origins: Vec<String>,
    /// Origins of web pages that may not; the user is not asked about them.
    pub blocked_origins: Vec<String>,
    /// Origins of web pages that may use the editor's tools.
    pub tool_origins: Vec<String>,
    /// Editor names besides the loopback ones.
    pub allowed_hosts: Vec<String>,
    /// Tools that auto mode may run.
    pub auto_tools: AutoTools,
    /// Name of the tool that searches the web; empty = found by its name and schema.
    pub web_search_tool: String,
    /// A model silent for longer is given up, in seconds.
    pub model_timeout: u32,
    /// Tier of model `auto` where the request names none; empty = the provider's default.
    pub auto_tier: String,
    /// Largest context of models with a long-context price.
    pub context_size: ContextSize,
    /// Limits on what requests may cost.
    pub budgets: Box<Budgets>,
}

/// Largest context of models with a long-context price.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub enum ContextSize {
    /// The whole window.
    #[default]
    Full,
    /// No more than is sure to cost the standard price.
    Standard,
}

impl Default for UserSettings {
    fn default() -> UserSettings {
        UserSettings {
            port: 8080,
            ipv6: false,
            default_model: String::new(),
            fallbacks: Vec::new(),
            log_requests_to_ui: false,
            raw_logging: false,
            allowed_origins: Vec::new(),
            blocked_origins: Vec::new(),
            tool_origins: Vec::new(),
            allowed_hosts: Vec::new(),
            auto_tools: AutoTools::default(),
            web_search_tool: String::new(),
            model_timeout: 300,
            auto_tier: String::new(),
            context_size: ContextSize::default(),
            budgets: Box::default(),
        }
    }
}

/// Name patterns (`*`, `?`) of the tools that auto mode may run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct AutoTools {
    /// Those that may.
    pub allow: Vec<String>,
    /// Of these, those that may not.
    pub deny: Vec<String>,
}

impl Default for AutoTools {
    fn default() -> AutoTools {
        AutoTools { allow: vec!["*".into()], deny: Vec::new() }
    }
}

/// A question to a model. Everything maps one to one onto `vscode.lm` classes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Chat {
    /// The model's vendor.
    pub vendor: String,
    /// The model's id.
    pub model: String,
    /// Product and version of the client, as its User-Agent names them: shown where VS Code asks for consent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub client: Option<String>,
    /// A legal transcript; those of a long request are items before it.
    pub messages: Vec<Message>,
    /// Digests of the messages; empty where they were not computed.
    #[serde(skip)]
    pub digests: Vec<Digest>,
    /// Tools that the model may call.
    pub tools: Vec<Tool>,
    /// It must call: there is exactly one tool then.
    pub required: bool,
    /// `modelOptions`, as they stand.
    #[cfg_attr(test, ts(type = "{ [name: string]: unknown }"))]
    pub options: Map<String, Value>,
    /// `configuration`, as it stands: `{"reasoningEffort":"high"}`.
    #[serde(default)]
    #[cfg_attr(test, ts(type = "{ [name: string]: unknown }"))]
    pub configuration: Map<String, Value>,
    /// `includeEncryptedThinking`: thinking parts come with the metadata that they go back with.
    #[serde(default)]
    pub include_encrypted_thinking: bool,
}

/// The id of a thought.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ThinkingId {
    /// Opaque id of the provider.
    pub id: String,
}

/// A part of an answer that needs JSON.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ResponsePart {
    /// A tool call, thinking with metadata, or data such as the provider's `usage`.
    pub part: Part,
}

/// An error of the provider, as far as VS Code passes it on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ProviderError {
    /// The error's `name`: `Error`, `ChatQuotaExceeded`, `ChatRateLimited`, `LanguageModelError` ...
    pub name: String,
    /// The `code` that only a `LanguageModelError` has: `NoPermissions`, `Blocked`, `NotFound`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub code: Option<String>,
    /// The error's `message`, as it stands.
    pub message: String,
}

/// A tool to run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct InvokeTool {
    /// Name, as listed.
    pub name: String,
    /// Arguments of the call.
    #[cfg_attr(test, ts(type = "unknown"))]
    pub input: Value,
}

/// An origin to ask the user about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct AskOrigin {
    /// Value of a request's `Origin`; `null` for files and sandboxed frames.
    pub origin: String,
}

/// The user's answer about an origin. The editor has written it to its settings already, except for `null`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct OriginAnswer {
    /// The decision.
    pub decision: OriginDecision,
}

/// A decision about the web pages of an origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub enum OriginDecision {
    /// They may use the models.
    Allow,
    /// They may not.
    Block,
    /// The user has dismissed the question, or the editor can't show it.
    Unanswered,
}

/// The tools of an editor, just now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Tools {
    /// In the editor's order.
    pub tools: Vec<EditorTool>,
}

/// A tool of an editor: built-in, an extension's or an MCP server's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct EditorTool {
    /// Name, description, schema.
    #[serde(flatten)]
    pub tool: Tool,
    /// For filtering: `vscode`, `mcp` ...
    pub tags: Vec<String>,
}

/// A tool's result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ToolOutput {
    /// Prompt-tsx is flattened to text already.
    pub content: Vec<Content>,
}

/// The state of the server: the status bar shows nothing else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Status {
    /// The port's state.
    pub http: HttpState,
    /// Requests being answered.
    pub in_flight: u32,
    /// Number of attached editors.
    pub editors: u32,
    /// Models offered by all editors together.
    pub models: u32,
    /// A request failed for want of consent, and none has succeeded since.
    pub consent_needed: bool,
    /// Requests answered since the server started.
    #[cfg_attr(test, ts(type = "number"))]
    pub requests: u64,
    /// Tokens in, since the server started.
    #[cfg_attr(test, ts(type = "number"))]
    pub tokens_in: u64,
    /// Tokens out, since the server started.
    #[cfg_attr(test, ts(type = "number"))]
    pub tokens_out: u64,
    /// Start of the server, in milliseconds since 1970.
    #[cfg_attr(test, ts(type = "number"))]
    pub started_at: u64,
}

/// The state of the HTTP port.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub enum HttpState {
    /// Stopped by the user.
    Off,
    /// Open.
    Running {
        /// Number of the port.
        port: u16,
    },
    /// The port belongs to another program; tried again until it is free.
    PortTaken {
        /// Number of the port.
        port: u16,
        /// The program that has it, where the system tells.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(test, ts(optional))]
        holder: Option<PortHolder>,
        /// The next port that is free.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(test, ts(optional))]
        free_port: Option<u16>,
    },
    /// The port can't be opened, for another reason.
    Failed {
        /// Number of the port.
        port: u16,
        /// The system's words.
        message: String,
    },
}

/// The program that has a port.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct PortHolder {
    /// Name of the program.
    pub name: String,
    /// Process id.
    pub pid: u32,
}

/// Credentials of `copilot-proxy logs`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ReadLog {
    /// Token from `server.json`.
    pub token: String,
    /// `PROTOCOL` of the program.
    pub protocol: u32,
    /// Version of the program.
    pub version: String,
    /// Process id of the program.
    pub pid: u32,
    /// Whether new lines are sent, too, until the connection ends.
    pub follow: bool,
    /// Number of the lines before that are sent, the last ones; absent for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub last: Option<u32>,
}

/// A line of the server's log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct LogLine {
    /// Severity.
    pub level: LogLevel,
    /// Milliseconds since 1970.
    #[cfg_attr(test, ts(type = "number"))]
    pub time: u64,
    /// One thing that happened.
    pub text: String,
}

/// Severity of a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub enum LogLevel {
    /// A failure.
    Error,
    /// Something is odd.
    Warn,
    /// A normal event.
    Info,
    /// For finding faults.
    Debug,
    /// For finding faults, in every detail.
    Trace,
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use ts_rs::{TS, TypeVisitor};

    use super::*;

    const MIRROR: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/vscode-host/src/protocol.ts");

    /// Collects the declarations of a type and of all it is made of, by name.
    #[derive(Default)]
    struct Declarations(BTreeMap<String, String>);

    impl TypeVisitor for Declarations {
        fn visit<T: TS + 'static + ?Sized>(&mut self) {
            if T::output_path().is_some() && !self.0.contains_key(&T::name()) {
                let docs = T::docs().unwrap_or_default();
                self.0.insert(T::name(), format!("{docs}export {}\n", T::decl()));
                T::visit_dependencies(self);
            }
        }
    }

    /// `UPDATE_PROTOCOL=1 cargo test --lib mirror` writes the mirror.
    #[test]
    fn typescript_mirror_is_up_to_date() {
        let mut declarations = Declarations::default();
        declarations.visit::<ToEditor>();
        declarations.visit::<FromEditor>();
        let wanted = format!(
            "// Generated from src/bridge/protocol.rs by `UPDATE_PROTOCOL=1 cargo test --lib mirror`: change that file.\n\n\
             export const PROTOCOL = {PROTOCOL};\n\n{}",
            declarations.0.into_values().collect::<Vec<_>>().join("\n")
        );
        if std::env::var_os("UPDATE_PROTOCOL").is_some() {
            std::fs::write(MIRROR, &wanted).unwrap();
        }
        let found = std::fs::read_to_string(MIRROR).unwrap_or_default();
        assert!(found == wanted, "{MIRROR} is out of date: run UPDATE_PROTOCOL=1 cargo test --lib mirror");
    }
}
