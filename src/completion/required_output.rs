//! Requirements on a response, and the tool calls that it may have. The provider passes a tool choice on to some models
//! only, so the model is instructed in words, and `retry` validates the response with this module. Pure.

use serde_json::{Value, json};

use super::json_schema;
use crate::conversation::{Conversation, Finish, Output, Tool, ToolChoice};
use crate::transcript::names::ToolNameMap;

/// Requirement on a response.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RequiredOutput {
    /// Tools that the model may call.
    pub allowed: AllowedTools,
    /// Content that the response must have.
    pub content: RequiredContent,
}

/// Tools that the model may call in a response, by the names that the client knows.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum AllowedTools {
    /// All, whatever the model calls.
    #[default]
    All,
    /// All tools of the client.
    Client(Vec<String>),
    /// Only these.
    Only(Vec<String>),
}

impl AllowedTools {
    /// The names, unless all calls are passed on.
    pub fn names(&self) -> Option<&[String]> {
        match self {
            AllowedTools::All => None,
            AllowedTools::Client(names) | AllowedTools::Only(names) => Some(names),
        }
    }
}

/// Content that a response must have.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum RequiredContent {
    /// Anything, an empty response too, as long as no call was dropped from it.
    #[default]
    Anything,
    /// A call of an allowed tool.
    Call,
    /// JSON that fits the schema, as the input of the tool or as text.
    Json {
        /// Name of the output tool, whose input is the JSON.
        tool: String,
        /// JSON Schema that the output must fit.
        schema: Value,
    },
}

/// A complete response, as the validation sees it.
#[derive(Clone, Debug, Default)]
pub struct ReceivedOutput {
    /// Text of the response.
    pub text: String,
    /// Whether a call was passed on.
    pub has_call: bool,
    /// Whether a call was dropped.
    pub has_dropped_call: bool,
    /// Reason for the end.
    pub finish: Finish,
}

/// Violation of a requirement.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// A call was required, and none came.
    #[error("the model did not call a tool as `tool_choice` demands")]
    NoCall,
    /// All that came were calls that were dropped.
    #[error("the model called only tools that `tool_choice` forbids, and gave no answer")]
    NoAnswer,
    /// The answer is not the JSON that was required.
    #[error("{0}")]
    BadJson(String),
}

/// Every type of JSON.
const ANY_TYPE: [&str; 6] = ["object", "array", "string", "number", "boolean", "null"];

/// Instruction for the model if it must call one of all tools.
const CALL_A_TOOL: &str = "Answer by calling one of the tools. Do not answer in words alone.";

impl RequiredOutput {
    /// Takes the requirement from a conversation's options and tool choice; adds the output tool to the conversation.
    /// The tools of the client stay as they are, so that the provider's cache keeps them from turn to turn.
    pub fn extract(mut conversation: Conversation) -> (Conversation, RequiredOutput) {
        let client_tools: Vec<String> = conversation.tools.iter().map(|tool| tool.name.clone()).collect();
        let json = add_output_tool(&mut conversation);
        if client_tools.is_empty() {
            // Nothing but the output tool can be called.
            let output_tool = json.as_ref().map(|(tool, _)| tool.clone());
            conversation.tool_choice = output_tool.map_or(ToolChoice::Auto, ToolChoice::Named);
            let content = json
                .map_or(RequiredContent::Anything, |(tool, schema)| RequiredContent::Json { tool, schema });
            return (conversation, RequiredOutput { allowed: AllowedTools::All, content });
        }
        let (allowed, is_call_required) = match &conversation.tool_choice {
            ToolChoice::Auto => (AllowedTools::All, false),
            ToolChoice::None => (AllowedTools::Only(Vec::new()), false),
            ToolChoice::Required => (AllowedTools::Client(client_tools), true),
            ToolChoice::Named(name) => (AllowedTools::Only(vec![name.clone()]), true),
            ToolChoice::Allowed { names, is_required } => {
                let offered = names.iter().filter(|name| client_tools.contains(name)).cloned();
                (AllowedTools::Only(offered.collect()), *is_required)
            }
        };
        let content = match json {
            _ if is_call_required => RequiredContent::Call,
            None => RequiredContent::Anything,
            Some((tool, schema)) => RequiredContent::Json { tool, schema },
        };
        (conversation, RequiredOutput { allowed, content })
    }

    /// Whether any response is valid.
    pub fn is_empty(&self) -> bool {
        self.allowed == AllowedTools::All && self.content == RequiredContent::Anything
    }

    /// Whether text must not reach the client before the response is known to be valid.
    pub fn holds_text(&self) -> bool {
        self.content != RequiredContent::Anything
    }

    /// Instruction for the model, the last message of the request; `names` are the editor's names of the tools.
    pub fn instruction(&self, names: &ToolNameMap) -> Option<String> {
        let quoted = |name: &str| format!("`{}`", names.to_editor(name.to_owned()));
        let list = |names: &[String]| names.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(", ");
        let allowed = match &self.allowed {
            AllowedTools::All | AllowedTools::Client(_) => None,
            AllowedTools::Only(names) => Some(names.as_slice()),
        };
        Some(match (&self.content, allowed) {
            (RequiredContent::Anything, None) => return None,
            (RequiredContent::Anything, Some([])) => "Answer in words. Do not call any tool now.".into(),
            (RequiredContent::Anything, Some(names)) => {
                format!("The only tools that you may call now: {}.", list(names))
            }
            (RequiredContent::Call, None) => CALL_A_TOOL.into(),
            (RequiredContent::Call, Some([name])) => {
                let name = quoted(name);
                format!("Answer by calling the tool {name}, and no other tool. Do not answer in words alone.")
            }
            (RequiredContent::Call, Some(names)) => {
                let names = list(names);
                format!("Answer by calling one of the tools {names}. Do not answer in words alone.")
            }
            (RequiredContent::Json { tool, .. }, None) => {
                format!("Give your answer, once you have it, by calling the tool {}.", quoted(tool))
            }
            (RequiredContent::Json { tool, .. }, Some([])) => {
                format!(
                    "Give your answer by calling the tool {}. Do not call any other tool now.",
                    quoted(tool)
                )
            }
            (RequiredContent::Json { tool, .. }, Some(names)) => {
                let (tool, names) = (quoted(tool), list(names));
                format!(
                    "Give your answer, once you have it, by calling the tool {tool}. The only other tools that you \
                     may call now: {names}."
                )
            }
        })
    }

    /// Validates a response. One that was truncated or filtered counts as valid, since a retry wouldn't help.
    pub fn validate(&self, response: &ReceivedOutput) -> Result<(), Violation> {
        if !matches!(response.finish, Finish::Stop | Finish::ToolCalls) || response.has_call {
            // A call is valid in place of JSON too: the client runs it and sends the next request.
            return Ok(());
        }
        match &self.content {
            RequiredContent::Anything if response.has_dropped_call && response.text.trim().is_empty() => {
                Err(Violation::NoAnswer)
            }
            RequiredContent::Anything => Ok(()),
            RequiredContent::Call => Err(Violation::NoCall),
            RequiredContent::Json { schema, .. } => {
                schema_error(&response.text, schema).map_or(Ok(()), |error| Err(Violation::BadJson(error)))
            }
        }
    }

    /// Names of the tools whose calls are passed on, the output tool included; `None` = all.
    pub fn allowed_calls(&self) -> Option<Vec<String>> {
        let names = self.allowed.names()?;
        Some(names.iter().map(String::as_str).chain(self.json_tool()).map(str::to_owned).collect())
    }

    /// Name of the tool whose call becomes the text of the response.
    pub fn json_tool(&self) -> Option<&str> {
        match &self.content {
            RequiredContent::Json { tool, .. } => Some(tool),
            RequiredContent::Anything | RequiredContent::Call => None,
        }
    }
}

/// Adds a tool whose input has the schema that the client wants, since the provider takes schemas only for tools.
/// Returns its name and the schema.
fn add_output_tool(conversation: &mut Conversation) -> Option<(String, Value)> {
    let (mut name, description, schema) = match std::mem::take(&mut conversation.options.output) {
        Output::Text => return None,
        Output::Json => (
            "answer".to_owned(),
            "The whole answer, as a JSON object".to_owned(),
            json!({ "type": "object", "additionalProperties": true }),
        ),
        Output::Schema { name, description, schema } => {
            (name, description.unwrap_or_else(|| "The whole answer, in this form".into()), schema)
        }
    };
    while conversation.tools.iter().any(|tool| tool.name == name) {
        name.push_str("_output");
    }
    // An empty schema takes any JSON, but a tool with one takes no input.
    let input_schema = if schema == json!({}) { json!({ "type": ANY_TYPE }) } else { schema.clone() };
    conversation.tools.push(Tool { name: name.clone(), description, input_schema: Some(input_schema) });
    Some((name, schema))
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
    use crate::conversation::{Message, Options, Role};

    fn person() -> Value {
        json!({ "type": "object", "properties": { "age": { "type": "integer" } }, "required": ["age"] })
    }

    fn json() -> RequiredContent {
        RequiredContent::Json { tool: "person".into(), schema: person() }
    }

    fn only(names: &[&str]) -> AllowedTools {
        AllowedTools::Only(names.iter().map(ToString::to_string).collect())
    }

    /// The tools of the request, the requirement and the instruction for a request with these tools.
    fn extracted(
        tools: &[&str],
        tool_choice: ToolChoice,
        has_schema: bool,
    ) -> (Vec<String>, RequiredOutput, Option<String>) {
        let tool =
            |name: &&str| Tool { name: (*name).into(), description: String::new(), input_schema: None };
        let schema = Output::Schema { name: "person".into(), description: None, schema: person() };
        let output = if has_schema { schema } else { Output::Text };
        let conversation = Conversation {
            messages: vec![Message::text(Role::User, "who?")],
            tools: tools.iter().map(tool).collect(),
            tool_choice,
            options: Options { output, ..Options::default() },
        };
        let names = ToolNameMap::of(&conversation);
        let (conversation, required) = RequiredOutput::extract(conversation);
        assert_eq!(conversation.messages.len(), 1);
        let instruction = required.instruction(&names);
        (conversation.tools.into_iter().map(|tool| tool.name).collect(), required, instruction)
    }

    #[test]
    fn tools_stay_the_same_for_every_tool_choice() {
        use RequiredContent::{Anything, Call};
        let named = || ToolChoice::Named("b".into());
        let allowed = |is_required| ToolChoice::Allowed { names: vec!["a".into(), "c".into()], is_required };
        let client = || AllowedTools::Client(vec!["a".into(), "b".into(), "c".into()]);
        for (choice, text, with_schema) in [
            (ToolChoice::Auto, (AllowedTools::All, Anything), json()),
            (ToolChoice::None, (only(&[]), Anything), json()),
            (ToolChoice::Required, (client(), Call), Call),
            (named(), (only(&["b"]), Call), Call),
            (allowed(false), (only(&["a", "c"]), Anything), json()),
            (allowed(true), (only(&["a", "c"]), Call), Call),
        ] {
            let (tools, required, instruction) = extracted(&["a", "b", "c"], choice.clone(), false);
            assert_eq!(tools, ["a", "b", "c"], "{choice:?}");
            assert_eq!((&required.allowed, &required.content), (&text.0, &text.1), "{choice:?}");
            assert_eq!(instruction.is_none(), choice == ToolChoice::Auto, "{choice:?}");
            let (tools, required, instruction) = extracted(&["a", "b", "c"], choice.clone(), true);
            assert_eq!(tools, ["a", "b", "c", "person"], "{choice:?}");
            assert_eq!((&required.allowed, &required.content), (&text.0, &with_schema), "{choice:?}");
            assert!(instruction.is_some(), "{choice:?}");
        }
    }

    #[test]
    fn without_tools_only_a_schema_is_a_requirement() {
        for choice in [ToolChoice::Auto, ToolChoice::None] {
            let (tools, required, instruction) = extracted(&[], choice.clone(), false);
            assert!(tools.is_empty() && required.is_empty() && instruction.is_none(), "{choice:?}");
            let (tools, required, instruction) = extracted(&[], choice, true);
            assert_eq!((tools, required.content), (vec!["person".into()], json()));
            let expected = "Give your answer, once you have it, by calling the tool `person`.";
            assert_eq!(instruction.as_deref(), Some(expected));
        }
    }

    #[test]
    fn output_tool_has_a_name_of_its_own() {
        let (tools, required, _) = extracted(&["person"], ToolChoice::Auto, true);
        assert_eq!(tools, ["person", "person_output"]);
        assert_eq!(required.json_tool(), Some("person_output"));
    }

    #[test]
    fn instruction_has_the_names_that_the_model_knows() {
        let named = ToolChoice::Named("fs.read".into());
        let (.., instruction) = extracted(&["fs.read", "b"], named, false);
        let expected =
            "Answer by calling the tool `fs_read`, and no other tool. Do not answer in words alone.";
        assert_eq!(instruction.as_deref(), Some(expected));
    }

    fn outcome(text: &str) -> ReceivedOutput {
        ReceivedOutput { text: text.into(), ..ReceivedOutput::default() }
    }

    #[test]
    fn json_is_validated_against_its_schema() {
        let required = RequiredOutput { content: json(), ..RequiredOutput::default() };
        let bad = |error: &str| Err(Violation::BadJson(error.into()));
        assert_eq!(required.validate(&outcome(r#"{"age":36}"#)), Ok(()));
        assert_eq!(
            required.validate(&outcome(r#"{"age":"old"}"#)),
            bad("The answer does not fit its schema: at /age: want integer, but got string")
        );
        assert_eq!(
            required.validate(&outcome("she is 36")),
            bad("The answer is not JSON: expected value at line 1 column 1")
        );
        assert_eq!(required.validate(&ReceivedOutput { finish: Finish::Length, ..outcome("{") }), Ok(()));
        assert_eq!(required.validate(&ReceivedOutput { has_call: true, ..outcome("") }), Ok(()));
    }

    #[test]
    fn missing_required_call_is_invalid() {
        let required = RequiredOutput { content: RequiredContent::Call, ..RequiredOutput::default() };
        assert_eq!(required.validate(&outcome("no")), Err(Violation::NoCall));
        assert_eq!(required.validate(&ReceivedOutput { has_call: true, ..outcome("") }), Ok(()));
        assert_eq!(required.validate(&ReceivedOutput { finish: Finish::Refusal, ..outcome("no") }), Ok(()));
    }

    #[test]
    fn response_of_dropped_calls_only_is_invalid() {
        let required = RequiredOutput { allowed: only(&[]), ..RequiredOutput::default() };
        let dropped = |text| ReceivedOutput { has_dropped_call: true, ..outcome(text) };
        assert_eq!(required.validate(&dropped(" \n")), Err(Violation::NoAnswer));
        assert_eq!(required.validate(&dropped("words")), Ok(()));
        assert_eq!(required.validate(&outcome("")), Ok(()));
    }
}
