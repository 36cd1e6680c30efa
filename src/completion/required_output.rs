//! Requirements on a response: a call of some tool, or JSON that fits a schema. `retry` validates a complete response
//! with it. Pure.

use serde_json::{Value, json};

use super::json_schema;
use crate::conversation::{
    Content, Conversation, Event, Finish, Message, Output, Part, Role, Tool, ToolCall, ToolChoice, ToolResult,
};

/// Requirement on a response.
#[derive(Clone, Debug, PartialEq)]
pub enum RequiredOutput {
    /// No requirement.
    Nothing,
    /// A call of one of several tools. The provider can require a call only of a single tool.
    SomeCall,
    /// JSON that fits the schema, as the input of the tool or as text.
    Json {
        /// Name of the output tool, whose input is the JSON.
        tool: String,
        /// JSON Schema that the output must fit.
        schema: Value,
    },
}

/// Instruction for the model if it must call one of several tools.
const CALL_A_TOOL: &str = "Answer by calling one of the tools. Do not answer in words alone.";

impl RequiredOutput {
    /// Takes the requirement from a conversation's options; adds its tool and instructions to the conversation.
    pub fn extract(mut conversation: Conversation) -> (Conversation, RequiredOutput) {
        let required = match std::mem::take(&mut conversation.options.output) {
            Output::Text => match &conversation.tool_choice {
                ToolChoice::Required if conversation.tools.len() > 1 => {
                    conversation.messages.push(Message::text(Role::User, CALL_A_TOOL));
                    RequiredOutput::SomeCall
                }
                _ => RequiredOutput::Nothing,
            },
            Output::Json => json_by_tool(
                &mut conversation,
                "answer",
                "The whole answer, as a JSON object".into(),
                json!({ "type": "object", "additionalProperties": true }),
            ),
            Output::Schema { name, description, schema } => json_by_tool(
                &mut conversation,
                &name,
                description.unwrap_or_else(|| "The whole answer, in this form".into()),
                schema,
            ),
        };
        (conversation, required)
    }

    /// Validates a response; returns the error for the model, or `None` if it is valid. A response that was cut or
    /// filtered counts as valid, since a retry wouldn't help.
    pub fn validate(&self, response: &[Event]) -> Option<String> {
        let Some(Event::Finish(Finish::Stop | Finish::ToolCalls, _)) = response.last() else { return None };
        let mut calls = response.iter().filter_map(|event| match event {
            Event::ToolCall(call) => Some(call),
            _ => None,
        });
        match self {
            RequiredOutput::Nothing => None,
            RequiredOutput::SomeCall => calls.next().is_none().then(|| CALL_A_TOOL.into()),
            RequiredOutput::Json { schema, .. } => {
                // A call of another tool is valid too: the client runs it and sends the next request.
                if calls.next().is_some() { None } else { schema_error(&text(response), schema) }
            }
        }
    }

    /// Messages for the retry: the response, and the error to correct.
    pub fn retry_messages(&self, response: &[Event], error: &str) -> Vec<Message> {
        let text = text(response);
        let tool = match self {
            RequiredOutput::Json { tool, .. } => serde_json::from_str(&text).ok().map(|input| (tool, input)),
            RequiredOutput::Nothing | RequiredOutput::SomeCall => None,
        };
        if let Some((name, input)) = tool {
            let id = "call_to_correct".to_owned();
            let call = ToolCall { id: id.clone(), name: name.clone(), input };
            let content =
                vec![Content::Text { text: format!("{error}. Call the tool again with that corrected.") }];
            let result = ToolResult { id, content, is_error: true };
            return vec![
                Message { role: Role::Assistant, name: None, parts: vec![Part::ToolCall(call)] },
                Message { role: Role::User, name: None, parts: vec![Part::ToolResult(result)] },
            ];
        }
        let mut messages = Vec::new();
        if !text.is_empty() {
            messages.push(Message::text(Role::Assistant, text));
        }
        messages.push(Message::text(Role::User, error));
        messages
    }
}

/// Adds a tool whose input has the schema, since the provider takes schemas only for tools. Without other tools, the
/// model must call it.
fn json_by_tool(
    conversation: &mut Conversation,
    name: &str,
    description: String,
    schema: Value,
) -> RequiredOutput {
    if conversation.tool_choice == ToolChoice::None {
        conversation.tools.clear();
    }
    let mut name = name.to_owned();
    while conversation.tools.iter().any(|tool| tool.name == name) {
        name.push_str("_output");
    }
    if conversation.tools.is_empty() {
        conversation.tool_choice = ToolChoice::Named(name.clone());
    } else {
        let instruction = format!("Give your answer, once you have it, by calling the tool `{name}`.");
        conversation.messages.push(Message::text(Role::User, instruction));
    }
    conversation.tools.push(Tool { name: name.clone(), description, input_schema: Some(schema.clone()) });
    RequiredOutput::Json { tool: name, schema }
}

/// Joins the text of a response.
fn text(response: &[Event]) -> String {
    let text = response.iter().filter_map(|event| match event {
        Event::Text(text) => Some(text.as_str()),
        _ => None,
    });
    text.collect()
}

/// Validates a text against a schema. An invalid schema accepts all JSON: the provider rejects it.
fn schema_error(text: &str, schema: &Value) -> Option<String> {
    let value: Value = match serde_json::from_str(text.trim()) {
        Ok(value) => value,
        Err(error) => return Some(format!("The answer is not JSON: {error}")),
    };
    let errors = json_schema::errors(schema, &value);
    (!errors.is_empty()).then(|| format!("The answer does not fit its schema: {}", errors.join("; ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conversation::{Options, Usage};

    fn person() -> Value {
        json!({ "type": "object", "properties": { "age": { "type": "integer" } }, "required": ["age"] })
    }

    fn conversation(output: Output) -> Conversation {
        Conversation {
            messages: vec![Message::text(Role::User, "who?")],
            options: Options { output, ..Options::default() },
            ..Conversation::default()
        }
    }

    fn response(text: &str) -> [Event; 2] {
        [Event::Text(text.into()), Event::Finish(Finish::Stop, Usage::default())]
    }

    fn tool(name: &str) -> Tool {
        Tool { name: name.into(), description: String::new(), input_schema: None }
    }

    #[test]
    fn schema_becomes_one_required_tool() {
        let schema = Output::Schema { name: "person".into(), description: None, schema: person() };
        let (conversation, required) = RequiredOutput::extract(conversation(schema));
        assert_eq!(required, RequiredOutput::Json { tool: "person".into(), schema: person() });
        assert_eq!(conversation.tool_choice, ToolChoice::Named("person".into()));
        assert_eq!(conversation.tools.len(), 1);
        assert_eq!(conversation.messages.len(), 1);
    }

    #[test]
    fn beside_other_tools_the_output_tool_is_optional_and_has_a_unique_name() {
        let schema = Output::Schema { name: "look".into(), description: None, schema: person() };
        let (conversation, required) =
            RequiredOutput::extract(Conversation { tools: vec![tool("look")], ..conversation(schema) });
        assert_eq!(required, RequiredOutput::Json { tool: "look_output".into(), schema: person() });
        assert_eq!(conversation.tool_choice, ToolChoice::Auto);
        assert_eq!(conversation.tools.len(), 2);
        assert_eq!(conversation.messages.len(), 2);
    }

    #[test]
    fn response_is_validated_against_its_schema() {
        let required = RequiredOutput::Json { tool: "person".into(), schema: person() };
        assert_eq!(required.validate(&response(r#"{"age":36}"#)), None);
        assert_eq!(
            required.validate(&response(r#"{"age":"old"}"#)),
            Some("The answer does not fit its schema: at /age: want integer, but got string".into())
        );
        assert_eq!(
            required.validate(&response("she is 36")),
            Some("The answer is not JSON: expected value at line 1 column 1".into())
        );
        let cut = [Event::Text("{".into()), Event::Finish(Finish::Length, Usage::default())];
        assert_eq!(required.validate(&cut), None);
    }

    #[test]
    fn invalid_json_is_returned_as_an_error_of_the_tool() {
        let required = RequiredOutput::Json { tool: "person".into(), schema: person() };
        let messages = required.retry_messages(&response(r#"{"age":"old"}"#), "too old");
        assert!(matches!(messages.as_slice(), [_, Message { parts, .. }]
            if matches!(parts.as_slice(), [Part::ToolResult(ToolResult { is_error: true, .. })])));
        let messages = required.retry_messages(&response("36"), "no JSON object");
        assert_eq!(messages.len(), 2);
    }

    #[test]
    fn response_without_a_required_call_is_invalid() {
        let conversation = Conversation {
            tools: vec![tool("a"), tool("b")],
            tool_choice: ToolChoice::Required,
            ..conversation(Output::Text)
        };
        let (_, required) = RequiredOutput::extract(conversation);
        assert_eq!(required, RequiredOutput::SomeCall);
        assert!(required.validate(&response("no")).is_some());
        let call = ToolCall { id: "1".into(), name: "a".into(), input: json!({}) };
        let called = [Event::ToolCall(call), Event::Finish(Finish::ToolCalls, Usage::default())];
        assert_eq!(required.validate(&called), None);
    }
}
