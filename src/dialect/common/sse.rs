//! Server-sent events, one `data:` line each, appended to a buffer.

use serde::Serialize;

use crate::dialect::common::json_lines;

/// Appends an event; `name` goes on its `event:` line, in the APIs that have one.
pub fn put(name: Option<&str>, data: &impl Serialize, out: &mut Vec<u8>) {
    match name {
        Some(name) => json_lines::put(&["event: ", name, "\ndata: "], data, "\n\n", out),
        None => json_lines::put(&["data: "], data, "\n\n", out),
    }
}

/// Appends the line that ends an OpenAI stream.
pub fn put_done(out: &mut Vec<u8>) {
    out.extend_from_slice(b"data: [DONE]\n\n");
}

/// Appends a comment, which every reader skips: the keep-alive of APIs that have no ping.
pub fn put_ping(out: &mut Vec<u8>) {
    out.extend_from_slice(b": ping\n\n");
}

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
    fn event_has_a_name_a_data_line_and_an_empty_line() {
        assert_eq!(said(None, &json!({"a": 1})), "data: {\"a\":1}\n\n");
        assert_eq!(said(Some("ping"), &json!({})), "event: ping\ndata: {}\n\n");
    }

    #[test]
    fn events_are_appended_to_the_buffer() {
        let mut out = Vec::new();
        put(None, &1, &mut out);
        put_ping(&mut out);
        put_done(&mut out);
        assert_eq!(out, b"data: 1\n\n: ping\n\ndata: [DONE]\n\n");
    }
}
