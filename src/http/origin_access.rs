//! Web pages as clients: which page sent a request, and the rule which pages may use which endpoints. Pure.
//!
//! A page of this machine may do everything that a program may. A page of another origin costs the user credits
//! without being asked for: it may use models once the user has allowed its origin.

use actix_web::http::header::{ACCEPT_LANGUAGE, HOST, HeaderMap, ORIGIN};

use crate::bridge::protocol::UserSettings;

/// The origin of files and of sandboxed frames, whatever page they belong to.
pub(super) const NO_ORIGIN: &str = "null";

/// Longest origin that the user is asked about, in bytes.
const MAX_ORIGIN: usize = 200;

/// The page that sent a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum PageOrigin {
    /// None, but a program: browsers send an origin with every request that could have an effect.
    None,
    /// A page of this machine.
    Local,
    /// A page of another origin, or of none (`null`).
    Foreign {
        /// The request's `Origin`.
        origin: String,
    },
    /// A page whose origin the request doesn't reveal: it embeds an image, for example.
    Unknown,
}

/// Pages that may use an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PageAccess {
    /// All pages.
    Any,
    /// Local pages, and those that the user has allowed.
    Allowed,
    /// Local pages, and those that the user lets use the editor's tools; only they may read responses.
    Tools,
    /// Local pages. No page may read responses across origins.
    Local,
    /// The server's own pages, as `ui::access` recognizes them. No other page may read responses.
    Own,
}

/// Result of the rule for a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Decision {
    Allow,
    /// The user has not decided about the origin yet.
    Ask,
    /// The user has blocked the origin.
    Blocked,
    Refuse,
}

impl PageOrigin {
    /// Reads the page of a request.
    pub fn of(headers: &HeaderMap) -> PageOrigin {
        let mut origins = headers.get_all(ORIGIN);
        let (Some(origin), None) = (origins.next(), origins.next()) else {
            // A page can make a browser fetch an image from here: without an origin, but with this header.
            let is_embedded = headers.get("sec-fetch-site").is_some_and(|site| site == "cross-site");
            let is_unknown =
                headers.contains_key(ORIGIN) || is_embedded || is_browser_at_container_host(headers);
            return if is_unknown { PageOrigin::Unknown } else { PageOrigin::None };
        };
        match origin.to_str() {
            Ok(origin) if is_local(origin) => PageOrigin::Local,
            // Some programs with a browser inside send this for files, where browsers send `null`.
            Ok("file://") => PageOrigin::Foreign { origin: NO_ORIGIN.into() },
            Ok(origin) if is_origin(origin) => PageOrigin::Foreign { origin: origin.to_owned() },
            _ => PageOrigin::Unknown,
        }
    }

    /// Decides whether the page may use an endpoint.
    pub fn decide(&self, access: PageAccess, user_settings: &UserSettings) -> Decision {
        let is_in = |list: &[String], origin: &str| list.iter().any(|listed| listed == origin);
        match (self, access) {
            (PageOrigin::None | PageOrigin::Local, _) | (_, PageAccess::Any) => Decision::Allow,
            (PageOrigin::Unknown, _) | (PageOrigin::Foreign { .. }, PageAccess::Local | PageAccess::Own) => {
                Decision::Refuse
            }
            (PageOrigin::Foreign { .. }, PageAccess::Tools) => {
                if self.may_use_tools(user_settings) {
                    Decision::Allow
                } else {
                    Decision::Refuse
                }
            }
            (PageOrigin::Foreign { origin }, PageAccess::Allowed) => {
                let allowed = &user_settings.allowed_origins;
                if is_in(allowed, "*") || is_in(allowed, origin) || is_in(&user_settings.tool_origins, origin)
                {
                    Decision::Allow
                } else if is_in(&user_settings.blocked_origins, origin) {
                    Decision::Blocked
                } else {
                    Decision::Ask
                }
            }
        }
    }

    /// Whether the page may see and run the editor's tools.
    pub fn may_use_tools(&self, user_settings: &UserSettings) -> bool {
        match self {
            PageOrigin::None | PageOrigin::Local => true,
            PageOrigin::Foreign { origin } => user_settings.tool_origins.contains(origin),
            PageOrigin::Unknown => false,
        }
    }
}

/// Whether text has the form of an origin, so that it can be shown to the user.
fn is_origin(text: &str) -> bool {
    if text == NO_ORIGIN {
        return true;
    }
    let Some((scheme, host)) = text.split_once("://") else { return false };
    let is_host = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte);
    text.len() <= MAX_ORIGIN
        && !scheme.is_empty()
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
        && !host.is_empty()
        && host.bytes().all(is_host)
}

/// Whether a page comes from this machine. `null` doesn't: it is the origin of files and sandboxed frames.
fn is_local(origin: &str) -> bool {
    match origin.split_once("://") {
        Some(("vscode-webview", _)) => true,
        Some(("http" | "https", host)) => is_loopback(without_port(host)),
        _ => false,
    }
}

/// Whether a browser found the server by a container's name for its host. A hostile name server may have led a page
/// here by it, whose own `GET` requests carry no `Origin`, nor `Sec-Fetch` headers, as the name isn't trusted. Programs
/// send no language, or, as Node's `fetch`, also the mode of the request, which scripts of a page can't set.
fn is_browser_at_container_host(headers: &HeaderMap) -> bool {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    is_container_host(without_port(host))
        && headers.contains_key(ACCEPT_LANGUAGE)
        && !headers.contains_key("sec-fetch-mode")
}

/// Whether containers reach their host by this name. It is no local origin: another machine's name server may give
/// it any address.
pub(super) fn is_container_host(name: &str) -> bool {
    let name = name.trim_end_matches('.');
    ["host.docker.internal", "host.containers.internal"].iter().any(|host| host.eq_ignore_ascii_case(name))
}

/// A host without its port.
pub(super) fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|digit| digit.is_ascii_digit()) => name,
        _ => host,
    }
}

/// Whether a name reaches this machine only.
pub(super) fn is_loopback(name: &str) -> bool {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    let address = name.parse::<std::net::Ipv4Addr>();
    address.is_ok_and(|address| address.is_loopback())
        || matches!(name.as_str(), "localhost" | "[::1]")
        || name.ends_with(".localhost")
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderName, HeaderValue};

    use super::*;

    fn page(headers: &[(&'static str, &str)]) -> PageOrigin {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
        }
        PageOrigin::of(&map)
    }

    fn from(origin: &str) -> PageOrigin {
        page(&[("origin", origin)])
    }

    fn foreign(origin: &str) -> PageOrigin {
        PageOrigin::Foreign { origin: origin.to_owned() }
    }

    #[test]
    fn loopback_origins_are_local() {
        for origin in
            ["http://localhost:3000", "https://127.0.0.1", "http://[::1]:5173", "vscode-webview://abc"]
        {
            assert_eq!(from(origin), PageOrigin::Local, "{origin}");
        }
        for origin in [
            "null",
            "http://evil.test",
            "https://localhost.evil.test",
            "chrome-extension://x",
            "http://host.docker.internal",
            "http://host.containers.internal:8080",
            "http://0.0.0.0:8080",
        ] {
            assert_eq!(from(origin), foreign(origin), "{origin}");
        }
    }

    #[test]
    fn malformed_origin_is_an_unknown_page() {
        let long = format!("https://{}.test", "x".repeat(MAX_ORIGIN));
        for origin in ["", "evil", "https://a b", "https://a/path", "javascript://\"", &long] {
            assert_eq!(from(origin), PageOrigin::Unknown, "{origin}");
        }
        let twice = page(&[("origin", "http://localhost"), ("origin", "https://evil.test")]);
        assert_eq!(twice, PageOrigin::Unknown);
        assert_eq!(from("file://"), foreign(NO_ORIGIN));
        assert_eq!(page(&[("sec-fetch-site", "cross-site")]), PageOrigin::Unknown);
        for site in ["none", "same-origin"] {
            assert_eq!(page(&[("sec-fetch-site", site)]), PageOrigin::None);
        }
        assert_eq!(page(&[]), PageOrigin::None);
    }

    #[test]
    fn browser_at_a_container_name_is_an_unknown_page() {
        let host = ("host", "host.docker.internal:8080");
        assert_eq!(page(&[host, ("accept-language", "en")]), PageOrigin::Unknown);
        assert_eq!(page(&[host]), PageOrigin::None);
        // Node's `fetch`.
        assert_eq!(page(&[host, ("accept-language", "*"), ("sec-fetch-mode", "cors")]), PageOrigin::None);
        assert_eq!(page(&[("host", "127.0.0.1:8080"), ("accept-language", "en")]), PageOrigin::None);
    }

    #[test]
    fn rule_for_pages() {
        use Decision::{Allow, Ask, Blocked, Refuse};
        let list = |origin: &str| vec![origin.to_owned()];
        let user_settings = UserSettings {
            allowed_origins: list("https://allowed.test"),
            blocked_origins: vec!["https://blocked.test".into(), "https://allowed.test".into()],
            tool_origins: list("https://tools.test"),
            ..UserSettings::default()
        };
        let decide = |page: &PageOrigin| {
            [PageAccess::Any, PageAccess::Allowed, PageAccess::Local]
                .map(|access| page.decide(access, &user_settings))
        };
        assert_eq!(decide(&PageOrigin::None), [Allow, Allow, Allow]);
        assert_eq!(decide(&PageOrigin::Local), [Allow, Allow, Allow]);
        assert_eq!(decide(&PageOrigin::Unknown), [Allow, Refuse, Refuse]);
        assert_eq!(decide(&foreign("https://allowed.test")), [Allow, Allow, Refuse]);
        assert_eq!(decide(&foreign("https://tools.test")), [Allow, Allow, Refuse]);
        assert_eq!(decide(&foreign("https://blocked.test")), [Allow, Blocked, Refuse]);
        assert_eq!(decide(&foreign("https://new.test")), [Allow, Ask, Refuse]);
        assert_eq!(decide(&foreign(NO_ORIGIN)), [Allow, Ask, Refuse]);
        let any = UserSettings { allowed_origins: list("*"), ..UserSettings::default() };
        assert_eq!(foreign("https://new.test").decide(PageAccess::Allowed, &any), Allow);
        assert!(foreign("https://tools.test").may_use_tools(&user_settings));
        assert!(!foreign("https://allowed.test").may_use_tools(&user_settings));
    }
}
