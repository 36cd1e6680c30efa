//! Runs the calls of web tools in one request: finds the editor's tool for each when it is first needed, and turns its
//! result into pages.

use actix::Addr;

use super::citations::CitationFinder;
use super::tool_call::{not_run, run_tool};
use crate::bridge::Editor;
use crate::bridge::protocol::AutoTools;
use crate::conversation::web::{WebError, WebKind, WebTool};
use crate::conversation::{
    Content, Conversation, Tool, ToolCall, ToolChoice, ToolRan, ToolResult, WebPage, WebRan, WebRequests,
    WebTools,
};
use crate::failure::Failure;
use crate::tools::executor::{EditorTools, ListTools};
use crate::tools::web::WebBackend;
use crate::tools::{ToolExecutor, runnable};

/// Most characters of a result that the model gets, unless the request says so: a tenth of a large model's window.
const MOST_CHARACTERS: usize = 200_000;

/// End of a search's result: the model then links the pages, and the links become citations.
const CITE: &str = "Cite the pages that you use as Markdown links: [title](URL).";

/// Words for a request that wants to search the web where no tool can.
const NO_SEARCH: &str = "VS Code has no tool that searches the web. Install one: the MCP server `duckduckgo-mcp-server` needs no \
                         key (command `MCP: Add Server...`, Pip Package), or any search extension; the setting \
                         `copilotProxy.webSearchTool` names one that isn't recognized";

/// Words for a request that wants to read a page of the web where no tool can.
const NO_FETCH: &str = "VS Code has no tool that reads pages of the web. Install one: for example the MCP server \
                        `mcp-server-fetch` (command `MCP: Add Server...`, pip package)";

/// Web tools of a request, and the access to the editor's tools that do their work.
pub struct WebAccess {
    /// Tools that the request offers.
    pub tools: WebTools,
    /// Workspace whose window's tools are meant; absent = the window focused last.
    pub workspace: Option<String>,
    /// The reason for which the client may not use the editor's tools, if it may not.
    pub refused: Option<Failure>,
    /// Tools that the user lets run.
    pub auto_tools: AutoTools,
    /// Name of the search tool in the user's settings; empty = found by itself.
    pub search_tool: String,
}

/// The web tools of one request.
pub(super) struct WebSession {
    access: WebAccess,
    executor: Addr<ToolExecutor>,
    /// Known once a tool was needed.
    backends: Option<Backends>,
    searches: u64,
    fetches: u64,
    /// Number of the calls that succeeded.
    pub requests: WebRequests,
    /// Finds the links to the pages that the model has been shown.
    pub citations: CitationFinder,
}

/// The editor's tools that do the work.
#[derive(Default)]
struct Backends {
    editor: Option<Editor>,
    search: Option<WebBackend>,
    fetch: Option<WebBackend>,
}

impl Backends {
    fn get(&self, kind: WebKind) -> Option<(&Editor, &WebBackend)> {
        let backend = match kind {
            WebKind::Search => self.search.as_ref(),
            WebKind::Fetch => self.fetch.as_ref(),
        };
        Some((self.editor.as_ref()?, backend?))
    }
}

/// A call that has been checked.
enum Checked<'a> {
    Runs { subject: String, editor: &'a Editor, backend: &'a WebBackend },
    Fails { subject: String, error: WebError, words: String },
}

impl WebSession {
    /// A session whose tools are not known yet.
    pub fn new(access: WebAccess, executor: Addr<ToolExecutor>) -> WebSession {
        WebSession {
            access,
            executor,
            backends: None,
            searches: 0,
            fetches: 0,
            requests: WebRequests::default(),
            citations: CitationFinder::default(),
        }
    }

    /// Whether the model calls a web tool by this name.
    pub fn has(&self, name: &str) -> bool {
        self.access.tools.kind_of(name).is_some()
    }

    /// Fails if the request can't be met without a web tool that the editor doesn't have.
    pub async fn check_demands(&mut self, conversation: &Conversation) -> Result<(), Failure> {
        let demanded = demanded(conversation, &self.access.tools);
        if demanded.is_empty() {
            return Ok(());
        }
        if let Some(refused) = &self.access.refused {
            return Err(refused.clone());
        }
        let backends = self.backends().await;
        if demanded.iter().any(|kind| backends.get(*kind).is_some()) {
            return Ok(());
        }
        let missing = demanded.into_iter().find_map(|kind| Some((kind, self.access.tools.get(kind)?)));
        match missing {
            Some((kind, tool)) => Err(Failure::unsupported(tool.path.clone(), self.unavailable(kind))),
            None => Ok(()),
        }
    }

    /// Runs calls of web tools, all at once, in a round of this number.
    pub async fn run(&mut self, round: u32, calls: Vec<ToolCall>) -> Vec<WebRan> {
        if calls.is_empty() {
            return Vec::new();
        }
        self.backends().await;
        let mut uses = Vec::with_capacity(calls.len());
        for call in &calls {
            let is_fetch = self.access.tools.kind_of(&call.name) == Some(WebKind::Fetch);
            let count = if is_fetch { &mut self.fetches } else { &mut self.searches };
            *count += 1;
            uses.push(*count);
        }
        let session = &*self;
        let runs = calls.into_iter().zip(uses).map(|(call, uses)| session.run_one(round, call, uses));
        let ran = futures_util::future::join_all(runs).await;
        for web in &ran {
            if let Ok(pages) = &web.outcome {
                self.requests.count(web.kind);
                self.citations.add_pages(pages);
            }
        }
        ran
    }

    async fn run_one(&self, round: u32, call: ToolCall, uses: u64) -> WebRan {
        let kind = self.access.tools.kind_of(&call.name).unwrap_or(WebKind::Search);
        let tool = self.access.tools.get(kind).cloned().unwrap_or_default();
        let (subject, outcome, words, time) = match self.check(kind, &tool, &call, uses) {
            Checked::Fails { subject, error, words } => (subject, Err(error), words, not_run()),
            Checked::Runs { subject, editor, backend } => {
                let input = backend.input(&subject, &tool.domains);
                let asked = ToolCall { id: call.id.clone(), name: backend.name.clone(), input };
                let (result, time) = run_tool(&self.executor, editor, &asked).await;
                let text = result.text();
                if result.is_error {
                    (subject, Err(WebError::Failed), text, time)
                } else {
                    let pages = backend.pages(&subject, &text);
                    let (pages, words) = shown(kind, &tool, pages, text);
                    (subject, Ok(pages), words, time)
                }
            }
        };
        let result = ToolResult {
            id: call.id.clone(),
            content: vec![Content::Text { text: words }],
            is_error: outcome.is_err(),
        };
        WebRan { kind, subject, outcome, ran: ToolRan { round, call, result, time } }
    }

    fn check(&self, kind: WebKind, tool: &WebTool, call: &ToolCall, uses: u64) -> Checked<'_> {
        let names: &[&str] = match kind {
            WebKind::Search => &["query", "q", "search_query"],
            WebKind::Fetch => &["url", "uri"],
        };
        let subject = names
            .iter()
            .find_map(|name| call.input.get(name)?.as_str())
            .unwrap_or_default()
            .trim()
            .to_owned();
        let fails = |error, words: String| Checked::Fails { subject: subject.clone(), error, words };
        if subject.is_empty() {
            return fails(WebError::InvalidInput, format!("`{}` is missing", names.first().unwrap_or(&"")));
        }
        if tool.max_uses.is_some_and(|limit| uses > limit) {
            return fails(WebError::MaxUses, "the request permits no more calls of this tool".into());
        }
        if kind == WebKind::Fetch && !tool.domains.allow(&subject) {
            return fails(WebError::Forbidden, "the request forbids pages of this host".into());
        }
        match self.backends.as_ref().and_then(|backends| backends.get(kind)) {
            Some((editor, backend)) => Checked::Runs { subject, editor, backend },
            None => match &self.access.refused {
                Some(refused) => fails(WebError::Unavailable, refused.to_string()),
                None => fails(WebError::Unavailable, self.unavailable(kind)),
            },
        }
    }

    fn unavailable(&self, kind: WebKind) -> String {
        match kind {
            WebKind::Search if !self.access.search_tool.is_empty() => format!(
                "the setting `copilotProxy.webSearchTool` names `{}`, which is no tool of VS Code's that takes a query",
                self.access.search_tool
            ),
            WebKind::Search => NO_SEARCH.to_owned(),
            WebKind::Fetch => NO_FETCH.to_owned(),
        }
    }

    /// The tools that do the work. They are read when one is first needed: agents offer web tools with each request, and
    /// most requests need none.
    async fn backends(&mut self) -> &Backends {
        if self.backends.is_none() {
            let found = self.find().await.unwrap_or_else(|failure| {
                log::warn!("web tools not found reason={:?}", failure.redacted());
                Backends::default()
            });
            self.backends = Some(found);
        }
        self.backends.get_or_insert_default()
    }

    async fn find(&self) -> Result<Backends, Failure> {
        if self.access.refused.is_some() {
            return Ok(Backends::default());
        }
        let list = ListTools { workspace: self.access.workspace.clone(), is_poll: false };
        let EditorTools { editor, tools, unusable } =
            self.executor.send(list).await.map_err(Failure::internal)??;
        let tools: Vec<Tool> = runnable(tools, &unusable, &self.access.auto_tools);
        let search = WebBackend::find(WebKind::Search, &tools, &self.access.search_tool);
        let fetch = WebBackend::find(WebKind::Fetch, &tools, "");
        let name = |backend: &Option<WebBackend>| {
            backend.as_ref().map_or_else(String::new, |found| found.name.clone())
        };
        log::info!(
            "web tools chosen editor={} search={:?} fetch={:?}",
            editor.id(),
            name(&search),
            name(&fetch)
        );
        Ok(Backends { editor: Some(editor), search, fetch })
    }
}

/// The web tools without which a request can't be met: a forced one, or all of them where there are no others.
fn demanded(conversation: &Conversation, tools: &WebTools) -> Vec<WebKind> {
    // Empty unless all of the names are those of web tools.
    let only = |names: Vec<&String>| -> Vec<WebKind> {
        names.into_iter().map(|name| tools.kind_of(name)).collect::<Option<Vec<_>>>().unwrap_or_default()
    };
    match &conversation.tool_choice {
        ToolChoice::None => Vec::new(),
        ToolChoice::Named(name) => tools.kind_of(name).into_iter().collect(),
        ToolChoice::Allowed { names, is_required: true } => only(names.iter().collect()),
        _ => only(conversation.tools.iter().map(|tool| &tool.name).collect()),
    }
}

/// The pages that the request permits, and the text that the model reads of them.
fn shown(kind: WebKind, tool: &WebTool, pages: Vec<WebPage>, text: String) -> (Vec<WebPage>, String) {
    let limit = tool.max_characters.unwrap_or(MOST_CHARACTERS);
    if kind == WebKind::Fetch {
        let text = cut(text, limit);
        let page = |page: WebPage| WebPage { text: text.clone(), ..page };
        return (pages.into_iter().map(page).collect(), text);
    }
    let found = pages.len();
    let pages: Vec<WebPage> = pages.into_iter().filter(|page| tool.domains.allow(&page.url)).collect();
    let text = if pages.len() == found { text } else { listed(&pages) };
    let text = cut(text, limit);
    let text = if pages.is_empty() { text } else { format!("{}\n\n{CITE}", text.trim_end()) };
    (pages, text)
}

/// Pages as a text, where some of a result's may not be shown.
fn listed(pages: &[WebPage]) -> String {
    if pages.is_empty() {
        return "No page of the permitted hosts was found.".into();
    }
    let page = |page: &WebPage| format!("Title: {}\nURL: {}\n{}", page.title, page.url, page.text);
    pages.iter().map(page).collect::<Vec<_>>().join("\n\n")
}

/// The begin of a text that is longer than the limit; nothing is left out without a word.
fn cut(text: String, limit: usize) -> String {
    match text.char_indices().nth(limit) {
        None => text,
        Some((end, _)) => {
            format!("{}\n[The rest is left out: it is longer than {limit} characters]", &text[..end])
        }
    }
}
