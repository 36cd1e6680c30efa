//! Makes a question fit for a model: what of a conversation is sent to the editor, and how. Pure.

use serde_json::{Map, Value, json};

use crate::bridge::protocol::{Chat, ModelInfo};
use crate::conversation::{Conversation, Options, ToolChoice};

/// The question as the editor hears it.
pub fn chat(conversation: Conversation, model: &ModelInfo) -> Chat {
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

/// What Copilot's provider honours of these it takes, the rest it leaves.
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
