//! Tools of the web that a vendor's own service would run: which a request offers, and what came of their calls.

use super::{ToolCall, ToolRan, ToolResult};

/// Tools of the web that a request offers beside its own. Each is also among the conversation's tools, as a function.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WebTools {
    /// Searches the web.
    pub search: Option<WebTool>,
    /// Reads a page.
    pub fetch: Option<WebTool>,
}

impl WebTools {
    /// The tool of this kind.
    pub fn get(&self, kind: WebKind) -> Option<&WebTool> {
        match kind {
            WebKind::Search => self.search.as_ref(),
            WebKind::Fetch => self.fetch.as_ref(),
        }
    }

    /// The kind of the tool that the model calls by this name.
    pub fn kind_of(&self, name: &str) -> Option<WebKind> {
        [WebKind::Search, WebKind::Fetch]
            .into_iter()
            .find(|kind| self.get(*kind).is_some_and(|tool| tool.name == name))
    }

    /// Whether the request offers neither.
    pub fn is_empty(&self) -> bool {
        self.search.is_none() && self.fetch.is_none()
    }
}

/// Kind of a web tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WebKind {
    /// Searches the web.
    Search,
    /// Reads a page.
    Fetch,
}

/// A tool of the web, as a request offers it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WebTool {
    /// Name by which the model calls it.
    pub name: String,
    /// Path of the request's field that offers it, for errors.
    pub path: String,
    /// Most calls in one response; absent = any number.
    pub max_uses: Option<u64>,
    /// Hosts whose pages may be used.
    pub domains: Domains,
    /// Most characters of a page that the model gets; absent = all.
    pub max_characters: Option<usize>,
}

/// Hosts whose pages may be used; a host includes those under it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Domains {
    /// All.
    #[default]
    Any,
    /// These alone.
    Only(Vec<String>),
    /// All but these.
    Not(Vec<String>),
}

impl Domains {
    /// Reads the two lists that the APIs have. An entry may carry a path, of which only the host counts.
    pub fn new(allowed: Option<Vec<String>>, blocked: Option<Vec<String>>) -> Domains {
        let hosts = |list: Vec<String>| list.iter().map(|entry| host(entry).to_owned()).collect();
        match (allowed.filter(|list| !list.is_empty()), blocked.filter(|list| !list.is_empty())) {
            (Some(allowed), _) => Domains::Only(hosts(allowed)),
            (None, Some(blocked)) => Domains::Not(hosts(blocked)),
            (None, None) => Domains::Any,
        }
    }

    /// Whether a page may be used.
    pub fn allow(&self, url: &str) -> bool {
        let host = host(url);
        let is_under = |domain: &String| {
            let above = host.len().checked_sub(domain.len()).and_then(|at| host.split_at_checked(at));
            above.is_some_and(|(above, end)| {
                end.eq_ignore_ascii_case(domain) && (above.is_empty() || above.ends_with('.'))
            })
        };
        match self {
            Domains::Any => true,
            Domains::Only(domains) => domains.iter().any(is_under),
            Domains::Not(domains) => !domains.iter().any(is_under),
        }
    }
}

/// The host of a URL, or of one without its scheme.
pub fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    host.split(':').next().unwrap_or_default()
}

/// A call of a web tool that has run.
#[derive(Clone, Debug, PartialEq)]
pub struct WebRan {
    /// Kind of the tool.
    pub kind: WebKind,
    /// Query of a search, or URL of a page; empty where the model gave none.
    pub subject: String,
    /// Pages that were found, or the one that was read.
    pub outcome: Result<Vec<WebPage>, WebError>,
    /// The call as the model made it, and its result as the model reads it.
    pub ran: ToolRan,
}

impl WebRan {
    /// The call, as the model made it.
    pub fn call(&self) -> &ToolCall {
        &self.ran.call
    }

    /// The result, as the model reads it.
    pub fn result(&self) -> &ToolResult {
        &self.ran.result
    }

    /// The result's text.
    pub fn text(&self) -> String {
        self.ran.result.text()
    }
}

/// A page of the web.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WebPage {
    /// Address.
    pub url: String,
    /// Title; its host where a tool names none.
    pub title: String,
    /// Text: an extract from a search, all of a page that was read.
    pub text: String,
}

/// Reason for which a call of a web tool failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WebError {
    /// The editor has no such tool, or the client may not use it.
    Unavailable,
    /// The response has had as many calls as its request permits.
    MaxUses,
    /// The call has no query or no URL.
    InvalidInput,
    /// The request forbids pages of this host.
    Forbidden,
    /// The editor's tool failed.
    Failed,
}

/// A link to a found page, at the end of the text so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Citation {
    /// The page.
    pub page: WebPage,
    /// The words of the response that are the link: the last ones of its text.
    pub link: String,
}

/// Number of requests to the web that a response needed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WebRequests {
    /// Searches.
    pub search: u32,
    /// Pages that were read.
    pub fetch: u32,
}

impl WebRequests {
    /// Counts one more.
    pub fn count(&mut self, kind: WebKind) {
        let count = match kind {
            WebKind::Search => &mut self.search,
            WebKind::Fetch => &mut self.fetch,
        };
        *count = count.saturating_add(1);
    }

    /// Sum of two responses.
    #[must_use]
    pub fn and(self, other: WebRequests) -> WebRequests {
        WebRequests {
            search: self.search.saturating_add(other.search),
            fetch: self.fetch.saturating_add(other.fetch),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_is_read_from_any_form_of_url() {
        for url in [
            "https://a.example/x?y#z",
            "http://me@a.example:80",
            "a.example/x",
            "a.example",
            "https://a.example?x=https://b.example",
        ] {
            assert_eq!(host(url), "a.example", "{url}");
        }
        assert_eq!(host(""), "");
    }

    #[test]
    fn domain_includes_the_hosts_under_it() {
        let list = |domains: &[&str]| Some(domains.iter().map(ToString::to_string).collect());
        let only = Domains::new(list(&["Example.com", "https://docs.rs/tokio"]), None);
        for (url, is_allowed) in [
            ("https://example.com/a", true),
            ("https://www.example.com", true),
            ("https://badexample.com", false),
            ("https://docs.rs/serde", true),
            ("https://example.com.evil.org", false),
            ("é", false),
        ] {
            assert_eq!(only.allow(url), is_allowed, "{url}");
        }
        let not = Domains::new(Some(Vec::new()), list(&["example.com"]));
        assert!(!not.allow("https://www.example.com/") && not.allow("https://other.org"));
        assert!(Domains::new(None, None).allow("x"));
    }
}
