//! Finds the editor's tools that search the web and read its pages, by name and schema, and writes their input. Pure.
//!
//! No list of tools is complete: any extension or MCP server may bring one. So the words of a name are rated, and the
//! schema must have a place for the query or the URL.

mod results;

use serde_json::{Map, Value, json};

pub use results::pages;

use crate::conversation::web::{Domains, WebKind};
use crate::conversation::{Tool, WebPage};

/// Names of services that search the web.
const ENGINES: &[&str] = &[
    "baidu",
    "bing",
    "brave",
    "ddg",
    "ddgs",
    "duckduckgo",
    "exa",
    "firecrawl",
    "google",
    "jina",
    "kagi",
    "linkup",
    "mojeek",
    "perplexity",
    "searxng",
    "serpapi",
    "serper",
    "startpage",
    "tavily",
    "yahoo",
    "yandex",
];

/// Words of names whose tools search something else, or a part of the web only.
const OTHER_SEARCHES: &[&str] = &[
    "academic",
    "cache",
    "calendar",
    "channel",
    "channels",
    "chat",
    "code",
    "codebase",
    "commits",
    "company",
    "companies",
    "context",
    "conversations",
    "crawl",
    "database",
    "directory",
    "docs",
    "documentation",
    "documents",
    "drive",
    "email",
    "emails",
    "events",
    "extensions",
    "extract",
    "file",
    "files",
    "flights",
    "github",
    "gmail",
    "history",
    "image",
    "images",
    "in",
    "issues",
    "jobs",
    "linkedin",
    "local",
    "locations",
    "logs",
    "mail",
    "maps",
    "memories",
    "memory",
    "messages",
    "news",
    "node",
    "nodes",
    "notes",
    "notebook",
    "npm",
    "nuget",
    "orgs",
    "packages",
    "page",
    "papers",
    "patents",
    "people",
    "place",
    "places",
    "products",
    "pull",
    "pypi",
    "repo",
    "repos",
    "repositories",
    "scholar",
    "shopping",
    "suggest",
    "suggestions",
    "summarizer",
    "symbol",
    "symbols",
    "tables",
    "text",
    "tickets",
    "tools",
    "trends",
    "users",
    "video",
    "videos",
    "vscode",
    "wiki",
    "wikipedia",
    "workspace",
    "youtube",
];

/// Words of names whose tools fetch something else than a page.
const OTHER_FETCHES: &[&str] = &[
    "branch",
    "commit",
    "crawl",
    "dependencies",
    "docs",
    "email",
    "emails",
    "file",
    "files",
    "git",
    "github",
    "image",
    "images",
    "issue",
    "issues",
    "map",
    "origin",
    "pr",
    "repo",
    "screenshot",
    "transcript",
    "video",
    "youtube",
];

/// Names of properties that hold a query, the best first.
const QUERY_NAMES: &[&str] = &[
    "query",
    "q",
    "search_query",
    "searchquery",
    "search_term",
    "searchterm",
    "queries",
    "search",
    "keywords",
    "keyword",
    "term",
    "text",
    "question",
    "objective",
    "prompt",
    "input",
];

/// Names of properties that hold a URL, the best first.
const URL_NAMES: &[&str] =
    &["url", "urls", "uri", "link", "href", "page_url", "pageurl", "address", "website"];

/// A tool of the editor that can do a web tool's work.
#[derive(Clone, Debug, PartialEq)]
pub struct WebBackend {
    /// Name of the tool.
    pub name: String,
    /// Kind of its work.
    kind: WebKind,
    /// Property that takes the query or the URL.
    subject: String,
    /// Whether that property is a list.
    takes_list: bool,
    /// Values of other properties that the tool requires.
    fixed: Map<String, Value>,
    /// Properties that take lists of hosts: those allowed, and those excluded.
    domain_lists: (Option<String>, Option<String>),
}

impl WebBackend {
    /// The best of an editor's tools for a kind of work; `wanted` is the one that the user has named, empty = any.
    pub fn find(kind: WebKind, tools: &[Tool], wanted: &str) -> Option<WebBackend> {
        if kind == WebKind::Search && !wanted.is_empty() {
            let named = tools.iter().find(|tool| tool.name.eq_ignore_ascii_case(wanted))?;
            return WebBackend::of(kind, named);
        }
        let rated = tools.iter().filter_map(|tool| Some((rate(kind, tool)?, WebBackend::of(kind, tool)?)));
        // The first of the best: VS Code's order is stable.
        rated.min_by_key(|(rating, _)| std::cmp::Reverse(*rating)).map(|(_, backend)| backend)
    }

    /// The tool, if its schema has a place for the query or the URL and requires nothing that isn't known.
    fn of(kind: WebKind, tool: &Tool) -> Option<WebBackend> {
        let schema = tool.input_schema.as_ref()?;
        let properties = schema.get("properties")?.as_object()?;
        let wanted_names = match kind {
            WebKind::Search => QUERY_NAMES,
            WebKind::Fetch => URL_NAMES,
        };
        let named = wanted_names.iter().find_map(|wanted| {
            properties
                .iter()
                .find(|(name, schema)| name.eq_ignore_ascii_case(wanted) && takes_text(schema).is_some())
        });
        let required: Vec<&str> = schema
            .get("required")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        // A tool with one text that it needs: that is it, whatever its name.
        let only_one = || match required.as_slice() {
            [only] => properties.get_key_value(*only).filter(|(_, schema)| takes_text(schema).is_some()),
            _ => None,
        };
        let (subject, subject_schema) = named.or_else(only_one)?;
        let mut fixed = Map::new();
        for name in required.into_iter().filter(|name| name != subject) {
            fixed.insert(name.to_owned(), default_value(name, properties.get(name)?)?);
        }
        let list_named = |words: &[&str]| {
            let mut lists = properties.iter().filter(|(_, schema)| takes_text(schema) == Some(true));
            let is_of_domains = |name: &str| name.contains("domain") || name.contains("site");
            let found = lists.find(|(name, _)| {
                let name = name.to_ascii_lowercase();
                is_of_domains(&name) && words.iter().any(|word| name.contains(word))
            });
            found.map(|(name, _)| name.clone())
        };
        Some(WebBackend {
            name: tool.name.clone(),
            kind,
            subject: subject.clone(),
            takes_list: takes_text(subject_schema) == Some(true),
            fixed,
            domain_lists: (list_named(&["include", "allow"]), list_named(&["exclude", "block"])),
        })
    }

    /// Writes the input of a call.
    pub fn input(&self, subject: &str, domains: &Domains) -> Value {
        let mut input = self.fixed.clone();
        let mut subject = subject.to_owned();
        if self.kind == WebKind::Search {
            match (domains, &self.domain_lists) {
                (Domains::Any, _) => {}
                (Domains::Only(hosts), (Some(list), _)) | (Domains::Not(hosts), (_, Some(list))) => {
                    input.insert(list.clone(), json!(hosts));
                }
                // The operators that all search engines have.
                (Domains::Only(hosts), _) => {
                    let sites: Vec<String> = hosts.iter().map(|host| format!("site:{host}")).collect();
                    subject = format!("{subject} {}", sites.join(" OR "));
                }
                (Domains::Not(hosts), _) => {
                    for host in hosts {
                        subject.push_str(" -site:");
                        subject.push_str(host);
                    }
                }
            }
        }
        let value = if self.takes_list { json!([subject]) } else { json!(subject) };
        input.insert(self.subject.clone(), value);
        Value::Object(input)
    }

    /// The pages in a result. A page that was read is one, with all of the text.
    pub fn pages(&self, subject: &str, result: &str) -> Vec<WebPage> {
        match self.kind {
            WebKind::Search => pages(result),
            WebKind::Fetch => {
                let title = results::title_of_page(result);
                vec![WebPage { url: subject.to_owned(), title, text: result.to_owned() }]
            }
        }
    }
}

/// Whether a property takes a text, and whether as a list of them.
fn takes_text(schema: &Value) -> Option<bool> {
    let kind = schema.get("type")?;
    let is = |wanted: &str| match kind {
        Value::String(kind) => kind == wanted,
        Value::Array(kinds) => kinds.iter().any(|kind| kind == wanted),
        _ => false,
    };
    if is("string") {
        return Some(false);
    }
    let items_are_text = || schema.pointer("/items/type").is_none_or(|kind| kind == "string");
    (is("array") && items_are_text()).then_some(true)
}

/// A value for a property that a tool requires beside the query or the URL.
fn default_value(name: &str, schema: &Value) -> Option<Value> {
    if let Some(value) = schema.get("default") {
        return Some(value.clone());
    }
    if let Some(first) = schema.get("enum").and_then(|values| values.get(0)) {
        return Some(first.clone());
    }
    let name = name.to_ascii_lowercase();
    let kind = schema.get("type").and_then(Value::as_str);
    match (kind, name.as_str()) {
        (Some("string"), "gl" | "country" | "region") => Some(json!("us")),
        (Some("string"), "hl" | "lang" | "language") => Some(json!("en")),
        (Some("string"), "query" | "prompt" | "question" | "description") => {
            Some(json!("All of the page's content"))
        }
        (Some("integer" | "number"), _)
            if ["count", "limit", "num", "max"].iter().any(|word| name.contains(word)) =>
        {
            Some(json!(10))
        }
        (Some("boolean"), _) => Some(json!(false)),
        _ => None,
    }
}

/// Rates how surely a tool does a kind of work; `None` if it doesn't.
fn rate(kind: WebKind, tool: &Tool) -> Option<u32> {
    let words = words(&tool.name);
    let has = |wanted: &[&str]| words.iter().any(|word| wanted.contains(&word.as_str()));
    let description = tool.description.to_lowercase();
    let says = |phrases: &[&str]| phrases.iter().any(|phrase| description.contains(phrase));
    match kind {
        WebKind::Search => {
            let is_search = has(&["search", "websearch", "searching", "searches"]);
            if !is_search
                || has(OTHER_SEARCHES) && !has(&["websearch"]) && !are_adjacent(&words, "web", "search")
            {
                return None;
            }
            // Parts of the web: images, news, shops.
            if has(&[
                "image", "images", "video", "videos", "news", "local", "place", "places", "maps", "scholar",
                "shopping",
            ]) {
                return None;
            }
            let is_of_the_web = says(&[
                "the web",
                "web search",
                "internet",
                "web results",
                "search engine",
                "search the world",
            ]);
            if has(&["websearch"])
                || are_adjacent(&words, "web", "search")
                || are_adjacent(&words, "internet", "search")
            {
                Some(if has(&["summary", "summaries", "preview"]) { 90 } else { 100 })
            } else if has(ENGINES) {
                Some(if is_of_the_web { 85 } else { 80 })
            } else if is_of_the_web {
                Some(60)
            } else {
                None
            }
        }
        WebKind::Fetch => {
            if has(OTHER_FETCHES) {
                return None;
            }
            let of_page = has(&["web", "webpage", "page", "url", "website", "site", "html", "markdown"]);
            if has(&["fetch", "webfetch"]) && of_page || has(&["webfetch"]) {
                Some(100)
            } else if has(&["fetch"]) && says(&["url", "web page", "webpage", "internet", "http"]) {
                Some(95)
            } else if has(&["scrape", "read", "visit", "get", "open"]) && has(&["url", "webpage", "website"])
            {
                Some(70)
            } else if has(&["scrape"]) || has(&["extract", "contents", "reader"]) && has(ENGINES) {
                Some(60)
            } else {
                None
            }
        }
    }
}

fn are_adjacent(words: &[String], one: &str, other: &str) -> bool {
    let position = |wanted: &str| words.iter().position(|word| word == wanted);
    // So that `mcp_web_github_search_code` is none.
    matches!((position(one), position(other)), (Some(a), Some(b)) if a.abs_diff(b) == 1)
}

/// The words of a tool's name in lower case: `mcp_brave_webSearch` has three.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut was_lower = false;
    for character in name.chars() {
        let begins = !character.is_alphanumeric() || was_lower && character.is_uppercase();
        if begins && words.last().is_some_and(|word| !word.is_empty()) {
            words.push(String::new());
        }
        if character.is_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.extend(character.to_lowercase());
        }
        was_lower = character.is_lowercase();
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::needless_pass_by_value, reason = "the callers are easier to read")]
    fn tool(name: &str, description: &str, properties: Value, required: &[&str]) -> Tool {
        let schema = json!({ "type": "object", "properties": properties, "required": required });
        Tool { name: name.into(), description: description.into(), input_schema: Some(schema) }
    }

    fn with_query(name: &str) -> Tool {
        tool(name, "", json!({ "query": { "type": "string" } }), &["query"])
    }

    fn with_url(name: &str) -> Tool {
        tool(name, "", json!({ "url": { "type": "string" } }), &["url"])
    }

    fn found(kind: WebKind, tools: &[Tool]) -> Option<String> {
        WebBackend::find(kind, tools, "").map(|backend| backend.name)
    }

    /// Real servers of late 2026, with the names that VS Code gives to their tools.
    #[test]
    fn tools_of_known_servers_are_found() {
        let text = || json!({ "type": "string" });
        let urls = || json!({ "urls": { "type": "array", "items": { "type": "string" } } });
        let ddg = [
            tool(
                "mcp_ddg-search_search",
                "Search the web using DuckDuckGo.",
                json!({ "query": text() }),
                &["query"],
            ),
            tool(
                "mcp_ddg-search_fetch_content",
                "Extract the text of a webpage.",
                json!({ "url": text() }),
                &["url"],
            ),
            tool("mcp_ddg-search_expand_link", "Expand a link.", json!({ "token": text() }), &["token"]),
        ];
        let brave = [
            "brave_local_search",
            "brave_image_search",
            "brave_news_search",
            "brave_place_search",
            "brave_web_search",
        ]
        .map(|name| with_query(&format!("mcp_brave-search_{name}")));
        let tavily = [
            tool("mcp_tavily-mcp_tavily_search", "Search the web.", json!({ "query": text() }), &["query"]),
            tool("mcp_tavily-mcp_tavily_crawl", "Crawl a site.", json!({ "url": text() }), &["url"]),
            tool("mcp_tavily-mcp_tavily_extract", "Extract pages.", urls(), &["urls"]),
        ];
        let exa = [
            with_query("mcp_exa-search-server_web_search_exa"),
            tool("mcp_exa-search-server_web_fetch_exa", "", urls(), &["urls"]),
        ];
        let fetch = [tool("mcp_mcp-fetch_fetch", "Fetches a URL.", json!({ "url": text() }), &["url"])];
        let extension = [with_query("vscode-websearchforcopilot_webSearch")];
        for (tools, search, page) in [
            (&ddg[..], Some("mcp_ddg-search_search"), Some("mcp_ddg-search_fetch_content")),
            (&brave, Some("mcp_brave-search_brave_web_search"), None),
            (&tavily, Some("mcp_tavily-mcp_tavily_search"), Some("mcp_tavily-mcp_tavily_extract")),
            (&exa, Some("mcp_exa-search-server_web_search_exa"), Some("mcp_exa-search-server_web_fetch_exa")),
            (&fetch, None, Some("mcp_mcp-fetch_fetch")),
            (&extension, Some("vscode-websearchforcopilot_webSearch"), None),
        ] {
            assert_eq!(found(WebKind::Search, tools).as_deref(), search, "{tools:?}");
            assert_eq!(found(WebKind::Fetch, tools).as_deref(), page, "{tools:?}");
        }
    }

    #[test]
    fn tools_that_search_elsewhere_are_not_taken() {
        for name in [
            "copilot_searchCodebase",
            "copilot_findTextInFiles",
            "copilot_searchWorkspaceSymbols",
            "semantic_search",
            "mcp_github_search_code",
            "mcp_github_search_repositories",
            "mcp_microsoft_docs_search",
            "google_maps_search",
            "mcp_google_drive_search",
            "vscode_searchExtensions_internal",
            "tool_search",
        ] {
            assert_eq!(found(WebKind::Search, &[with_query(name)]), None, "{name}");
        }
        for name in ["mcp_github_get_issue", "git_fetch", "mcp_tavily_crawl", "open_simple_browser"] {
            assert_eq!(found(WebKind::Fetch, &[with_url(name)]), None, "{name}");
        }
        // Without a place for the query, or with an unknown parameter.
        let number = tool("web_search", "", json!({ "query": { "type": "integer" } }), &["query"]);
        let more = tool(
            "web_search",
            "",
            json!({ "query": { "type": "string" }, "account": { "type": "string" } }),
            &["query", "account"],
        );
        let none = Tool { name: "web_search".into(), description: String::new(), input_schema: None };
        for tool in [number, more, none] {
            assert_eq!(found(WebKind::Search, &[tool]), None);
        }
    }

    #[test]
    fn named_tool_wins_and_a_wrong_name_finds_nothing() {
        let lookup = tool("Lookup", "", json!({ "what": { "type": "string" } }), &["what"]);
        let tools = [with_query("brave_web_search"), lookup];
        let named = |name: &str| WebBackend::find(WebKind::Search, &tools, name);
        let lookup = named("lookup").unwrap();
        assert_eq!(lookup.input("x", &Domains::Any), json!({ "what": "x" }));
        assert_eq!(named("other"), None);
    }

    #[test]
    fn input_has_all_that_the_tool_requires() {
        let properties = json!({
            "queries": { "type": "array", "items": { "type": "string" } },
            "gl": { "type": "string" },
            "depth": { "enum": ["basic", "deep"] },
            "count": { "type": "integer" },
            "lines": { "type": "integer", "default": 7 },
        });
        let serper = tool("google_search", "", properties, &["queries", "gl", "depth", "count", "lines"]);
        let backend = WebBackend::find(WebKind::Search, &[serper], "").unwrap();
        assert_eq!(
            backend.input("x", &Domains::Any),
            json!({ "gl": "us", "depth": "basic", "count": 10, "lines": 7, "queries": ["x"] })
        );
        let hosts = || vec!["a.example".to_owned(), "b.example".to_owned()];
        assert_eq!(
            backend.input("x", &Domains::Only(hosts()))["queries"],
            json!(["x site:a.example OR site:b.example"])
        );
        assert_eq!(
            backend.input("x", &Domains::Not(hosts()))["queries"],
            json!(["x -site:a.example -site:b.example"])
        );
        let list = json!({ "type": "array", "items": { "type": "string" } });
        let properties =
            json!({ "query": { "type": "string" }, "include_domains": list, "exclude_domains": list });
        let tavily = tool("tavily_search", "", properties, &["query"]);
        let backend = WebBackend::find(WebKind::Search, &[tavily], "").unwrap();
        assert_eq!(
            backend.input("x", &Domains::Only(hosts())),
            json!({ "include_domains": hosts(), "query": "x" })
        );
        assert_eq!(
            backend.input("x", &Domains::Not(hosts())),
            json!({ "exclude_domains": hosts(), "query": "x" })
        );
        let page = tool(
            "fetch_webpage",
            "",
            json!({ "urls": list, "query": { "type": "string" } }),
            &["urls", "query"],
        );
        let backend = WebBackend::find(WebKind::Fetch, &[page], "").unwrap();
        assert_eq!(
            backend.input("https://a.example", &Domains::Any),
            json!({ "query": "All of the page's content", "urls": ["https://a.example"] })
        );
    }
}
