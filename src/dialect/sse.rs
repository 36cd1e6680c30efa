//! Server-sent events, one `data:` line each, appended to a buffer.
//!
//! Some clients' line readers also cut at U+0085, U+2028 and U+2029, which JSON lets stand bare inside a
//! string: here they are always escaped.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::Formatter;

/// Appends an event; `name` goes on its `event:` line, in the APIs that have one.
pub fn put(name: Option<&str>, data: &impl Serialize, out: &mut Vec<u8>) {
    let before = out.len();
    if let Some(name) = name {
        out.extend_from_slice(b"event: ");
        out.extend_from_slice(name.as_bytes());
        out.push(b'\n');
    }
    out.extend_from_slice(b"data: ");
    match data.serialize(&mut Serializer::with_formatter(&mut *out, LineSafe)) {
        Ok(()) => out.extend_from_slice(b"\n\n"),
        Err(error) => {
            // A buffer takes everything, and our events have no keys but strings.
            debug_assert!(false, "an event that is no JSON: {error}");
            out.truncate(before);
        }
    }
}

/// Appends the line that ends an OpenAI stream.
pub fn put_done(out: &mut Vec<u8>) {
    out.extend_from_slice(b"data: [DONE]\n\n");
}

/// Appends a comment, which every reader skips: the sign of life of APIs that have no ping.
pub fn put_ping(out: &mut Vec<u8>) {
    out.extend_from_slice(b": ping\n\n");
}

/// Compact JSON that no line reader cuts.
struct LineSafe;

impl Formatter for LineSafe {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        if fragment.is_ascii() {
            return writer.write_all(fragment.as_bytes());
        }
        let mut rest = fragment;
        while let Some((before, cut)) = rest.find(LINE_ENDS).and_then(|at| rest.split_at_checked(at)) {
            writer.write_all(before.as_bytes())?;
            let mut characters = cut.chars();
            if let Some(end) = characters.next() {
                write!(writer, "\\u{:04x}", u32::from(end))?;
            }
            rest = characters.as_str();
        }
        writer.write_all(rest.as_bytes())
    }
}

/// What ends a line for Python's `splitlines` and JavaScript's older parsers, and passes through JSON bare.
const LINE_ENDS: [char; 3] = ['\u{85}', '\u{2028}', '\u{2029}'];

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn said(name: Option<&str>, data: &Value) -> String {
        let mut out = Vec::new();
        put(name, data, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn an_event_is_a_name_a_line_and_a_gap() {
        assert_eq!(said(None, &json!({"a": 1})), "data: {\"a\":1}\n\n");
        assert_eq!(said(Some("ping"), &json!({})), "event: ping\ndata: {}\n\n");
    }

    #[test]
    fn events_follow_one_another_in_the_buffer() {
        let mut out = Vec::new();
        put(None, &1, &mut out);
        put_ping(&mut out);
        put_done(&mut out);
        assert_eq!(out, b"data: 1\n\n: ping\n\ndata: [DONE]\n\n");
    }

    #[test]
    fn whatever_a_reader_might_take_for_a_line_end_is_escaped() {
        let text = "é\u{85}a\u{2028}\u{2029}\r\n\u{b}\u{c}\u{1c}日本😀\u{2030}";
        let said = said(None, &json!({ text: text }));
        assert_eq!(
            said,
            "data: {\"é\\u0085a\\u2028\\u2029\\r\\n\\u000b\\f\\u001c日本😀\u{2030}\":\
             \"é\\u0085a\\u2028\\u2029\\r\\n\\u000b\\f\\u001c日本😀\u{2030}\"}\n\n"
        );
        let json = said.strip_prefix("data: ").unwrap();
        assert_eq!(serde_json::from_str::<Value>(json).unwrap(), json!({ text: text }));
    }
}
