//! The rule for `/ui`: no other page may reach it, not even one of this machine, and where keys are required a cookie
//! stands for the key. Pure.
//!
//! Browsers say in `Sec-Fetch-Site` where a request comes from, and pages can't change it. Programs don't send it.

use actix_web::http::header::{COOKIE, HeaderMap, ORIGIN};

use crate::http::origin_access::PageOrigin;

/// Name of the cookie that `POST /ui/login` sets.
pub(super) const COOKIE_NAME: &str = "copilot-proxy-ui";

/// Header in which browsers name the relation of a request to its page.
const FETCH_SITE: &str = "sec-fetch-site";

/// Whether a request comes from the server's own pages, from the address bar of a browser, or from a program.
pub(in crate::http) fn is_own(headers: &HeaderMap) -> bool {
    let mut sites = headers.get_all(FETCH_SITE).peekable();
    if sites.peek().is_some() {
        return sites.all(|site| site == "same-origin" || site == "none");
    }
    !headers.contains_key(ORIGIN) && PageOrigin::of(headers) == PageOrigin::None
}

/// Whether a request carries a valid cookie of a log-in, and comes from one of the server's own pages or the address bar.
/// The cookie of a browser is the same for all ports of a host.
pub(in crate::http) fn is_logged_in(headers: &HeaderMap, is_valid: impl Fn(&str) -> bool) -> bool {
    let cookies = headers.get_all(COOKIE).filter_map(|value| value.to_str().ok());
    let mut values =
        cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let has_cookie = values.any(|(name, value)| name == COOKIE_NAME && is_valid(value));
    has_cookie && headers.contains_key(FETCH_SITE) && is_own(headers)
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderName, HeaderValue};

    use super::*;

    fn headers(fields: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in fields {
            map.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        map
    }

    #[test]
    fn only_own_pages_navigations_and_programs_reach_the_ui() {
        for own in [
            &[][..],
            &[("sec-fetch-site", "same-origin"), ("origin", "http://127.0.0.1:8080")],
            &[("sec-fetch-site", "none"), ("sec-fetch-mode", "navigate")],
        ] {
            assert!(is_own(&headers(own)), "{own:?}");
        }
        for foreign in [
            &[("sec-fetch-site", "cross-site")][..],
            &[("sec-fetch-site", "same-site")],
            &[("sec-fetch-site", "")],
            &[("sec-fetch-site", "same-origin"), ("sec-fetch-site", "cross-site")],
            &[("origin", "http://127.0.0.1:8080")],
            &[("origin", "null")],
            &[("host", "host.docker.internal"), ("accept-language", "en")],
        ] {
            assert!(!is_own(&headers(foreign)), "{foreign:?}");
        }
    }

    #[test]
    fn cookie_counts_only_in_a_browser_s_own_requests() {
        let cookie = ("cookie", "a=b; copilot-proxy-ui=secret; c=d");
        let own = ("sec-fetch-site", "same-origin");
        assert!(is_logged_in(&headers(&[cookie, own]), |value| value == "secret"));
        assert!(!is_logged_in(&headers(&[cookie, own]), |value| value == "secre"));
        assert!(!is_logged_in(&headers(&[own]), |value| value == "secret"));
        assert!(!is_logged_in(&headers(&[cookie]), |value| value == "secret"));
        assert!(
            !is_logged_in(&headers(&[cookie, ("sec-fetch-site", "same-site")]), |value| value == "secret")
        );
    }
}
