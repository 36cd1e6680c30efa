//! Parses a request body into a dialect's wire types, with errors that name the place.

use std::borrow::Cow;

use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Deserializer};
use serde_json::error::Category;

use crate::failure::Failure;

/// Longer sentences are cut in the middle: they quote the client's own words, and those may be megabytes.
/// In characters.
const LONGEST_MESSAGE: usize = 400;

/// Reads a body. A mistake is a `Failure::Invalid` that names the field, or the line and column where the
/// body is no JSON at all.
pub fn read_json<T: DeserializeOwned>(body: &[u8]) -> Result<T, Failure> {
    let text = std::str::from_utf8(body).map_err(|error| {
        Failure::invalid("", format!("the body is not UTF-8: byte {} is wrong", error.valid_up_to()))
    })?;
    // RFC 8259 lets a parser skip one byte order mark; programs on Windows write it.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.trim_ascii().is_empty() {
        return Err(Failure::invalid("", "the body is empty, expected a JSON object"));
    }
    parse(text).or_else(|failure| match with_whole_surrogates(text) {
        Cow::Owned(mended) => parse(&mended),
        Cow::Borrowed(_) => Err(failure),
    })
}

fn parse<T: DeserializeOwned>(text: &str) -> Result<T, Failure> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let path = error.path().to_string();
        // serde_json calls it broken JSON where a word of a list of words is wanted and another type is found.
        let is_json = || serde_json::from_str::<IgnoredAny>(text).is_ok();
        match error.inner().classify() {
            Category::Syntax if path != "." && is_json() => Failure::invalid(path, "expected a string"),
            _ => mistake(&path, error.inner()),
        }
    })?;
    reader.end().map_err(|error| mistake("", &error))?;
    Ok(value)
}

/// Reads a value that was kept as it came because its own fields tell what it is. The failure's path is
/// relative to the value.
pub fn read_value<'de, T: Deserialize<'de>>(
    value: impl Deserializer<'de, Error = serde_json::Error>,
) -> Result<T, Failure> {
    serde_path_to_error::deserialize(value).map_err(|error| mistake(&error.path().to_string(), error.inner()))
}

fn mistake(path: &str, error: &serde_json::Error) -> Failure {
    if error.classify() != Category::Data {
        return Failure::invalid("", format!("the body is not valid JSON: {error}"));
    }
    let message = error.to_string();
    let position = format!(" at line {} column {}", error.line(), error.column());
    let message = message.strip_suffix(&position).unwrap_or(&message);
    let at = if path == "." { "" } else { path };
    match message.strip_prefix("missing field `").and_then(|rest| rest.strip_suffix('`')) {
        Some(field) if at.is_empty() => Failure::invalid(field, "required, but missing"),
        Some(field) => Failure::invalid(format!("{at}.{field}"), "required, but missing"),
        None => Failure::invalid(at, shortened(&plainly(message))),
    }
}

/// The same sentence in words of JSON, and without quoting a string of the client's where another type was
/// wanted: it may be a prompt, and messages reach the log.
fn plainly(message: &str) -> String {
    let Some((found, wanted)) = message.rsplit_once(", expected ") else { return message.to_owned() };
    let wanted = match wanted {
        "a sequence" => "a list",
        "a map" => "an object",
        "string or map" => "a string",
        "f64" => "a number",
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number from 0",
        "i64" => "a whole number",
        wanted => wanted,
    };
    let found = match found {
        "invalid type: sequence" => "invalid type: a list",
        "invalid type: map" => "invalid type: an object",
        // serde accepts a list as an object if it has an item for every field; no list here is that long.
        found if found.starts_with("invalid length ") && wanted == "an object" => "invalid type: a list",
        found if found.starts_with("invalid type: string \"") => "invalid type: a string",
        found if found.starts_with("invalid value: string \"") => "invalid value: a string",
        found => found,
    };
    format!("{found}, expected {wanted}")
}

/// A sentence that may quote the client, cut in the middle where it is long.
pub fn shortened(message: &str) -> String {
    let length = message.chars().count();
    if length <= LONGEST_MESSAGE {
        return message.to_owned();
    }
    let half = LONGEST_MESSAGE / 2;
    let beginning: String = message.chars().take(half).collect();
    let end: String = message.chars().skip(length - half).collect();
    format!("{beginning} ... {end}")
}

/// JavaScript can cut a string inside a surrogate pair, and sends the half as `\ud83d`.
/// That is no text in Rust: each half becomes `\ufffd`, as a browser would show it.
fn with_whole_surrogates(text: &str) -> Cow<'_, str> {
    let mut mended = String::new();
    let mut rest = text;
    let mut from = 0;
    while let Some(found) = rest.find('\\') {
        let here = text.len() - rest.len() + found;
        let escape = text.get(here..).unwrap_or_default();
        let length = match (surrogate(escape), surrogate(escape.get(6..).unwrap_or_default())) {
            (Some(Half::Leading), Some(Half::Trailing)) => 12,
            (Some(_), _) => {
                mended.push_str(text.get(from..here).unwrap_or_default());
                mended.push_str("\\ufffd");
                from = here + 6;
                6
            }
            // A backslash and the escaped character, so that `\\ud83d` stays plain text.
            (None, _) => 1 + escape.chars().nth(1).map_or(0, char::len_utf8),
        };
        rest = text.get(here + length..).unwrap_or_default();
    }
    if from == 0 {
        return Cow::Borrowed(text);
    }
    mended.push_str(text.get(from..).unwrap_or_default());
    Cow::Owned(mended)
}

#[derive(Clone, Copy)]
enum Half {
    Leading,
    Trailing,
}

/// Half of a surrogate pair that the escape at the begin of `text` stands for.
fn surrogate(text: &str) -> Option<Half> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    match u16::from_str_radix(digits, 16).ok()? {
        0xd800..=0xdbff => Some(Half::Leading),
        0xdc00..=0xdfff => Some(Half::Trailing),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;
    use serde_json::{Value, json};

    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "only the mistakes are looked at")]
    struct Question {
        messages: Vec<Message>,
        limit: Option<u32>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(expecting = "an object")]
    #[expect(dead_code, reason = "only the mistakes are looked at")]
    struct Message {
        role: Role,
        extra: Option<Value>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Role {
        User,
        Assistant,
    }

    fn refused(body: &[u8]) -> String {
        read_json::<Question>(body).unwrap_err().to_string()
    }

    #[test]
    fn error_names_the_path_and_the_expected_type() {
        for (body, message) in [
            ("", "the body is empty, expected a JSON object"),
            ("\u{feff}", "the body is empty, expected a JSON object"),
            ("\u{feff}\u{feff}{}", "the body is not valid JSON: expected value at line 1 column 1"),
            (" \n", "the body is empty, expected a JSON object"),
            ("{", "the body is not valid JSON: EOF while parsing an object at line 1 column 1"),
            ("{\n  \"messages\": [,]}", "the body is not valid JSON: expected value at line 2 column 16"),
            (r#"{"messages": []} x"#, "the body is not valid JSON: trailing characters at line 1 column 18"),
            ("5", "invalid type: integer `5`, expected struct Question"),
            ("{}", "messages: required, but missing"),
            (r#"{"messages": {}}"#, "messages: invalid type: an object, expected a list"),
            (r#"{"messages": "my secret"}"#, "messages: invalid type: a string, expected a list"),
            (r#"{"messages": ["x"]}"#, "messages[0]: invalid type: a string, expected an object"),
            (r#"{"messages": [[]]}"#, "messages[0]: invalid type: a list, expected an object"),
            (r#"{"messages": [{}]}"#, "messages[0].role: required, but missing"),
            (r#"{"messages": [{"role": 5}]}"#, "messages[0].role: expected a string"),
            (
                r#"{"messages": [{"role": "user"}, {"role": "usr"}]}"#,
                "messages[1].role: unknown variant `usr`, expected `user` or `assistant`",
            ),
            (
                r#"{"messages": [], "limit": -1}"#,
                "limit: invalid value: integer `-1`, expected a whole number from 0",
            ),
            (
                r#"{"messages": [], "limit": [1]}"#,
                "limit: invalid type: a list, expected a whole number from 0",
            ),
        ] {
            assert_eq!(refused(body.as_bytes()), message, "{body}");
        }
    }

    #[test]
    fn error_within_a_value_has_its_path() {
        let read = |value: Value| read_value::<Question>(value).map(drop);
        assert_eq!(read(json!({"messages": [{"role": "user"}]})), Ok(()));
        for (value, at, message) in [
            (json!(5), "", "invalid type: integer `5`, expected struct Question"),
            (json!({}), "messages", "required, but missing"),
            (
                json!({"messages": [{"role": 1.5}]}),
                "messages[0].role",
                "invalid type: floating point `1.5`, expected a string",
            ),
        ] {
            assert_eq!(read(value), Err(Failure::invalid(at, message)));
        }
    }

    #[test]
    fn one_byte_order_mark_is_skipped() {
        assert!(read_json::<Question>(b"\xef\xbb\xbf{\"messages\": []}").is_ok());
    }

    #[test]
    fn invalid_utf8_is_rejected_with_its_position() {
        assert_eq!(refused(b"{\"a\": \"\xff\"}"), "the body is not UTF-8: byte 7 is wrong");
    }

    #[test]
    fn deep_nesting_is_rejected_in_kept_values_and_skipped_in_ignored_ones() {
        let bomb = "[".repeat(1_000_000);
        let kept = format!(r#"{{"messages": [{{"role": "user", "extra": {bomb}"#);
        assert_eq!(
            refused(kept.as_bytes()),
            "the body is not valid JSON: recursion limit exceeded at line 1 column 165"
        );
        let end = "]".repeat(1_000_000);
        let skipped = format!(r#"{{"messages": [], "unknown": {bomb}{end}}}"#);
        assert!(read_json::<Question>(skipped.as_bytes()).is_ok());
    }

    #[test]
    fn long_wrong_value_is_cut_in_the_error() {
        let body = format!(r#"{{"messages": [{{"role": "{}"}}]}}"#, "r".repeat(1_000_000));
        let message = refused(body.as_bytes());
        assert!(message.len() < 500, "{}", message.len());
        assert!(message.ends_with("expected `user` or `assistant`"), "{message}");
    }

    #[test]
    fn numbers_keep_all_digits() {
        let text = "[0.1,2.1246897302934373e+307,-12.345678901234567,18446744073709551615]";
        assert_eq!(read_json::<Value>(text.as_bytes()).unwrap().to_string(), text);
    }

    #[test]
    fn lone_surrogates_become_replacement_characters() {
        let read = |body: &str| read_json::<Value>(body.as_bytes()).unwrap();
        assert_eq!(
            read(r#"["\ud83d", "\ude00x", "\ud83d\ud83d\ude00"]"#),
            json!(["\u{fffd}", "\u{fffd}x", "\u{fffd}😀"])
        );
        assert_eq!(read(r#"["\\ud83d", "\ud83d é\n", "😀"]"#), json!(["\\ud83d", "\u{fffd} é\n", "😀"]));
    }
}
