//! Thinking of a request: what the provider is asked for, and which of the earlier thinking it gets back. Pure.
//!
//! Measured beside GitHub Copilot Chat 0.67: `modelOptions._enableThinking` switches the thinking of Claude on, and only
//! then an effort counts there; `configuration.reasoningEffort` reaches all other models. A level that a model does not
//! declare is dropped, except on OpenAI's Responses API, where it is passed on unchecked.

use crate::bridge::protocol::{Chat, ModelInfo, ProviderError};
use crate::conversation::{Conversation, Message, Options, Part, Role, ThinkingMode};

/// The lowest effort that every model with efforts has.
const LOWEST: &str = "low";

/// Removes thinking that another model made: its provider would reject it as forged.
pub(super) fn keep_own(conversation: &mut Conversation, model: &ModelInfo) {
    let is_own = |id: &str| {
        id == model.id
            || id.split_once('/').is_some_and(|(vendor, id)| vendor == model.vendor && id == model.id)
    };
    for message in &mut conversation.messages {
        message.parts.retain(|part| match part {
            Part::Thinking(thinking) => thinking.model.as_deref().is_some_and(is_own),
            _ => true,
        });
    }
}

/// Whether the model's thinking is switched on. It stays off while a tool loop goes on that began without thinking, or
/// whose thinking the client has not sent back: Anthropic's service rejects that.
pub(super) fn is_enabled(options: &Options, messages: &[Message]) -> bool {
    let is_wanted = match options.thinking {
        ThinkingMode::On => true,
        ThinkingMode::Off => false,
        ThinkingMode::Unset => options.reasoning_effort.is_some(),
    };
    is_wanted && !is_tool_loop_without_thinking(messages)
}

/// Effort for the provider.
pub(super) fn effort<'a>(options: &'a Options, model: &ModelInfo) -> Option<&'a str> {
    if options.thinking == ThinkingMode::Off {
        // A model that always thinks has no other way to think less.
        return Some(LOWEST);
    }
    match options.reasoning_effort.as_deref()? {
        // Copilot declares neither for any model.
        "none" | "minimal" => Some(LOWEST),
        // Only Claude has it; OpenAI's service rejects the request.
        "max" if !model.family.contains("claude") => Some("high"),
        level => Some(level),
    }
}

fn is_tool_loop_without_thinking(messages: &[Message]) -> bool {
    let has = |message: &Message, wanted: fn(&Part) -> bool| message.parts.iter().any(wanted);
    let mut turns = messages
        .iter()
        .rev()
        .take_while(|message| {
            message.role == Role::Assistant || has(message, |part| matches!(part, Part::ToolResult(_)))
        })
        .peekable();
    turns.peek().is_some_and(|newest| newest.role == Role::User)
        && !turns.any(|message| has(message, |part| matches!(part, Part::Thinking(_))))
}

/// The request with less thinking, if the service behind the provider rejected it for its thinking: first without that of
/// turns that called no tool, which no service needs, then without any. One signature that went bad must not end a session.
pub(super) fn without_rejected(error: &ProviderError, chat: &Chat) -> Option<Chat> {
    const SUBJECTS: [&str; 3] = ["thinking", "signature", "encrypted_content"];
    let sentence = error.message.strip_prefix("Request Failed: 400")?;
    SUBJECTS.iter().find(|subject| sentence.contains(**subject))?;
    let mut chat = chat.clone();
    chat.digests.clear();
    let calls = |message: &Message| message.parts.iter().any(|part| matches!(part, Part::ToolCall(_)));
    if remove_thinking(&mut chat.messages, |message| !calls(message)) {
        return Some(chat);
    }
    let was_enabled = chat.options.shift_remove(ENABLE).is_some();
    let removed = remove_thinking(&mut chat.messages, |_| true);
    (was_enabled || removed).then_some(chat)
}

/// Removes the thinking of these messages; false if they had none.
fn remove_thinking(messages: &mut [Message], of: impl Fn(&Message) -> bool) -> bool {
    let mut removed = false;
    for message in messages.iter_mut().filter(|message| of(message)) {
        let before = message.parts.len();
        message.parts.retain(|part| !matches!(part, Part::Thinking(_)));
        removed |= message.parts.len() < before;
    }
    removed
}

/// Name of the model option that switches Claude's thinking on.
pub(super) const ENABLE: &str = "_enableThinking";

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::conversation::{Thinking, ToolCall, ToolResult};

    fn model(family: &str) -> ModelInfo {
        ModelInfo { vendor: "copilot".into(), id: "m".into(), family: family.into(), ..ModelInfo::default() }
    }

    fn of_model(model: Option<&str>) -> Part {
        Part::Thinking(Thinking { model: model.map(Into::into), id: Some("1".into()), ..Thinking::default() })
    }

    fn assistant(parts: Vec<Part>) -> Message {
        Message { role: Role::Assistant, name: None, parts }
    }

    fn call() -> Part {
        Part::ToolCall(ToolCall { id: "1".into(), name: "get".into(), input: json!({}) })
    }

    fn results(more: Vec<Part>) -> Message {
        let result = Part::ToolResult(ToolResult { id: "1".into(), content: vec![], is_error: false });
        Message { role: Role::User, name: None, parts: [vec![result], more].concat() }
    }

    #[test]
    fn only_thinking_of_the_same_model_is_sent_back() {
        for (of, goes_back) in [
            (Some("m"), true),
            (Some("copilot/m"), true),
            (Some("other/m"), false),
            (Some("n"), false),
            (None, false),
        ] {
            let messages = vec![assistant(vec![of_model(of), Part::text("a")])];
            let mut conversation = Conversation { messages, ..Conversation::default() };
            keep_own(&mut conversation, &model("gpt"));
            assert_eq!(conversation.messages[0].parts.len(), 1 + usize::from(goes_back), "{of:?}");
        }
    }

    #[test]
    fn thinking_is_switched_on_as_asked() {
        let options = |thinking, effort: Option<&str>| Options {
            thinking,
            reasoning_effort: effort.map(Into::into),
            ..Options::default()
        };
        let ask = [Message::text(Role::User, "hi")];
        let cases = [
            (ThinkingMode::Unset, None, false, None),
            (ThinkingMode::Unset, Some("high"), true, Some("high")),
            (ThinkingMode::On, None, true, None),
            (ThinkingMode::On, Some("minimal"), true, Some("low")),
            (ThinkingMode::On, Some("xhigh"), true, Some("xhigh")),
            (ThinkingMode::Off, Some("high"), false, Some("low")),
            (ThinkingMode::Off, None, false, Some("low")),
        ];
        for (mode, level, enabled, sent) in cases {
            let options = options(mode, level);
            assert_eq!(is_enabled(&options, &ask), enabled, "{mode:?} {level:?}");
            assert_eq!(effort(&options, &model("gpt-5")), sent, "{mode:?} {level:?}");
        }
        let most = options(ThinkingMode::On, Some("max"));
        assert_eq!(effort(&most, &model("gpt-5")), Some("high"));
        assert_eq!(effort(&most, &model("claude-opus-4.6")), Some("max"));
    }

    #[test]
    fn thinking_stays_off_in_a_tool_loop_that_has_none() {
        let on = Options { thinking: ThinkingMode::On, ..Options::default() };
        let ask = || Message::text(Role::User, "hi");
        let thought = || assistant(vec![of_model(Some("m")), call()]);
        let plain = || assistant(vec![call()]);
        let continued = || results(vec![Part::text("Continue.")]);
        for (messages, enabled) in [
            (vec![ask(), plain(), results(vec![])], false),
            (vec![ask(), plain(), continued()], false),
            (vec![ask(), thought(), continued()], true),
            (vec![ask(), thought(), results(vec![]), plain(), results(vec![])], true),
            (vec![ask(), thought(), results(vec![]), ask(), plain(), results(vec![])], false),
            (vec![ask(), plain(), results(vec![]), assistant(vec![Part::text("a")]), ask()], true),
        ] {
            assert_eq!(is_enabled(&on, &messages), enabled, "{messages:?}");
        }
    }

    #[test]
    fn request_that_was_rejected_for_its_thinking_is_sent_without() {
        let chat: Chat = serde_json::from_value(json!({
            "vendor": "copilot", "model": "m", "tools": [], "required": false,
            "options": {"_enableThinking": true, "temperature": 1},
            "messages": [
                assistant(vec![of_model(Some("m")), Part::text("a")]),
                assistant(vec![of_model(Some("m")), call()]),
            ],
        }))
        .unwrap();
        let error =
            |message: &str| ProviderError { name: "Error".into(), code: None, message: message.into() };
        let invalid = error("Request Failed: 400 {\"message\":\"Invalid `signature` in `thinking` block\"}");
        let less = without_rejected(&invalid, &chat).unwrap();
        assert_eq!(
            less.messages,
            [assistant(vec![Part::text("a")]), assistant(vec![of_model(None), call()])]
        );
        assert_eq!(less.options, chat.options);
        let plain = without_rejected(&invalid, &less).unwrap();
        assert_eq!(plain.messages, [assistant(vec![Part::text("a")]), assistant(vec![call()])]);
        assert_eq!(json!(plain.options), json!({"temperature": 1}));
        assert_eq!(without_rejected(&invalid, &plain), None);
        for other in ["Request Failed: 400 {\"message\":\"bad tool\"}", "Server error: 500 thinking"] {
            assert_eq!(without_rejected(&error(other), &chat), None);
        }
    }
}
