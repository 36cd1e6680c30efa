//! `POST /v1/messages/count_tokens`: the size of a request without running it.

use serde_json::{Value, json};

use super::{read, wire};
use crate::dialect::ParsedRequest;
use crate::dialect::common::body_json::read_json;
use crate::failure::Failure;

/// Reads the body: that of a message, but `max_tokens` may be missing.
pub fn read(body: &[u8]) -> Result<ParsedRequest, Failure> {
    let request = read_json::<wire::Request>(body)?;
    read::read_request(request).map(|(ask, _)| ask)
}

/// Builds the response: the size of the request; `original` is that before the edits of its context, if it has any.
pub fn response(tokens: u64, original: Option<u64>) -> Value {
    match original {
        None => json!({ "input_tokens": tokens }),
        Some(original) => {
            json!({ "input_tokens": tokens, "context_management": { "original_input_tokens": original } })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conversation::{Conversation, Message, Role, Tool};

    #[test]
    fn max_tokens_is_optional() {
        let body = json!({
            "model": "claude-sonnet-4",
            "system": "Be brief.",
            "messages": [{ "role": "user", "content": "foo" }],
            "tools": [{ "name": "look", "input_schema": { "type": "object" } }],
        });
        let conversation = Conversation {
            messages: vec![Message::text(Role::System, "Be brief."), Message::text(Role::User, "foo")],
            tools: vec![Tool {
                name: "look".into(),
                description: String::new(),
                input_schema: Some(json!({ "type": "object" })),
            }],
            ..Conversation::default()
        };
        let ask =
            ParsedRequest { model: Some("claude-sonnet-4".into()), conversation, ..ParsedRequest::default() };
        assert_eq!(read(body.to_string().as_bytes()), Ok(ask));
        assert_eq!(response(7, None), json!({ "input_tokens": 7 }));
        assert_eq!(
            response(7, Some(9)),
            json!({ "input_tokens": 7, "context_management": { "original_input_tokens": 9 } })
        );
    }

    #[test]
    fn empty_messages_are_rejected() {
        assert_eq!(read(b"{}"), Err(Failure::invalid("messages", "Field required")));
    }
}
