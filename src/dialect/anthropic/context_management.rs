//! `context_management`: edits that the client asks for, and the report of those that were applied.

use serde_json::{Map, Value, json};

use super::message::{Ending, Usage};
use super::{ContextOptions, ResponseOptions, wire};
use crate::conversation::{
    self, AppliedEdit, ClearToolUses, ClearedInputs, ContextChange, ContextEdit, Event, Finish, Trigger,
};
use crate::dialect::common::body_json::read_value;
use crate::dialect::common::string_or_object::WordOrObject;
use crate::failure::{Failure, ResultExt};

const CLEAR_TOOL_USES: &str = "clear_tool_uses_20250919";
const CLEAR_THINKING: &str = "clear_thinking_20251015";
const COMPACT: &str = "compact_20260112";

/// Anthropic's defaults.
const CLEAR_TRIGGER: u64 = 100_000;
const COMPACT_TRIGGER: u64 = 150_000;
const KEPT_TOOL_USES: usize = 3;
const KEPT_THINKING_TURNS: usize = 1;

/// The edits of a request.
#[derive(Default)]
pub struct ContextManagement {
    pub edits: Vec<ContextEdit>,
    /// `None` if the request has no `context_management`.
    pub options: Option<ContextOptions>,
}

/// Reads the field.
pub fn read(field: Option<wire::ContextManagement>) -> Result<ContextManagement, Failure> {
    let Some(wire::ContextManagement { edits }) = field else { return Ok(ContextManagement::default()) };
    let mut read = ContextManagement { edits: Vec::new(), options: Some(ContextOptions::default()) };
    for (index, edit) in edits.into_iter().flatten().enumerate() {
        read.add(edit).at(format_args!("context_management.edits[{index}]"))?;
    }
    Ok(read)
}

impl ContextManagement {
    fn add(&mut self, edit: Map<String, Value>) -> Result<(), Failure> {
        let edit = Value::Object(edit);
        let wire::Typed { kind } = read_value(&edit)?;
        match kind.as_str() {
            CLEAR_TOOL_USES => self.edits.push(clear_tool_uses(read_value(&edit)?)?),
            CLEAR_THINKING => self.edits.extend(clear_thinking(&read_value(&edit)?)?),
            COMPACT => {
                let compact: wire::Compact = read_value(&edit)?;
                let pauses = compact.pause_after_compaction == Some(true);
                self.options = Some(ContextOptions { pauses });
                let trigger = match compact.trigger {
                    None => COMPACT_TRIGGER,
                    Some(trigger) => amount(&trigger, wire::AmountKind::InputTokens).at("trigger")?,
                };
                let instructions = compact.instructions;
                self.edits.push(ContextEdit::Compact { trigger, instructions, pauses });
            }
            // A newer kind of edit: without it the conversation is only longer.
            _ => {}
        }
        Ok(())
    }
}

fn clear_tool_uses(edit: wire::ClearToolUses) -> Result<ContextEdit, Failure> {
    let trigger = match edit.trigger {
        None => Trigger::InputTokens(CLEAR_TRIGGER),
        Some(trigger) if trigger.kind == wire::AmountKind::ToolUses => {
            Trigger::ToolUses(amount(&trigger, wire::AmountKind::ToolUses).at("trigger")?)
        }
        Some(trigger) => Trigger::InputTokens(amount(&trigger, wire::AmountKind::InputTokens).at("trigger")?),
    };
    let keep = match edit.keep {
        None => KEPT_TOOL_USES,
        Some(keep) => as_usize(amount(&keep, wire::AmountKind::ToolUses).at("keep")?),
    };
    let clear_at_least = match edit.clear_at_least {
        None => 0,
        Some(tokens) => amount(&tokens, wire::AmountKind::InputTokens).at("clear_at_least")?,
    };
    let inputs = match edit.clear_tool_inputs {
        None | Some(Value::Null | Value::Bool(false)) => ClearedInputs::None,
        Some(Value::Bool(true)) => ClearedInputs::All,
        Some(names) => ClearedInputs::Of(read_value(&names).at("clear_tool_inputs")?),
    };
    let exclude = edit.exclude_tools.unwrap_or_default();
    Ok(ContextEdit::ClearToolUses(ClearToolUses { trigger, keep, clear_at_least, exclude, inputs }))
}

/// Reads the edit; `None` if all thinking is kept, as Claude Code asks in every request.
fn clear_thinking(edit: &wire::ClearThinking) -> Result<Option<ContextEdit>, Failure> {
    let keep = match &edit.keep {
        None => KEPT_THINKING_TURNS,
        Some(WordOrObject::Word(wire::KeepWord::All)) => return Ok(None),
        Some(WordOrObject::Object(keep)) if keep.kind == wire::AmountKind::All => return Ok(None),
        Some(WordOrObject::Object(keep)) => {
            as_usize(amount(keep, wire::AmountKind::ThinkingTurns).at("keep")?)
        }
    };
    Ok(Some(ContextEdit::ClearThinking { keep }))
}

fn amount(amount: &wire::Amount, expected: wire::AmountKind) -> Result<u64, Failure> {
    if amount.kind != expected {
        return Err(Failure::invalid("type", "not a type that is accepted here"));
    }
    amount.value.ok_or_else(|| Failure::invalid("value", "Field required"))
}

fn as_usize(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// Changes of the context that a response reports.
#[derive(Debug)]
pub struct ContextReport {
    options: Option<ContextOptions>,
    applied: Vec<AppliedEdit>,
    /// Cost of the compaction, if there was one.
    compaction: Option<conversation::Usage>,
}

impl ContextReport {
    /// No change so far.
    pub fn new(options: ResponseOptions) -> ContextReport {
        ContextReport { options: options.context, applied: Vec::new(), compaction: None }
    }

    /// The changes among these events.
    pub fn of(options: ResponseOptions, events: &[Event]) -> ContextReport {
        let mut report = ContextReport::new(options);
        for event in events {
            report.event(event);
        }
        report
    }

    /// Notes the change that an event is about.
    pub fn event(&mut self, event: &Event) {
        match event {
            Event::Context(ContextChange::Edited(applied)) => self.applied.extend(applied),
            Event::Context(ContextChange::Compacted { usage, .. }) => self.compaction = Some(usage.clone()),
            _ => {}
        }
    }

    /// The ending of the response.
    pub fn ending<'a>(&self, finish: &'a Finish) -> Ending<'a> {
        match self.options {
            Some(ContextOptions { pauses: true }) if self.compaction.is_some() => Ending::compaction(),
            _ => finish.into(),
        }
    }

    /// The usage of the response, with the compaction separate from the message.
    pub fn usage(&self, total: conversation::Usage) -> Usage {
        match &self.compaction {
            Some(compaction) => Usage::with_compaction(total, compaction),
            None => total.into(),
        }
    }

    /// The field `context_management`, if the request had it.
    pub fn report(&self) -> Option<Value> {
        self.options?;
        let edits = self.applied.iter().map(|edit| match edit {
            AppliedEdit::ToolUses { cleared, tokens } => {
                json!({ "type": CLEAR_TOOL_USES, "cleared_tool_uses": cleared, "cleared_input_tokens": tokens })
            }
            AppliedEdit::Thinking { cleared, tokens } => {
                json!({ "type": CLEAR_THINKING, "cleared_thinking_turns": cleared, "cleared_input_tokens": tokens })
            }
        });
        Some(json!({ "applied_edits": edits.collect::<Vec<_>>() }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_edit(edit: &Value) -> Result<Vec<ContextEdit>, Failure> {
        let edits = Some(vec![edit.as_object().unwrap().clone()]);
        read(Some(wire::ContextManagement { edits })).map(|read| read.edits)
    }

    #[test]
    fn absent_fields_have_anthropics_defaults() {
        let rules = ClearToolUses {
            trigger: Trigger::InputTokens(100_000),
            keep: 3,
            clear_at_least: 0,
            exclude: vec![],
            inputs: ClearedInputs::None,
        };
        for (edit, expected) in [
            (json!({ "type": CLEAR_TOOL_USES }), ContextEdit::ClearToolUses(rules)),
            (json!({ "type": CLEAR_THINKING }), ContextEdit::ClearThinking { keep: 1 }),
            (
                json!({ "type": COMPACT }),
                ContextEdit::Compact { trigger: 150_000, instructions: None, pauses: false },
            ),
        ] {
            assert_eq!(read_edit(&edit), Ok(vec![expected]));
        }
        for edit in [
            json!({ "type": CLEAR_THINKING, "keep": "all" }),
            json!({ "type": CLEAR_THINKING, "keep": { "type": "all" } }),
            json!({ "type": "clear_all_20300101" }),
        ] {
            assert_eq!(read_edit(&edit), Ok(vec![]), "{edit}");
        }
    }

    #[test]
    fn wrong_fields_are_named_by_their_path() {
        for (edit, message) in [
            (
                json!({ "type": COMPACT, "trigger": { "type": "input_tokens" } }),
                "context_management.edits[0].trigger.value: Field required",
            ),
            (
                json!({ "type": CLEAR_TOOL_USES, "keep": { "type": "thinking_turns", "value": 1 } }),
                "context_management.edits[0].keep.type: not a type that is accepted here",
            ),
        ] {
            assert_eq!(read_edit(&edit).unwrap_err().to_string(), message);
        }
    }
}
