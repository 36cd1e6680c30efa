//! Requirements on a response: a call of some tool, or JSON of a schema. Validated when the response is complete, and
//! retried once. Pure.

use serde_json::{Value, json};

use super::json_schema;
use crate::conversation::{
    Content, Conversation, Event, Finish, Message, Output, Part, Role, Tool, ToolCall, ToolChoice, ToolResult,
};

/// Requirement on a response.
#[derive(Clone, Debug, PartialEq)]
pub enum RequiredOutput {
    /// None.
    Nothing,
    /// A call of one of several tools: the provider can only be made to call a single one.
    SomeCall,
    /// JSON of this schema, as the input of this tool or as text.
    Json {
        /// The tool that carries it.
        tool: String,
        /// The schema that the JSON must fit.
        schema: Value,
    },
}

/// Instruction for the model when one of several tools must be called.
const CALL_A_TOOL: &str = "Answer by calling one of the tools. Do not answer in words alone.";

impl RequiredOutput {
    /// The requirement of a conversation, and the conversation with the instructions for it.
    pub fn of(mut conversation: Conversation) -> (Conversation, RequiredOutput) {
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

    /// Validates a response; returns the error for the model, or `None`. A response that was cut or filtered is taken
    /// as it is: a retry would not mend it.
    pub fn validate(&self, answer: &[Event]) -> Option<String> {
        let Some(Event::Finish(Finish::Stop | Finish::ToolCalls, _)) = answer.last() else { return None };
        let mut calls = answer.iter().filter_map(|event| match event {
            Event::ToolCall(call) => Some(call),
            _ => None,
        });
        match self {
            RequiredOutput::Nothing => None,
            RequiredOutput::SomeCall => calls.next().is_none().then(|| CALL_A_TOOL.into()),
            RequiredOutput::Json { schema, .. } => {
                // A call of another tool is an answer, too: the client runs it and asks again.
                if calls.next().is_some() { None } else { misfit(&text(answer), schema) }
            }
        }
    }

    /// The messages that ask once more.
    pub fn retry_messages(&self, answer: &[Event], error: &str) -> Vec<Message> {
        let said = text(answer);
        let tool = match self {
            RequiredOutput::Json { tool, .. } => serde_json::from_str(&said).ok().map(|input| (tool, input)),
            RequiredOutput::Nothing | RequiredOutput::SomeCall => None,
        };
        if let Some((name, input)) = tool {
            let id = "call_to_be_mended".to_owned();
            let call = ToolCall { id: id.clone(), name: name.clone(), input };
            let content =
                vec![Content::Text { text: format!("{error}. Call the tool again with that mended.") }];
            let result = ToolResult { id, content, is_error: true };
            return vec![
                Message { role: Role::Assistant, name: None, parts: vec![Part::ToolCall(call)] },
                Message { role: Role::User, name: None, parts: vec![Part::ToolResult(result)] },
            ];
        }
        let mut messages = Vec::new();
        if !said.is_empty() {
            messages.push(Message::text(Role::Assistant, said));
        }
        messages.push(Message::text(Role::User, error));
        messages
    }
}

/// The schema travels as a tool, the only thing the provider takes schemas for. Without other tools it must be called.
fn json_by_tool(
    conversation: &mut Conversation,
    name: &str,
    description: String,
    schema: Value,
) -> RequiredOutput {
    let offers = conversation.tool_choice != ToolChoice::None;
    if !offers {
        conversation.tools.clear();
    }
    let mut name = name.to_owned();
    while conversation.tools.iter().any(|tool| tool.name == name) {
        name.push_str("_output");
    }
    if conversation.tools.is_empty() {
        conversation.tool_choice = ToolChoice::Named(name.clone());
    } else {
        let ask = format!("Give your answer, once you have it, by calling the tool `{name}`.");
        conversation.messages.push(Message::text(Role::User, ask));
    }
    conversation.tools.push(Tool { name: name.clone(), description, input_schema: Some(schema.clone()) });
    RequiredOutput::Json { tool: name, schema }
}

fn text(answer: &[Event]) -> String {
    let words = answer.iter().filter_map(|event| match event {
        Event::Text(text) => Some(text.as_str()),
        _ => None,
    });
    words.collect()
}

/// Validates a text against a schema. What is no schema accepts everything: the provider reports that.
fn misfit(text: &str, schema: &Value) -> Option<String> {
    let found: Value = match serde_json::from_str(text.trim()) {
        Ok(found) => found,
        Err(error) => return Some(format!("The answer is not JSON: {error}")),
    };
    let errors = json_schema::errors(schema, &found);
    (!errors.is_empty()).then(|| format!("The answer does not fit its schema: {}", errors.join("; ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conversation::{Options, Usage};

    fn person() -> Value {
        json!({ "type": "object", "properties": { "age": { "type": "integer" } }, "required": ["age"] })
    }

    fn wanting(output: Output) -> Conversation {
        Conversation {
            messages: vec![Message::text(Role::User, "who?")],
            options: Options { output, ..Options::default() },
            ..Conversation::default()
        }
    }

    fn said(text: &str) -> [Event; 2] {
        [Event::Text(text.into()), Event::Finish(Finish::Stop, Usage::default())]
    }

    fn tool(name: &str) -> Tool {
        Tool { name: name.into(), description: String::new(), input_schema: None }
    }

    #[test]
    fn a_schema_travels_as_one_required_tool() {
        let schema = Output::Schema { name: "person".into(), description: None, schema: person() };
        let (conversation, required) = RequiredOutput::of(wanting(schema));
        assert_eq!(required, RequiredOutput::Json { tool: "person".into(), schema: person() });
        assert_eq!(conversation.tool_choice, ToolChoice::Named("person".into()));
        assert_eq!(conversation.tools.len(), 1);
        assert_eq!(conversation.messages.len(), 1);
    }

    #[test]
    fn beside_other_tools_it_is_asked_for_and_its_name_is_its_own() {
        let schema = Output::Schema { name: "look".into(), description: None, schema: person() };
        let (conversation, required) =
            RequiredOutput::of(Conversation { tools: vec![tool("look")], ..wanting(schema) });
        assert_eq!(required, RequiredOutput::Json { tool: "look_output".into(), schema: person() });
        assert_eq!(conversation.tool_choice, ToolChoice::Auto);
        assert_eq!(conversation.tools.len(), 2);
        assert_eq!(conversation.messages.len(), 2);
    }

    #[test]
    fn an_answer_is_held_against_its_schema() {
        let required = RequiredOutput::Json { tool: "person".into(), schema: person() };
        assert_eq!(required.validate(&said(r#"{"age":36}"#)), None);
        assert_eq!(
            required.validate(&said(r#"{"age":"old"}"#)),
            Some("The answer does not fit its schema: at /age: want integer, but got string".into())
        );
        assert_eq!(
            required.validate(&said("she is 36")),
            Some("The answer is not JSON: expected value at line 1 column 1".into())
        );
        let cut = [Event::Text("{".into()), Event::Finish(Finish::Length, Usage::default())];
        assert_eq!(required.validate(&cut), None);
    }

    #[test]
    fn what_does_not_fit_is_sent_back_as_the_tools_error() {
        let required = RequiredOutput::Json { tool: "person".into(), schema: person() };
        let messages = required.retry_messages(&said(r#"{"age":"old"}"#), "too old");
        assert!(matches!(messages.as_slice(), [_, Message { parts, .. }]
            if matches!(parts.as_slice(), [Part::ToolResult(ToolResult { is_error: true, .. })])));
        let messages = required.retry_messages(&said("36"), "no JSON object");
        assert_eq!(messages.len(), 2);
    }

    #[test]
    fn one_of_several_tools_must_be_called() {
        let conversation = Conversation {
            tools: vec![tool("a"), tool("b")],
            tool_choice: ToolChoice::Required,
            ..wanting(Output::Text)
        };
        let (_, required) = RequiredOutput::of(conversation);
        assert_eq!(required, RequiredOutput::SomeCall);
        assert!(required.validate(&said("no")).is_some());
        let call = ToolCall { id: "1".into(), name: "a".into(), input: json!({}) };
        let called = [Event::ToolCall(call), Event::Finish(Finish::ToolCalls, Usage::default())];
        assert_eq!(required.validate(&called), None);
    }
}
