//! Finds the script and the phase that answer a conversation. Pure; `script` reads the directives.

use crate::conversation::{Content, Message, Part, Role, ToolResult};
use crate::simulator::script::{Directive, Script};

/// A phase to run.
#[derive(Clone, Debug, PartialEq)]
pub struct Selected {
    /// Directives, in order.
    pub phase: Vec<Directive>,
    /// The request takes part in the `stats:`; one that asks for them does not.
    pub counts: bool,
}

/// The phase that answers these messages; `idle` is the reply where there is no directive.
pub fn selected(messages: &[Message], idle: &Directive) -> Selected {
    let answers = |message: &Message| message.role == Role::Assistant;
    let (before, tail) = messages.split_at(messages.iter().rposition(answers).map_or(0, |last| last + 1));

    let result_at = tail.iter().rposition(|message| message.parts.iter().any(|part| result(part).is_some()));
    if let Some(script) = tail.iter().skip(result_at.unwrap_or(0)).rev().find_map(asked_after_results) {
        return run(&script, 0).unwrap_or_else(|| phase_of(idle.clone()));
    }
    if result_at.is_none() {
        return phase_of(idle.clone());
    }
    next_phase(before).unwrap_or_else(|| phase_of(Directive::Say(format!("tool said: {}", results(tail)))))
}

/// The script of the last message that holds one runs on, a phase for each answer since.
fn next_phase(before: &[Message]) -> Option<Selected> {
    let (at, script) =
        before.iter().enumerate().rev().find_map(|(at, message)| Some((at, script(message)?)))?;
    let answers = before.iter().skip(at).filter(|message| message.role == Role::Assistant).count();
    run(&script, answers)
}

fn run(script: &Script, phase: usize) -> Option<Selected> {
    Some(Selected { phase: script.phase(phase)?.to_vec(), counts: !script.asks_for_stats() })
}

fn phase_of(directive: Directive) -> Selected {
    Selected { phase: vec![directive], counts: true }
}

fn script(message: &Message) -> Option<Script> {
    (message.role == Role::User).then(|| Script::of(&message.parts))?
}

/// The message's whole script, if it has a directive after its last tool result.
fn asked_after_results(message: &Message) -> Option<Script> {
    let whole = script(message)?;
    match message.parts.iter().rposition(|part| result(part).is_some()) {
        Some(last) => Script::of(message.parts.iter().skip(last + 1)).map(|_| whole),
        None => Some(whole),
    }
}

fn result(part: &Part) -> Option<&ToolResult> {
    match part {
        Part::ToolResult(result) => Some(result),
        _ => None,
    }
}

fn results(tail: &[Message]) -> String {
    let results = tail.iter().flat_map(|message| &message.parts).filter_map(result);
    results.map(result_text).collect::<Vec<_>>().join("\n")
}

/// The texts of a tool result, as one.
pub fn result_text(result: &ToolResult) -> String {
    let text = |content: &Content| match content {
        Content::Text { text } => text.clone(),
        Content::Data(_) => String::new(),
    };
    result.content.iter().map(text).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::conversation::{Data, ToolCall};

    const IDLE: &str = "nothing asked";

    fn idle() -> Directive {
        Directive::Say(IDLE.into())
    }

    fn user<const N: usize>(parts: [Part; N]) -> Message {
        Message { role: Role::User, name: None, parts: parts.into() }
    }

    fn asks(text: &str) -> Message {
        Message::text(Role::User, text)
    }

    fn assistant(text: &str) -> Message {
        Message::text(Role::Assistant, text)
    }

    fn calls(id: &str) -> Message {
        let call = ToolCall { id: id.into(), name: "get".into(), input: json!({}) };
        Message { role: Role::Assistant, name: None, parts: vec![Part::ToolCall(call)] }
    }

    fn result(id: &str, text: &str) -> Part {
        let image = Data { mime: "image/png".into(), base64: String::new() };
        Part::ToolResult(ToolResult {
            id: id.into(),
            content: vec![Content::Data(image), Content::Text { text: text.into() }],
            is_error: false,
        })
    }

    /// The text of phases that consist of `say:` only.
    fn selected_text(messages: &[Message]) -> String {
        let directive_text = |directive: &Directive| match directive {
            Directive::Say(text) => text.clone(),
            other => format!("{other:?}"),
        };
        selected(messages, &idle()).phase.iter().map(directive_text).collect::<Vec<_>>().join(" | ")
    }

    #[test]
    fn last_message_with_a_directive_is_selected() {
        assert_eq!(
            selected_text(&[asks("say:old"), assistant("old"), asks("say:one"), asks("say:two"), asks("hi")]),
            "two"
        );
    }

    #[test]
    fn request_without_directives_gets_the_default_text() {
        assert_eq!(selected_text(&[]), IDLE);
        assert_eq!(selected_text(&[asks("please say:no")]), IDLE);
        assert_eq!(selected_text(&[asks("hi"), assistant("say:no")]), IDLE);
        assert_eq!(selected_text(&[asks("say:old"), assistant("old"), asks("and now?")]), IDLE);
    }

    #[test]
    fn directives_of_tool_results_and_assistants_are_ignored() {
        assert_eq!(
            selected_text(&[asks("hi"), calls("1"), user([result("1", "say:no")])]),
            "tool said: say:no"
        );
        assert_eq!(
            selected_text(&[assistant("say:no\nthen:\nsay:no"), calls("1"), user([result("1", "a")])]),
            "tool said: a"
        );
    }

    #[test]
    fn number_of_tool_turns_selects_the_phase() {
        let mut messages = vec![asks("say:0\nthen:\nsay:1\nthen:\nsay:2")];
        let mut rounds = Vec::new();
        for round in ["a", "b", "c"] {
            rounds.push(selected_text(&messages));
            messages.extend([calls(round), user([result(round, round)])]);
        }
        rounds.push(selected_text(&messages));
        assert_eq!(rounds, ["0", "1", "2", "tool said: c"]);
    }

    #[test]
    fn phase_can_be_empty() {
        let messages = [asks("say:0\nthen:\nthen:"), calls("1"), user([result("1", "a")])];
        assert_eq!(selected(&messages, &idle()), Selected { phase: vec![], counts: true });
    }

    #[test]
    fn without_a_further_phase_tool_results_are_repeated() {
        assert_eq!(
            selected_text(&[asks("say:0"), calls("1"), user([result("1", "a b"), result("2", r"c\n")])]),
            "tool said: a b\nc\\n"
        );
        assert_eq!(
            selected_text(&[asks("hi"), calls("1"), user([result("1", "a")]), user([result("2", "b")])]),
            "tool said: a\nb"
        );
    }

    #[test]
    fn directive_after_the_last_result_starts_a_new_script() {
        let asked = [asks("say:0\nthen:\nsay:next"), calls("1")];
        let tail = |messages: &[Message]| selected_text(&[asked.as_slice(), messages].concat());
        assert_eq!(tail(&[user([result("1", "a"), Part::text("say:new")])]), "new");
        assert_eq!(tail(&[user([result("1", "a")]), asks("say:new")]), "new");
        assert_eq!(tail(&[user([result("1", "a"), Part::text("say:new"), result("2", "b")])]), "next");
        assert_eq!(tail(&[asks("say:new"), user([result("1", "a")])]), "next");
    }

    #[test]
    fn message_with_a_directive_after_its_results_runs_its_whole_script() {
        let mixed = user([Part::text("say:a"), result("1", "r"), Part::text("say:b")]);
        assert_eq!(selected_text(&[asks("hi"), calls("1"), mixed]), "a | b");
    }

    #[test]
    fn request_with_stats_does_not_count() {
        assert!(!selected(&[asks("stats:")], &idle()).counts);
        assert!(!selected(&[asks("say:a\nthen:\nstats:")], &idle()).counts);
        assert!(selected(&[asks("stats:"), assistant("{}"), asks("say:a")], &idle()).counts);
    }
}
