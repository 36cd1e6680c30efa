//! Finds facts about a route by a request's path, outside of actix-web's routing: the form of its errors, the web pages
//! that may use it, and whether a path exists. `routes` fills it from the route table.

use actix_web::http::header::HeaderMap;

use super::error_form::{ErrorForm, by_client_header};
use super::origin_access::PageAccess;

/// A route as the index has it.
pub(super) struct IndexedRoute {
    /// Path in actix-web's syntax, without its version.
    pub pattern: &'static str,
    /// Prefixes with which it is served.
    pub versions: &'static [&'static str],
    /// Web pages that may use it.
    pub pages: PageAccess,
    /// Form of errors there.
    pub form: ErrorForm,
    /// Name of the dialect for the log; empty if the route has none.
    pub dialect: &'static str,
}

/// The routes of the server, in the order of the route table.
pub(super) struct RouteIndex(Vec<IndexedRoute>);

impl RouteIndex {
    /// An index of these routes.
    pub fn new(routes: impl Iterator<Item = IndexedRoute>) -> RouteIndex {
        RouteIndex(routes.collect())
    }

    /// Whether a route has this path.
    pub fn has(&self, path: &str) -> bool {
        self.route(path).is_some()
    }

    /// The web pages that may use the route of a path, which has been decoded as for routing.
    pub fn pages(&self, path: &str) -> Option<PageAccess> {
        self.route(path).map(|route| route.pages)
    }

    /// The form of errors for a request, never `ByClientHeader`, and the dialect of its path.
    ///
    /// A client that sends `anthropic-version` gets Anthropic's form at every path; an unknown path has the form of the
    /// API with its prefix.
    pub fn error_form(&self, path: &str, headers: &HeaderMap) -> (ErrorForm, &'static str) {
        let (form, dialect) = match self.route(path) {
            Some(found) => (found.form, found.dialect),
            None if path.starts_with("/v1beta/") => (ErrorForm::Gemini, ""),
            None => match without_version(path) {
                path if path.starts_with("/messages/") => (ErrorForm::Anthropic, ""),
                path if path.starts_with("/api/") => (ErrorForm::Ollama, ""),
                _ => (ErrorForm::OpenAi, ""),
            },
        };
        (by_client_header(form, headers), dialect)
    }

    fn route(&self, path: &str) -> Option<&IndexedRoute> {
        self.0.iter().find(|route| {
            let mut versions = route.versions.iter();
            versions
                .any(|version| path.strip_prefix(version).is_some_and(|path| matches(route.pattern, path)))
        })
    }
}

/// Whether a path matches a pattern: `{id}` stands for one segment, `{id:.+}` for one or more.
fn matches(pattern: &str, path: &str) -> bool {
    let Some((before, rest)) = pattern.split_once('{') else { return pattern == path };
    let (variable, after) = rest.split_once('}').unwrap_or((rest, ""));
    let value = path.strip_prefix(before).and_then(|rest| rest.strip_suffix(after));
    value.is_some_and(|value| !value.is_empty() && (variable.ends_with(":.+") || !value.contains('/')))
}

/// Removes the version, which is optional for most endpoints.
pub(super) fn without_version(path: &str) -> &str {
    let rest = ["/v1beta", "/v1"].into_iter().find_map(|version| path.strip_prefix(version));
    rest.filter(|rest| rest.starts_with('/')).unwrap_or(path)
}
