//! JSON on one line, appended to a buffer with what stands before and after it.
//!
//! Some clients' line readers also cut at U+0085, U+2028 and U+2029, which JSON lets stand bare inside a
//! string: here they are always escaped.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::Formatter;

/// Appends all of it, or nothing.
pub fn put(before: &[&str], data: &impl Serialize, after: &str, out: &mut Vec<u8>) {
    let start = out.len();
    for text in before {
        out.extend_from_slice(text.as_bytes());
    }
    match data.serialize(&mut Serializer::with_formatter(&mut *out, LineSafe)) {
        Ok(()) => out.extend_from_slice(after.as_bytes()),
        Err(error) => {
            // Writing to a buffer can't fail, and all keys are strings.
            debug_assert!(false, "an event that is no JSON: {error}");
            out.truncate(start);
        }
    }
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

/// Characters that end a line for Python's `splitlines` and JavaScript's older parsers, and that JSON leaves bare.
const LINE_ENDS: [char; 3] = ['\u{85}', '\u{2028}', '\u{2029}'];

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn line_separators_are_escaped() {
        let text = "é\u{85}a\u{2028}\u{2029}\r\n\u{b}\u{c}\u{1c}日本😀\u{2030}";
        let mut out = Vec::new();
        put(&["<", "<"], &json!({ text: text }), ">", &mut out);
        let said = String::from_utf8(out).unwrap();
        assert_eq!(
            said,
            "<<{\"é\\u0085a\\u2028\\u2029\\r\\n\\u000b\\f\\u001c日本😀\u{2030}\":\
             \"é\\u0085a\\u2028\\u2029\\r\\n\\u000b\\f\\u001c日本😀\u{2030}\"}>"
        );
        let json = said.trim_matches(['<', '>']);
        assert_eq!(serde_json::from_str::<Value>(json).unwrap(), json!({ text: text }));
    }
}
