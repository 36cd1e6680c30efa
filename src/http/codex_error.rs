//! Errors as Codex shows them. Of a 429 it shows neither body nor code: it retries five times and ends with "exceeded
//! retry limit". Only a used-up allowance ends at once and with words, those of a header.

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue, USER_AGENT};
use serde_json::Value;

use crate::failure::Failure;

/// The header whose words Codex shows for an error of the type [`USAGE_LIMIT`].
const MESSAGE_HEADER: HeaderName = HeaderName::from_static("x-codex-promo-message");

/// The error type that Codex doesn't retry.
const USAGE_LIMIT: &str = "usage_limit_reached";

/// Longest text of the header in bytes.
const LONGEST: usize = 500;

/// Makes the error's body one that Codex shows, and returns the header with the words. Does nothing for other clients and
/// for failures that a retry may mend.
pub fn adapt(request: &HeaderMap, failure: &Failure, body: &mut Value) -> Option<(HeaderName, HeaderValue)> {
    let is_codex = request
        .get(USER_AGENT)
        .and_then(|agent| agent.to_str().ok())
        .is_some_and(|agent| agent.to_ascii_lowercase().starts_with("codex"));
    if !is_codex || !matches!(failure, Failure::QuotaExceeded { .. } | Failure::Blocked { .. }) {
        return None;
    }
    let kind = body.get_mut("error")?.get_mut("type")?;
    let text = header_text(&failure.to_string());
    let value = HeaderValue::from_str(&text).ok()?;
    *kind = USAGE_LIMIT.into();
    Some((MESSAGE_HEADER, value))
}

/// One line of ASCII; Codex continues it with ", or try again later."
fn header_text(message: &str) -> String {
    let is_shown = |c: char| c.is_ascii_graphic() || c == ' ';
    let line = message.chars().map(|c| match c {
        c if is_shown(c) => c,
        c if c.is_whitespace() => ' ',
        _ => '?',
    });
    let line: String = line.take(LONGEST).collect();
    line.trim().trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::failure::Quota;

    fn adapted(agent: &str, failure: &Failure) -> (Option<String>, Value) {
        let mut request = HeaderMap::new();
        request.insert(USER_AGENT, HeaderValue::from_str(agent).unwrap());
        let mut body = json!({ "error": { "type": "insufficient_quota", "message": "m" } });
        let header = adapt(&request, failure, &mut body);
        let words = header.map(|(_, words)| words.to_str().unwrap().to_owned());
        (words, body["error"]["type"].take())
    }

    #[test]
    fn codex_gets_the_error_of_a_used_up_quota() {
        let quota = Failure::QuotaExceeded {
            quota: Quota::Provider,
            message: "Quota Exceeded\n\nNo more für heute.".into(),
        };
        assert_eq!(
            adapted("codex_exec/0.169.0 (Debian)", &quota),
            (Some("Quota Exceeded  No more f?r heute".into()), json!("usage_limit_reached"))
        );
        assert_eq!(adapted("OpenAI/Python 3.54.0", &quota), (None, json!("insufficient_quota")));
    }

    #[test]
    fn failure_that_a_retry_may_mend_is_unchanged() {
        let failure = Failure::Overloaded { message: "m".into() };
        assert_eq!(adapted("codex_exec/0.169.0", &failure), (None, json!("insufficient_quota")));
    }
}
