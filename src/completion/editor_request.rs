//! The editor's request, made from a conversation: a legal transcript, the options that the provider honours, and
//! its size. Pure.

use serde_json::{Map, Value, json};

use super::required_output::RequiredOutput;
use crate::bridge::protocol::{Chat, ModelInfo};
use crate::conversation::{Conversation, Options, ToolChoice};
use crate::failure::Failure;
use crate::tokens::{self, Count};
use crate::tools;
use crate::transcript::{self, names::ToolNameMap};

/// A request for the editor and what is needed to understand its response.
pub struct EditorRequest {
    /// The message for the editor.
    pub chat: Chat,
    /// Maps tool names that had to change back to the client's.
    pub names: ToolNameMap,
    /// Requirement on the response.
    pub required: RequiredOutput,
    /// The client's options, for the filters.
    pub options: Options,
    /// Tokens of the input.
    pub count: Count,
}

impl EditorRequest {
    /// Makes a conversation legal, adds the instructions for what is required, and counts it. Slow for a large one.
    pub fn of(conversation: Conversation, model: &ModelInfo) -> EditorRequest {
        let (conversation, required) = RequiredOutput::of(conversation);
        let (conversation, names) = transcript::legal(conversation);
        let options = conversation.options.clone();
        let chat = chat(conversation, model);
        let count = tokens::count_conversation(&chat.messages, &chat.tools);
        EditorRequest { chat, names, required, options, count }
    }

    /// The same, if the model takes its number of tools and its size.
    pub fn checked(conversation: Conversation, model: &ModelInfo) -> Result<EditorRequest, Failure> {
        let request = EditorRequest::of(conversation, model);
        tools::check_number(&request.chat.tools)?;
        // Copilot would drop the oldest messages without an error, a system prompt first of all.
        let (tokens, maximum) = (request.count.checked, model.max_input_tokens);
        if tokens > maximum { Err(Failure::TooLong { tokens, maximum }) } else { Ok(request) }
    }
}

/// The message that carries a legal conversation to the editor.
fn chat(conversation: Conversation, model: &ModelInfo) -> Chat {
    let Conversation { messages, tools, tool_choice, options } = conversation;
    let (tools, required) = match tool_choice {
        ToolChoice::None => (Vec::new(), false),
        ToolChoice::Auto => (tools, false),
        ToolChoice::Required => {
            let required = tools.len() == 1;
            (tools, required)
        }
        ToolChoice::Named(name) => (tools.into_iter().filter(|tool| tool.name == name).collect(), true),
    };
    Chat {
        vendor: model.vendor.clone(),
        model: model.id.clone(),
        messages,
        tools,
        required,
        options: model_options(&options),
        configuration: configuration(&options),
    }
}

/// The options as `modelOptions`: Copilot's provider takes what it honours and ignores the rest.
fn model_options(options: &Options) -> Map<String, Value> {
    let mut forwarded = Map::new();
    let mut send = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            forwarded.insert(name.into(), value);
        }
    };
    send("temperature", options.temperature.map(Value::from));
    send("top_p", options.top_p.map(Value::from));
    send("frequency_penalty", options.frequency_penalty.map(Value::from));
    send("presence_penalty", options.presence_penalty.map(Value::from));
    send("seed", options.seed.map(Value::from));
    send("max_tokens", options.max_tokens.map(Value::from));
    // A list would be dropped, even of one: the server looks for several itself.
    if let [stop] = options.stop.as_slice()
        && !options.tells_stop
    {
        send("stop", Some(json!(stop)));
    }
    forwarded
}

fn configuration(options: &Options) -> Map<String, Value> {
    let effort = options.reasoning_effort.iter();
    effort.map(|effort| ("reasoningEffort".to_owned(), json!(effort))).collect()
}
