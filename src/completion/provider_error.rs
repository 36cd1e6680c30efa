//! Classifies errors of the provider. VS Code passes on only their name, code and message. Names and codes are matched
//! first, since messages may be localized, then the fixed beginnings of messages.

use std::time::Duration;

use serde_json::Value;

use super::blocked_vendors::BLOCK;
use crate::bridge::protocol::ProviderError;
use crate::conversation::Finish;
use crate::failure::{Failure, Quota, shortened};

/// Meaning of a provider's error for the response.
#[derive(Clone, Debug, PartialEq)]
pub enum Classification {
    /// The request failed, or the rest of its response is lost.
    Failed(Failure),
    /// The response is complete, even if it is empty.
    Finished(Finish),
    /// The response was cut: it ends with `finish` if it has output, else it failed.
    Truncated {
        /// Finish of a response with output.
        finish: Finish,
        /// Failure of a response without output.
        if_empty: Failure,
    },
}

/// Longest `retry-after` for clients; Copilot's own blocks last 300 s.
const LONGEST_WAIT: Duration = Duration::from_secs(320);

/// Wait after this many rate limits in a row: 10 s, then twice as long each time.
pub fn retry_after(in_a_row: u32) -> Duration {
    let doublings = in_a_row.saturating_sub(1).min(31);
    Duration::from_secs(10u64 << doublings).min(LONGEST_WAIT)
}

/// Whether the editor's list of models is out of date: it has a model that VS Code doesn't find.
pub fn models_are_stale(error: &ProviderError) -> bool {
    error.code.as_deref() == Some("NotFound")
}

/// The provider that raised an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Provider {
    /// GitHub Copilot's provider, whose messages are known.
    Copilot,
    /// A provider of any other extension.
    Other,
}

/// Classifies an error. `in_a_row` is the number of rate limits in a row; an error that is one counts.
pub fn classify(error: &ProviderError, provider: Provider, in_a_row: u32) -> Classification {
    match by_message_of_an_end(&error.message) {
        Some(classification) => classification,
        None => Classification::Failed(
            by_code(error)
                .or_else(|| by_name(error, in_a_row))
                .unwrap_or_else(|| by_message(error, provider)),
        ),
    }
}

/// Classifies the messages that end a response but aren't failures of the request.
fn by_message_of_an_end(message: &str) -> Option<Classification> {
    match message {
        "Response got filtered." => Some(Classification::Truncated {
            finish: Finish::ContentFilter,
            if_empty: Failure::ContentFiltered { message: message.into() },
        }),
        "Response too long." => {
            Some(Classification::Truncated { finish: Finish::Length, if_empty: provider(502, message) })
        }
        "Model declined to respond." => Some(Classification::Finished(Finish::Refusal)),
        _ => None,
    }
}

/// Classifies by the three codes of `vscode.LanguageModelError`.
fn by_code(error: &ProviderError) -> Option<Failure> {
    let message = &error.message;
    match error.code.as_deref()? {
        "NoPermissions" => Some(Failure::ConsentMissing {
            message: format!(
                "the use of its language models has not been allowed yet; click Copilot Proxy in the status bar{}",
                in_parentheses(message)
            ),
        }),
        "Blocked" => Some(Failure::Blocked { message: message.clone(), remaining: BLOCK }),
        "NotFound" => Some(Failure::ProviderUnavailable {
            message: format!(
                "VS Code no longer offers this model; is it signed in to GitHub Copilot?{}",
                in_parentheses(message)
            ),
        }),
        _ => None,
    }
}

fn by_name(error: &ProviderError, in_a_row: u32) -> Option<Failure> {
    let message = error.message.as_str();
    match error.name.as_str() {
        "ChatQuotaExceeded" => Some(Failure::QuotaExceeded {
            quota: Quota::Provider,
            message: or_default(message, "the Copilot quota is used up"),
        }),
        "ChatRateLimited" if message == "Upstream provider rate limit hit" => {
            Some(Failure::Overloaded { message: message.into() })
        }
        "ChatRateLimited" => {
            let body = message.strip_prefix("Rate limit exceeded").map_or(message, str::trim_start);
            let message = ErrorBody::read(body)
                .map_or_else(|| or_default(message, "rate limited"), |body| body.message);
            Some(Failure::RateLimited { message, retry_after: retry_after(in_a_row) })
        }
        "AutoV2Error" => Some(routing_failed(message, in_a_row)),
        "Canceled" => Some(provider(502, "the request was cancelled in VS Code")),
        _ => None,
    }
}

/// Classifies an error of the service that routes model `auto`: `Auto request failed with status 402: ...`.
fn routing_failed(message: &str, in_a_row: u32) -> Failure {
    let status = message.strip_prefix("Auto request failed with status ");
    let digits = status.map(|rest| rest.split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default());
    match digits.and_then(error_status) {
        Some(402) => Failure::QuotaExceeded { quota: Quota::Provider, message: message.into() },
        Some(429) => Failure::RateLimited { message: message.into(), retry_after: retry_after(in_a_row) },
        _ => provider(502, message),
    }
}

fn by_message(error: &ProviderError, provided_by: Provider) -> Failure {
    let message = error.message.as_str();
    if let Some(rest) = message.strip_prefix("Request Failed: ") {
        return request_failed(message, rest);
    }
    if let Some(status) = message.strip_prefix("Server error: ").and_then(error_status) {
        return provider(status, message);
    }
    if message.starts_with("Filtered by Responsible AI Service") {
        return Failure::ContentFiltered { message: message.into() };
    }
    if message.contains("\"isTrusted\":true") {
        // The error event of a browser's failed image load, as VS Code serializes it.
        return Failure::invalid("messages", "an image can't be decoded");
    }
    if message.starts_with("Auto selected ") {
        // With an image only; without one the service chose a model that Copilot doesn't know.
        return if message.contains("does not support vision") {
            Failure::invalid("messages", message)
        } else {
            provider(502, message)
        };
    }
    if message.starts_with("Auto mode needs a prompt") {
        return Failure::invalid("messages", message);
    }
    if message.starts_with("Invalid tool name") || message.starts_with("Cannot have more than 128 tools") {
        return Failure::invalid("tools", message);
    }
    if message.starts_with("LanguageModelChatToolMode.Required is not supported") {
        return Failure::unsupported("tool_choice", message);
    }
    if message.contains("CANNOT use API proposal") {
        return Failure::Internal { message: message.into() };
    }
    if message.starts_with("Model ") && message.ends_with(" is only available to VS Code core.") {
        return Failure::Provider {
            status: 404,
            code: Some("model_not_found".into()),
            message: message.into(),
        };
    }
    match message {
        "Message exceeds token limit." => return Failure::TooLongForProvider,
        "Invalid request: no messages." => return Failure::invalid("messages", message),
        "key is missing" => {
            return Failure::ProviderUnavailable { message: "sign in to GitHub Copilot in VS Code".into() };
        }
        "network request aborted" => return provider(502, "the request was cancelled in VS Code"),
        _ => {}
    }
    // VS Code passes on a 404 as the JSON inside its `error`.
    if let Some(body) = ErrorBody::read(message).filter(|_| !message.contains("\"error\"")) {
        return Failure::Provider { status: 404, code: body.code, message: body.message };
    }
    if mentions_a_token(message)
        || (provided_by == Provider::Copilot && error.name == "Error" && is_service_message(message))
    {
        return Failure::ProviderUnavailable { message: message.into() };
    }
    provider(502, &or_default(message, &error.name))
}

/// Classifies `400 <body>`: the body is the service's JSON, with a code and a message.
fn request_failed(whole: &str, rest: &str) -> Failure {
    let (head, body) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    let Some(status) = error_status(head) else {
        return provider(502, whole);
    };
    let error =
        ErrorBody::read(body).unwrap_or_else(|| ErrorBody { message: or_default(body, whole), code: None });
    match error.code.as_deref() {
        Some(code) if code == "model_max_prompt_tokens_exceeded" || code.starts_with("context_length") => {
            too_long(&error.message)
        }
        Some("content_filter") => Failure::ContentFiltered { message: error.message },
        _ => Failure::Provider { status, code: error.code, message: error.message },
    }
}

/// Reads "prompt token count of 68126 exceeds the limit of 64000": the larger number is the prompt's.
fn too_long(message: &str) -> Failure {
    let numbers: Vec<u64> = message
        .split(|c: char| !c.is_ascii_digit())
        .filter(|digits| !digits.is_empty())
        .filter_map(|digits| digits.parse().ok())
        .collect();
    match *numbers.as_slice() {
        [a, b] if a != b => Failure::TooLong { tokens: a.max(b), maximum: a.min(b) },
        _ => Failure::TooLongForProvider,
    }
}

/// Beginnings of the messages that Copilot's provider writes itself, for errors without a status or code of the
/// service.
const PROVIDER_MESSAGES: [&str; 7] = [
    "Please check your firewall",
    "terminated",
    "Response contained no choices.",
    "Server error. Stream terminated",
    "client not supported:",
    "canceled by server",
    "Error on conversation request.",
];

/// Whether a message is one of the service, not of Copilot's provider. VS Code passes on a 401 or 403 as the service's
/// message alone, and no other status in this form: the message of a failed dependency (424) is JSON.
fn is_service_message(message: &str) -> bool {
    !message.trim().is_empty()
        && !PROVIDER_MESSAGES.iter().any(|beginning| message.starts_with(beginning))
        && serde_json::from_str::<Value>(message).is_err()
}

/// Whether a message is that of a 401 or 403. The editor fetches a new token and the next request works, so the client
/// must not take it for an error of its key.
fn mentions_a_token(message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    ["token expired", "invalid token", "unauthorized", "forbidden", "bad credentials", "access denied"]
        .iter()
        .any(|phrase| message.contains(phrase))
}

/// Fields of the service's JSON error, at the top or in `error`.
struct ErrorBody {
    message: String,
    code: Option<String>,
}

impl ErrorBody {
    fn read(body: &str) -> Option<ErrorBody> {
        let body: Value = serde_json::from_str(body.trim()).ok()?;
        let error = body.get("error").filter(|error| error.is_object()).unwrap_or(&body);
        let code = error.get("code").and_then(Value::as_str).map(shortened);
        let message =
            error.get("message").and_then(Value::as_str).map(str::to_owned).or_else(|| code.clone())?;
        Some(ErrorBody { message, code })
    }
}

fn provider(status: u16, message: &str) -> Failure {
    Failure::Provider { status, code: None, message: message.into() }
}

/// Parses a text that is an error status and nothing more.
fn error_status(text: &str) -> Option<u16> {
    text.trim().parse().ok().filter(|status| (400..600).contains(status))
}

fn or_default(message: &str, default: &str) -> String {
    if message.trim().is_empty() { default.into() } else { message.into() }
}

fn in_parentheses(message: &str) -> String {
    if message.trim().is_empty() { String::new() } else { format!(" ({})", message.trim()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(name: &str, code: Option<&str>, message: &str) -> ProviderError {
        ProviderError { name: name.into(), code: code.map(Into::into), message: message.into() }
    }

    fn failed(name: &str, code: Option<&str>, message: &str) -> Failure {
        match classify(&error(name, code, message), Provider::Other, 1) {
            Classification::Failed(failure) => failure,
            other => panic!("{message}: {other:?}"),
        }
    }

    fn provider_with_code(status: u16, code: &str, message: &str) -> Failure {
        Failure::Provider { status, code: Some(code.into()), message: message.into() }
    }

    const LM: &str = "LanguageModelError";

    fn check(rows: impl IntoIterator<Item = (&'static str, Option<&'static str>, &'static str, Failure)>) {
        for (name, code, message, expected) in rows {
            assert_eq!(failed(name, code, message), expected, "{name} {message}");
        }
    }

    #[test]
    fn status_of_the_service_is_kept() {
        check([
            // 400, 408, 409, 413 ...: VS Code passes on status and body.
            (
                "Error",
                None,
                r#"Request Failed: 400 {"error":{"message":"m","code":"c"}}"#,
                provider_with_code(400, "c", "m"),
            ),
            (
                "Error",
                None,
                r#"Request Failed: 413 {"message":"m","code":"c"}"#,
                provider_with_code(413, "c", "m"),
            ),
            ("Error", None, "Request Failed: 408 no time", provider(408, "no time")),
            ("Error", None, "Request Failed: 409", provider(409, "Request Failed: 409")),
            ("Error", None, "Request Failed: what", provider(502, "Request Failed: what")),
            (
                "Error",
                None,
                r#"Request Failed: 400 {"error":{"message":"prompt token count of 68126 exceeds the limit of 64000","code":"model_max_prompt_tokens_exceeded"}}"#,
                Failure::TooLong { tokens: 68_126, maximum: 64_000 },
            ),
            (
                "Error",
                None,
                r#"Request Failed: 400 {"error":{"message":"too long","code":"context_length_exceeded"}}"#,
                Failure::TooLongForProvider,
            ),
            (
                "Error",
                None,
                r#"Request Failed: 400 {"error":{"message":"m","code":"content_filter"}}"#,
                Failure::ContentFiltered { message: "m".into() },
            ),
        ]);
    }

    #[test]
    fn token_and_quota_errors_have_their_own_failures() {
        let ten_seconds = Duration::from_secs(10);
        let limited =
            |message: &str| Failure::RateLimited { message: message.into(), retry_after: ten_seconds };
        let quota = "Quota Exceeded\n\nServer Error: m\nError Code: c";
        let check_log = "Error on conversation request. Check the log for more details.";
        let blocked = "The extension has been temporarily blocked due to making too many requests...";
        let filtered = "Filtered by Responsible AI Service\n\n{}";
        check([
            // 401, 403, and no token at all.
            (
                "Error",
                None,
                "token expired or invalid: 401",
                Failure::ProviderUnavailable { message: "token expired or invalid: 401".into() },
            ),
            (
                "Error",
                None,
                "Unauthorized: token",
                Failure::ProviderUnavailable { message: "Unauthorized: token".into() },
            ),
            (
                "Error",
                None,
                "key is missing",
                Failure::ProviderUnavailable { message: "sign in to GitHub Copilot in VS Code".into() },
            ),
            // 402.
            (
                "ChatQuotaExceeded",
                None,
                "Sie haben ...",
                Failure::QuotaExceeded { quota: Quota::Provider, message: "Sie haben ...".into() },
            ),
            (
                "ChatQuotaExceeded",
                None,
                quota,
                Failure::QuotaExceeded { quota: Quota::Provider, message: quota.into() },
            ),
            (
                "ChatQuotaExceeded",
                None,
                "",
                Failure::QuotaExceeded {
                    quota: Quota::Provider,
                    message: "the Copilot quota is used up".into(),
                },
            ),
            ("Error", None, check_log, provider(502, check_log)),
            // 404, 422, 424.
            ("Error", None, r#"{"message":"m","code":"c"}"#, provider_with_code(404, "c", "m")),
            ("Error", None, filtered, Failure::ContentFiltered { message: filtered.into() }),
            ("Error", None, r#"{"error":"dependency"}"#, provider(502, r#"{"error":"dependency"}"#)),
            // 429.
            ("ChatRateLimited", None, "slow down", limited("slow down")),
            ("ChatRateLimited", None, "", limited("rate limited")),
            (
                "ChatRateLimited",
                None,
                "Rate limit exceeded\n\n{\"error\":{\"message\":\"m\",\"code\":\"c\"}}",
                limited("m"),
            ),
            (LM, Some("Blocked"), blocked, Failure::Blocked { message: blocked.into(), remaining: BLOCK }),
        ]);
    }

    #[test]
    fn service_and_connection_errors_are_5xx() {
        let firewall = "Please check your firewall rules and network connection then try again. Error Code: fetch \
                        failed: other side closed.";
        check([
            // 466, 499, 5xx.
            ("Error", None, "client not supported: x", provider(502, "client not supported: x")),
            ("Error", None, "canceled by server", provider(502, "canceled by server")),
            ("Error", None, "Server error: 500", provider(500, "Server error: 500")),
            ("Error", None, "Server error: 502", provider(502, "Server error: 502")),
            ("Error", None, "Server error: 504", provider(504, "Server error: 504")),
            ("Error", None, "Server error: 529", provider(529, "Server error: 529")),
            (
                "ChatRateLimited",
                None,
                "Upstream provider rate limit hit",
                Failure::Overloaded { message: "Upstream provider rate limit hit".into() },
            ),
            // Errors of the connection, and at the end of the stream.
            ("Error", None, firewall, provider(502, firewall)),
            ("Error", None, "terminated: other side closed", provider(502, "terminated: other side closed")),
            (
                "Error",
                None,
                "Server error. Stream terminated",
                provider(502, "Server error. Stream terminated"),
            ),
            (
                "Error",
                None,
                "Response contained no choices.",
                provider(502, "Response contained no choices."),
            ),
        ]);
    }

    #[test]
    fn unknown_message_of_copilot_is_a_rejected_token() {
        let status = |provider, message| match classify(&error("Error", None, message), provider, 1) {
            Classification::Failed(failure) => failure.status(),
            other => panic!("{message}: {other:?}"),
        };
        assert_eq!(status(Provider::Copilot, "message of the service"), 503);
        assert_eq!(status(Provider::Other, "message of the service"), 502);
        for known in
            PROVIDER_MESSAGES.into_iter().chain(["", r#"{"error":"dependency"}"#, "network request aborted"])
        {
            assert_eq!(status(Provider::Copilot, known), 502, "{known}");
        }
        assert_eq!(status(Provider::Copilot, "Server error: 500"), 500);
    }

    #[test]
    fn rejections_by_the_provider_have_their_own_failures() {
        let required = "LanguageModelChatToolMode.Required is not supported with more than one tool";
        let bad_name =
            r#"Invalid tool name "a.b": only alphanumeric characters, hyphens, and underscores are allowed."#;
        let many = "Cannot have more than 128 tools per request.";
        let core = "Model gpt-5.6-luna is only available to VS Code core.";
        check([
            // Rejected by the provider before it sends the request.
            ("Error", None, "Message exceeds token limit.", Failure::TooLongForProvider),
            ("Error", None, required, Failure::unsupported("tool_choice", required)),
            ("Error", None, bad_name, Failure::invalid("tools", bad_name)),
            ("Error", None, many, Failure::invalid("tools", many)),
            (
                "Error",
                None,
                "Invalid request: no messages.",
                Failure::invalid("messages", "Invalid request: no messages."),
            ),
            (
                LM,
                Some("NoPermissions"),
                "a sentence",
                Failure::ConsentMissing {
                    message:
                        "the use of its language models has not been allowed yet; click Copilot Proxy in \
                              the status bar (a sentence)"
                            .into(),
                },
            ),
            ("Error", None, core, provider_with_code(404, "model_not_found", core)),
            (
                "AutoV2Error",
                None,
                "Auto request failed with status 402: quota",
                Failure::QuotaExceeded {
                    quota: Quota::Provider,
                    message: "Auto request failed with status 402: quota".into(),
                },
            ),
            (
                "AutoV2Error",
                None,
                "Auto request failed with status 429: slow down",
                Failure::RateLimited {
                    message: "Auto request failed with status 429: slow down".into(),
                    retry_after: Duration::from_secs(10),
                },
            ),
            (
                "Error",
                None,
                "Auto selected 'gpt-x', which does not support vision, for an image request.",
                Failure::invalid(
                    "messages",
                    "Auto selected 'gpt-x', which does not support vision, for an image request.",
                ),
            ),
            (
                "Error",
                None,
                "Auto selected 'gpt-x', which is not in knownEndpoints=[a]",
                provider(502, "Auto selected 'gpt-x', which is not in knownEndpoints=[a]"),
            ),
            (
                "AutoV2Error",
                None,
                "Auto request failed with status 404: x",
                provider(502, "Auto request failed with status 404: x"),
            ),
            (
                LM,
                Some("NotFound"),
                "copilot/gpt-4.1",
                Failure::ProviderUnavailable {
                    message: "VS Code no longer offers this model; is it signed in to GitHub Copilot? \
                              (copilot/gpt-4.1)"
                        .into(),
                },
            ),
            ("Error", None, "network request aborted", provider(502, "the request was cancelled in VS Code")),
            ("Canceled", None, "Canceled", provider(502, "the request was cancelled in VS Code")),
            ("", None, r#"{"isTrusted":true}"#, Failure::invalid("messages", "an image can't be decoded")),
            (
                "Error",
                None,
                "Extension 'x' CANNOT use API proposal: languageModelSystem.",
                Failure::Internal {
                    message: "Extension 'x' CANNOT use API proposal: languageModelSystem.".into(),
                },
            ),
            // All other errors.
            ("Busy", None, "come back later", provider(502, "come back later")),
            ("Busy", None, "", provider(502, "Busy")),
            (LM, Some("New"), "m", provider(502, "m")),
        ]);
    }

    #[test]
    fn truncated_response_is_complete_if_it_has_output() {
        let message = "Response got filtered.";
        let expected = Classification::Truncated {
            finish: Finish::ContentFilter,
            if_empty: Failure::ContentFiltered { message: message.into() },
        };
        assert_eq!(classify(&error("Error", None, message), Provider::Other, 1), expected);
        let expected = Classification::Truncated {
            finish: Finish::Length,
            if_empty: provider(502, "Response too long."),
        };
        assert_eq!(classify(&error("Error", None, "Response too long."), Provider::Other, 1), expected);
    }

    #[test]
    fn refusal_is_a_complete_response() {
        let refusal = error("Error", None, "Model declined to respond.");
        assert_eq!(classify(&refusal, Provider::Other, 1), Classification::Finished(Finish::Refusal));
    }

    #[test]
    fn missing_consent_and_blocks_have_hints() {
        let consent = failed(LM, Some("NoPermissions"), "");
        assert!(consent.to_string().starts_with("Allow Copilot Proxy in VS Code: "), "{consent}");
        assert_eq!(consent.status(), 403);
        let blocked = failed(LM, Some("Blocked"), "b");
        assert_eq!(blocked.headers(), [("retry-after", "5".into()), ("x-should-retry", "false".into())]);
    }

    #[test]
    fn wait_doubles_with_each_limit_in_a_row() {
        let seconds: Vec<u64> = (0..8).map(|in_a_row| retry_after(in_a_row).as_secs()).collect();
        assert_eq!(seconds, [10, 10, 20, 40, 80, 160, 320, 320]);
        assert_eq!(retry_after(u32::MAX), LONGEST_WAIT);
    }

    #[test]
    fn missing_model_makes_the_list_stale() {
        assert!(models_are_stale(&error(LM, Some("NotFound"), "copilot/gpt-4.1")));
        assert!(!models_are_stale(&error(LM, Some("Blocked"), "")));
    }

    proptest::proptest! {
        #[test]
        fn every_failure_has_an_error_status(
            name in "\\PC*",
            message in "\\PC*",
            provider in proptest::sample::select(vec![Provider::Copilot, Provider::Other]),
            in_a_row: u32,
        ) {
            if let Classification::Failed(failure) = classify(&error(&name, None, &message), provider, in_a_row) {
                proptest::prop_assert!((400..600).contains(&failure.status()));
            }
        }
    }
}
