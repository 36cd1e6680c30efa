//! Applies the edits of a conversation that its client asked for. Pure.

use std::collections::HashMap;

use serde_json::json;

use crate::conversation::{
    AppliedEdit, ClearToolUses, ClearedInputs, Content, ContextEdit, Conversation, Message, Part, Role,
    ToolResult, Trigger,
};
use crate::tokens;

/// Replaces a cleared result.
const CLEARED: &str = "[The result of this tool call was cleared, since the conversation is long.]";

/// Applies the edits that clear parts of the conversation, in their order.
pub fn apply(conversation: &mut Conversation) -> Vec<AppliedEdit> {
    let edits = std::mem::take(&mut conversation.options.context_edits);
    let applied = edits.iter().filter_map(|edit| match edit {
        ContextEdit::ClearToolUses(rules) => clear_tool_uses(conversation, rules),
        ContextEdit::ClearThinking { keep } => clear_thinking(conversation, *keep),
        ContextEdit::Compact { .. } => None,
    });
    applied.collect()
}

/// Tokens of the input.
pub fn count(conversation: &Conversation) -> u64 {
    tokens::count_conversation(&conversation.messages, &conversation.tools).estimated
}

fn clear_tool_uses(conversation: &mut Conversation, rules: &ClearToolUses) -> Option<AppliedEdit> {
    let before = count(conversation);
    let parts = || conversation.messages.iter().flat_map(|message| &message.parts);
    let names: HashMap<&str, &str> = parts()
        .filter_map(|part| match part {
            Part::ToolCall(call) => Some((call.id.as_str(), call.name.as_str())),
            _ => None,
        })
        .collect();
    let reached = match rules.trigger {
        Trigger::InputTokens(tokens) => before > tokens,
        Trigger::ToolUses(uses) => names.len() as u64 > uses,
    };
    if !reached {
        return None;
    }
    let results: Vec<(String, String)> = parts()
        .filter_map(|part| match part {
            Part::ToolResult(result) => {
                let name = names.get(result.id.as_str()).copied().unwrap_or_default();
                (!rules.exclude.iter().any(|excluded| excluded == name))
                    .then(|| (result.id.clone(), name.to_owned()))
            }
            _ => None,
        })
        .collect();
    let old = results.len().saturating_sub(rules.keep);
    let cleared: HashMap<&str, &str> =
        results.iter().take(old).map(|(id, name)| (id.as_str(), name.as_str())).collect();
    if cleared.is_empty() {
        return None;
    }
    let original = conversation.messages.clone();
    for part in conversation.messages.iter_mut().flat_map(|message| &mut message.parts) {
        match part {
            Part::ToolResult(result) if cleared.contains_key(result.id.as_str()) => clear(result),
            Part::ToolCall(call) => {
                let clears_input = cleared.get(call.id.as_str()).is_some_and(|name| match &rules.inputs {
                    ClearedInputs::None => false,
                    ClearedInputs::All => true,
                    ClearedInputs::Of(names) => names.iter().any(|listed| listed == name),
                });
                if clears_input {
                    call.input = json!({});
                }
            }
            _ => {}
        }
    }
    let tokens = before.saturating_sub(count(conversation));
    if tokens < rules.clear_at_least {
        conversation.messages = original;
        return None;
    }
    Some(AppliedEdit::ToolUses { cleared: cleared.len() as u64, tokens })
}

fn clear(result: &mut ToolResult) {
    result.content = vec![Content::Text { text: CLEARED.into() }];
}

fn clear_thinking(conversation: &mut Conversation, keep: usize) -> Option<AppliedEdit> {
    let thinks = |message: &&mut Message| {
        message.role == Role::Assistant && message.parts.iter().any(|part| matches!(part, Part::Thinking(_)))
    };
    let turns = conversation.messages.iter_mut().filter(thinks).count();
    let old = turns.saturating_sub(keep);
    if old == 0 {
        return None;
    }
    let mut tokens = 0;
    for message in conversation.messages.iter_mut().filter(thinks).take(old) {
        message.parts.retain(|part| match part {
            Part::Thinking(thinking) => {
                tokens += tokens::count_text(&thinking.text);
                false
            }
            _ => true,
        });
    }
    Some(AppliedEdit::Thinking { cleared: old as u64, tokens })
}

/// The rest of a conversation after its summary: the system text, the summary, and the newest turn of the user.
pub fn compacted(conversation: Conversation, summary: Message) -> Conversation {
    let messages = conversation.messages;
    let newest =
        messages.iter().rposition(|message| message.role == Role::Assistant).map_or(0, |last| last + 1);
    let head = messages.iter().take_while(|message| message.role == Role::System).count();
    let mut kept: Vec<Message> = Vec::new();
    let mut summary = Some(summary);
    for (index, message) in messages.into_iter().enumerate() {
        if index >= head {
            kept.extend(summary.take());
        }
        if index < head || index >= newest {
            kept.push(message);
        }
    }
    kept.extend(summary);
    Conversation { messages: kept, ..conversation }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conversation::{Thinking, ToolCall};

    fn conversation() -> Conversation {
        let mut messages = vec![Message::text(Role::User, "look")];
        for (id, name) in [("1", "read"), ("2", "memory"), ("3", "read"), ("4", "read")] {
            let thinking = Part::Thinking(Thinking {
                text: "Hm, a file.".into(),
                id: Some(id.into()),
                ..Thinking::default()
            });
            let call = ToolCall { id: id.into(), name: name.into(), input: json!({ "path": "a" }) };
            let parts = vec![thinking, Part::ToolCall(call)];
            messages.push(Message { role: Role::Assistant, name: None, parts });
            let content = vec![Content::Text { text: "one two three four ".repeat(50) }];
            let result = ToolResult { id: id.into(), content, is_error: false };
            messages.push(Message { role: Role::User, name: None, parts: vec![Part::ToolResult(result)] });
        }
        Conversation { messages, ..Conversation::default() }
    }

    fn rules() -> ClearToolUses {
        ClearToolUses {
            trigger: Trigger::InputTokens(100),
            keep: 1,
            clear_at_least: 0,
            exclude: vec!["memory".into()],
            inputs: ClearedInputs::None,
        }
    }

    fn edited(edit: ContextEdit) -> (Conversation, Vec<AppliedEdit>) {
        let mut conversation = conversation();
        conversation.options.context_edits = vec![edit];
        let applied = apply(&mut conversation);
        (conversation, applied)
    }

    fn cleared_results(conversation: &Conversation) -> Vec<&str> {
        let mut cleared = Vec::new();
        for part in conversation.messages.iter().flat_map(|message| &message.parts) {
            if let Part::ToolResult(result) = part
                && result.content == [Content::Text { text: CLEARED.into() }]
            {
                cleared.push(result.id.as_str());
            }
        }
        cleared
    }

    #[test]
    fn old_results_are_cleared_except_the_latest_and_excluded_ones() {
        let (conversation, applied) = edited(ContextEdit::ClearToolUses(rules()));
        assert_eq!(cleared_results(&conversation), ["1", "3"]);
        let [AppliedEdit::ToolUses { cleared: 2, tokens }] = applied[..] else { panic!("{applied:?}") };
        assert!(tokens > 200, "{tokens}");
    }

    #[test]
    fn nothing_is_cleared_below_the_trigger_or_for_too_little() {
        for rules in [
            ClearToolUses { trigger: Trigger::InputTokens(100_000), ..rules() },
            ClearToolUses { trigger: Trigger::ToolUses(4), ..rules() },
            ClearToolUses { clear_at_least: 100_000, ..rules() },
            ClearToolUses { keep: 9, ..rules() },
        ] {
            let (after, applied) = edited(ContextEdit::ClearToolUses(rules));
            assert_eq!((after.messages, applied), (conversation().messages, vec![]));
        }
    }

    #[test]
    fn inputs_are_cleared_on_request() {
        let inputs = |inputs| {
            let rules = ClearToolUses { inputs, trigger: Trigger::ToolUses(3), exclude: vec![], ..rules() };
            let (after, _) = edited(ContextEdit::ClearToolUses(rules));
            let parts = after.messages.into_iter().flat_map(|message| message.parts);
            let empty = parts.filter(|part| matches!(part, Part::ToolCall(call) if call.input == json!({})));
            empty.count()
        };
        assert_eq!(inputs(ClearedInputs::None), 0);
        assert_eq!(inputs(ClearedInputs::All), 3);
        assert_eq!(inputs(ClearedInputs::Of(vec!["memory".into()])), 1);
    }

    #[test]
    fn thinking_of_old_turns_is_removed() {
        let (after, applied) = edited(ContextEdit::ClearThinking { keep: 1 });
        let parts = after.messages.iter().flat_map(|message| &message.parts);
        assert_eq!(parts.filter(|part| matches!(part, Part::Thinking(_))).count(), 1);
        assert!(matches!(applied[..], [AppliedEdit::Thinking { cleared: 3, tokens: 12.. }]), "{applied:?}");
        assert_eq!(edited(ContextEdit::ClearThinking { keep: usize::MAX }).1, []);
    }

    #[test]
    fn compacted_conversation_keeps_system_text_and_the_newest_turn() {
        let text = Message::text;
        let conversation = Conversation {
            messages: vec![
                text(Role::System, "Be brief."),
                text(Role::User, "one"),
                text(Role::Assistant, "two"),
                text(Role::User, "three"),
            ],
            ..Conversation::default()
        };
        let summary = || text(Role::User, "summary");
        assert_eq!(
            compacted(conversation, summary()).messages,
            [text(Role::System, "Be brief."), summary(), text(Role::User, "three")]
        );
        let first = Conversation {
            messages: vec![text(Role::System, "s"), text(Role::User, "one")],
            ..Conversation::default()
        };
        assert_eq!(
            compacted(first, summary()).messages,
            [text(Role::System, "s"), summary(), text(Role::User, "one")]
        );
    }
}
