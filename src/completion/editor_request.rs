//! Builds the editor's request from a conversation: a legal transcript, the options that the provider honors, and
//! the size in tokens. Pure.

use serde_json::{Map, Value, json};

use super::auto_prompt;
use super::image_limit;
use super::required_output::RequiredOutput;
use super::thinking;
use super::verbosity;
use crate::bridge::protocol::{Chat, ModelInfo};
use crate::conversation::{Conversation, Digest, Message, Options, Part, Role, ToolChoice};
use crate::failure::Failure;
use crate::models::auto;
use crate::prompt_prefix::{Fingerprint, PrefixStore};
use crate::tokens::{self, Count};
use crate::tools;
use crate::transcript::{self, names::ToolNameMap};

/// Context size in tokens that no window exceeds. A smaller one than the window would be the limit that Copilot trims to.
const WHOLE_WINDOW: u64 = 100_000_000;

/// A request for the editor, with the values that its response is read with.
pub struct EditorRequest {
    /// The message for the editor.
    pub chat: Chat,
    /// Maps the tool names sent to the editor back to the client's.
    pub names: ToolNameMap,
    /// Requirement on the response.
    pub required: RequiredOutput,
    /// The client's options, for the filters.
    pub options: Options,
    /// Input tokens, by both measures.
    pub count: Count,
    /// Number of messages without the server's own ones at the end, which hold for one turn.
    lasting_messages: usize,
    /// Whether the first message is the system text.
    has_system: bool,
}

impl EditorRequest {
    /// Makes the transcript legal, adds the instructions for required output and counts tokens. Takes time that grows
    /// with the conversation: call it through `blocking::run`.
    pub fn build(mut conversation: Conversation, model: &ModelInfo, tier: Option<&str>) -> EditorRequest {
        if let Some(maximum) = image_limit::maximum(model) {
            image_limit::apply(&mut conversation.messages, maximum);
        }
        thinking::keep_own(&mut conversation, model);
        let (conversation, required) = RequiredOutput::extract(conversation);
        let has_system = has_system(&conversation.messages);
        let (mut conversation, names) = transcript::legal(conversation);
        if auto::is_auto(model) {
            auto_prompt::add_words(&mut conversation.messages);
        }
        // Messages of their own after those of the client, so that the prefix is the same in the next turn.
        let lasting_messages = conversation.messages.len();
        verbosity::instruct(&mut conversation);
        let instruction = required.instruction(&names);
        conversation.messages.extend(instruction.map(|text| Message::text(Role::User, text)));
        let options = conversation.options.clone();
        let chat = chat(conversation, model, tier);
        let count = tokens::count_digested(&chat.messages, &chat.digests, &chat.tools);
        EditorRequest { chat, names, required, options, count, lasting_messages, has_system }
    }

    /// Hashes of the request, for the comparison with the next one of its conversation.
    pub fn fingerprint(&self, prefixes: &PrefixStore) -> Option<Fingerprint> {
        Fingerprint::of(&self.chat, self.lasting_messages, self.has_system, &prefixes.hashing)
    }

    /// Builds the request; fails if it has too many tools or images, or has more than `maximum` tokens.
    pub fn build_checked(
        conversation: Conversation,
        model: &ModelInfo,
        tier: Option<&str>,
        maximum: u64,
    ) -> Result<EditorRequest, Failure> {
        if let Some(maximum) = image_limit::maximum(model) {
            image_limit::check(&conversation.messages, maximum)?;
        }
        let request = EditorRequest::build(conversation, model, tier);
        tools::check_count(&request.chat.tools)?;
        // Copilot would drop the oldest messages without an error, the system prompt first.
        let tokens = request.count.checked;
        if tokens > maximum { Err(Failure::TooLong { tokens, maximum }) } else { Ok(request) }
    }
}

/// Whether a conversation begins with system text, which becomes its first message.
fn has_system(messages: &[Message]) -> bool {
    let system = messages.iter().take_while(|message| message.role == Role::System);
    system
        .flat_map(|message| &message.parts)
        .any(|part| !matches!(part, Part::Text { text } if text.is_empty()))
}

/// Builds the message for the editor from a legal conversation.
fn chat(conversation: Conversation, model: &ModelInfo, tier: Option<&str>) -> Chat {
    let Conversation { messages, tools, tool_choice, options } = conversation;
    // The provider refuses to require a call of one of several tools. It gets the whole list in any case, so that its
    // cache keeps it.
    let required = tools.len() == 1
        && match &tool_choice {
            ToolChoice::Required | ToolChoice::Named(_) => true,
            ToolChoice::Allowed { is_required, .. } => *is_required,
            ToolChoice::None | ToolChoice::Auto => false,
        };
    let mut model_options = model_options(&options);
    if thinking::is_enabled(&options, &messages) {
        model_options.insert(thinking::ENABLE.into(), json!(true));
    }
    Chat {
        vendor: model.vendor.clone(),
        model: model.id.clone(),
        client: None,
        digests: Digest::of_all(&messages),
        messages,
        tools,
        required,
        options: model_options,
        configuration: configuration(&options, model, tier),
        include_encrypted_thinking: true,
    }
}

/// Builds the `modelOptions`. Copilot's provider ignores those that it doesn't know.
fn model_options(options: &Options) -> Map<String, Value> {
    let mut forwarded = Map::new();
    let mut forward = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            forwarded.insert(name.into(), value);
        }
    };
    forward("temperature", options.temperature.map(Value::from));
    forward("top_p", options.top_p.map(Value::from));
    forward("frequency_penalty", options.frequency_penalty.map(Value::from));
    forward("presence_penalty", options.presence_penalty.map(Value::from));
    forward("seed", options.seed.map(Value::from));
    forward("max_tokens", options.max_tokens.map(Value::from));
    // The provider ignores a list, even of one; the server looks for several itself.
    if let [stop] = options.stop.as_slice()
        && !options.reports_stop_sequence
    {
        forward("stop", Some(json!(stop)));
    }
    forwarded
}

/// Builds the `configuration`. Without a context size, Copilot trims the prompts of models with a long-context price to
/// the length at which that price begins, and drops the oldest messages without an error.
fn configuration(options: &Options, model: &ModelInfo, tier: Option<&str>) -> Map<String, Value> {
    let effort = thinking::effort(options, model).map(|effort| ("reasoningEffort", json!(effort)));
    let tier = tier.map(|tier| ("tier", json!(tier)));
    let settings = [("contextSize", json!(WHOLE_WINDOW))].into_iter().chain(effort).chain(tier);
    settings.map(|(name, value)| (name.to_owned(), value)).collect()
}
