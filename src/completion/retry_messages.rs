//! Messages that ask the model to correct its response. Pure.

use serde_json::Value;

use super::required_output::{ReceivedOutput, RequiredOutput, Violation};
use crate::conversation::{Content, Message, Part, Role, ToolCall, ToolResult};
use crate::transcript::names::ToolNameMap;

/// Result of a call that was dropped, for the model.
const NOT_RUN: &str = "This tool was not run: it must not be called now.";

/// Messages that follow the request in its retry: the response, with an error as the result of each call, then the
/// instruction. The last message has text, since the model `auto` needs a prompt.
pub fn retry_messages(
    required: &RequiredOutput,
    response: &ReceivedOutput,
    dropped: Vec<ToolCall>,
    violation: &Violation,
    names: &ToolNameMap,
) -> Vec<Message> {
    let output = output_call(required, response);
    let mut parts = Vec::new();
    if output.is_none() && !response.text.trim().is_empty() {
        parts.push(Part::text(response.text.clone()));
    }
    let mut results = Vec::new();
    let answered =
        output.map(|call| (call, format!("{violation}. Call the tool again with that corrected.")));
    let calls = answered.into_iter().chain(dropped.into_iter().map(|call| (call, NOT_RUN.to_owned())));
    for ((call, text), number) in calls.zip(1..) {
        // The model's own id may be that of an earlier call.
        let id = format!("call_to_correct_{number}");
        parts.push(Part::ToolCall(names.call_to_editor(ToolCall { id: id.clone(), ..call })));
        results.push(Part::ToolResult(ToolResult {
            id,
            content: vec![Content::Text { text }],
            is_error: true,
        }));
    }
    let message = |role, parts: Vec<Part>| (!parts.is_empty()).then_some(Message { role, name: None, parts });
    let reason = match violation {
        Violation::NoCall => "No tool that was to be called was called.".into(),
        Violation::NoAnswer => "No answer came.".into(),
        Violation::BadJson(error) => format!("{error}."),
    };
    let instruction = required.instruction(names).unwrap_or_default();
    let instruction = Message::text(Role::User, format!("{reason} {instruction}").trim_end());
    [message(Role::Assistant, parts), message(Role::User, results), Some(instruction)]
        .into_iter()
        .flatten()
        .collect()
}

/// The call of the output tool whose input is the text of a response. The input of a call is always an object.
fn output_call(required: &RequiredOutput, response: &ReceivedOutput) -> Option<ToolCall> {
    let name = required.json_tool()?.to_owned();
    let input: Value = serde_json::from_str(&response.text).ok()?;
    input.is_object().then(|| ToolCall { id: String::new(), name, input })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::completion::required_output::{AllowedTools, RequiredContent};

    fn messages(required: &RequiredOutput, text: &str, dropped: &[&str], violation: &Violation) -> Value {
        let dropped =
            dropped.iter().map(|name| ToolCall { id: "1".into(), name: (*name).into(), input: json!({}) });
        let outcome = ReceivedOutput { text: text.into(), ..ReceivedOutput::default() };
        let names = ToolNameMap::default();
        json!(retry_messages(required, &outcome, dropped.collect(), violation, &names))
    }

    #[test]
    fn invalid_json_gets_an_error_of_its_tool() {
        let content = RequiredContent::Json { tool: "person".into(), schema: json!({}) };
        let required = RequiredOutput { content, ..RequiredOutput::default() };
        let violation = Violation::BadJson("at /age: too old".into());
        assert_eq!(
            messages(&required, r#"{"age":900}"#, &[], &violation),
            json!([
                { "role": "assistant", "parts": [
                    { "type": "tool_call", "id": "call_to_correct_1", "name": "person", "input": { "age": 900 } },
                ] },
                { "role": "user", "parts": [
                    { "type": "tool_result", "id": "call_to_correct_1", "is_error": true, "content": [
                        { "type": "text", "text": "at /age: too old. Call the tool again with that corrected." },
                    ] },
                ] },
                { "role": "user", "parts": [{ "type": "text", "text":
                    "at /age: too old. Give your answer, once you have it, by calling the tool `person`." }] },
            ])
        );
        let no_object = messages(&required, "36", &[], &violation);
        assert_eq!(no_object[0], json!({ "role": "assistant", "parts": [{ "type": "text", "text": "36" }] }));
        assert_eq!(no_object.as_array().map(Vec::len), Some(2));
    }

    #[test]
    fn dropped_call_gets_an_error_as_its_result() {
        let required = RequiredOutput { allowed: AllowedTools::Only(vec![]), ..RequiredOutput::default() };
        assert_eq!(
            messages(&required, "", &["f"], &Violation::NoAnswer),
            json!([
                { "role": "assistant", "parts": [
                    { "type": "tool_call", "id": "call_to_correct_1", "name": "f", "input": {} },
                ] },
                { "role": "user", "parts": [
                    { "type": "tool_result", "id": "call_to_correct_1", "is_error": true,
                      "content": [{ "type": "text", "text": NOT_RUN }] },
                ] },
                { "role": "user", "parts": [{ "type": "text", "text":
                    "No answer came. Answer in words. Do not call any tool now." }] },
            ])
        );
    }
}
