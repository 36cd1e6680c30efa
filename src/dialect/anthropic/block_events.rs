//! Events of blocks: a block opens, grows and closes before the next one opens.
//!
//! A stream encodes them as they come; a whole response collects them. So both hold the same blocks.

use serde_json::{Map, Value, json};

use super::Thoughts;
use super::message::{Block, Delta};
use super::web_blocks;
use crate::conversation::{Citation, ContextChange, Event, Thinking, ToolCall, WebRan};
use crate::dialect::common::sealed_thinking;

/// A step in the content of a response.
#[derive(Debug, PartialEq)]
pub enum BlockEvent<'a> {
    /// A block begins, after all others have ended.
    Open(u32, Block),
    /// The open block goes on.
    Grow(u32, Delta<'a>),
    /// The open block ends.
    Close(u32),
}

/// Position in a response.
#[derive(Debug)]
pub struct BlockEvents {
    position: Position,
    thoughts: Thoughts,
}

#[derive(Debug)]
enum Position {
    /// No block is open; the next one has this index.
    Between(u32),
    /// A text is open.
    InText(u32),
    /// A thought is open: all of it but the text, of which only the length is kept.
    InThought { index: u32, thought: Thinking, length: usize },
}

impl BlockEvents {
    /// The blocks of a response that has not begun.
    pub fn new(thoughts: Thoughts) -> BlockEvents {
        BlockEvents { position: Position::Between(0), thoughts }
    }

    /// Emits the block events of an event.
    pub fn take<'a>(&mut self, event: &'a Event, mut emit: impl FnMut(BlockEvent<'a>)) {
        match event {
            Event::Text(text) => self.text(text, &mut emit),
            Event::Thinking(thought) => self.thought(thought, &mut emit),
            Event::ToolCall(call) => self.call(call, &mut emit),
            Event::Context(ContextChange::Edited(_)) => {}
            Event::Context(ContextChange::Compacted { summary, .. }) => self.compaction(summary, &mut emit),
            Event::WebRan(runs) => self.web(runs, &mut emit),
            Event::Citation(citation) => self.citation(citation, &mut emit),
            // Rounds of auto mode are separate: the next text is a new block.
            Event::ToolRan(_) | Event::Finish(..) => {
                self.close(&mut emit);
            }
        }
    }

    fn text<'a>(&mut self, text: &'a str, emit: &mut impl FnMut(BlockEvent<'a>)) {
        if text.is_empty() {
            return;
        }
        let index = if let Position::InText(index) = self.position {
            index
        } else {
            let index = self.close(emit);
            emit(BlockEvent::Open(index, Block::text()));
            self.position = Position::InText(index);
            index
        };
        emit(BlockEvent::Grow(index, Delta::Text { text }));
    }

    fn thought<'a>(&mut self, thought: &'a Thinking, emit: &mut impl FnMut(BlockEvent<'a>)) {
        if self.thoughts == Thoughts::Hidden {
            return;
        }
        let index = match &mut self.position {
            Position::InThought { index, thought: open, length } if thought.continues(open) => {
                open.append_seal(thought);
                *length += thought.text.len();
                *index
            }
            _ if thought.text.is_empty() => return self.redacted(thought, emit),
            _ => {
                let index = self.close(emit);
                emit(BlockEvent::Open(index, Block::thinking()));
                let mut open = Thinking::default();
                open.append_seal(thought);
                self.position = Position::InThought { index, thought: open, length: thought.text.len() };
                index
            }
        };
        if self.thoughts != Thoughts::Signed && !thought.text.is_empty() {
            emit(BlockEvent::Grow(index, Delta::Thinking { thinking: &thought.text }));
        }
    }

    /// A thought that begins without text. Text may still follow a bare id; a seal comes last.
    fn redacted<'a>(&mut self, thought: &'a Thinking, emit: &mut impl FnMut(BlockEvent<'a>)) {
        if self.thoughts == Thoughts::Unasked || thought.metadata.is_none() {
            return;
        }
        let Some(data) = sealed_thinking::seal(thought) else { return };
        let index = self.close(emit);
        emit(BlockEvent::Open(index, Block::RedactedThinking { data }));
        emit(BlockEvent::Close(index));
        self.position = Position::Between(index + 1);
    }

    fn compaction<'a>(&mut self, summary: &'a str, emit: &mut impl FnMut(BlockEvent<'a>)) {
        let index = self.close(emit);
        emit(BlockEvent::Open(index, Block::compaction()));
        emit(BlockEvent::Grow(index, Delta::Compaction { content: summary, encrypted_content: () }));
        emit(BlockEvent::Close(index));
        self.position = Position::Between(index + 1);
    }

    fn call<'a>(&mut self, call: &'a ToolCall, emit: &mut impl FnMut(BlockEvent<'a>)) {
        let index = self.close(emit);
        emit(BlockEvent::Open(index, Block::call(call)));
        emit(BlockEvent::Grow(index, Delta::InputJson { partial_json: input(&call.input) }));
        emit(BlockEvent::Close(index));
        self.position = Position::Between(index + 1);
    }

    /// Calls of web tools, then their results: a block for each.
    fn web<'a>(&mut self, runs: &'a [WebRan], emit: &mut impl FnMut(BlockEvent<'a>)) {
        let mut index = self.close(emit);
        for web in runs {
            emit(BlockEvent::Open(index, Block::server_call(web)));
            emit(BlockEvent::Grow(index, Delta::InputJson { partial_json: web_blocks::input(web) }));
            emit(BlockEvent::Close(index));
            index += 1;
        }
        for web in runs {
            emit(BlockEvent::Open(index, Block::server_result(web)));
            emit(BlockEvent::Close(index));
            index += 1;
        }
        self.position = Position::Between(index);
    }

    fn citation<'a>(&mut self, citation: &'a Citation, emit: &mut impl FnMut(BlockEvent<'a>)) {
        if let Position::InText(index) = self.position {
            emit(BlockEvent::Grow(index, Delta::Citation { citation: web_blocks::citation(citation) }));
        }
    }

    /// Ends the block that is open, if there is one. The index of the next comes back.
    fn close<'a>(&mut self, emit: &mut impl FnMut(BlockEvent<'a>)) -> u32 {
        let next = match &mut self.position {
            Position::Between(next) => return *next,
            Position::InText(index) => {
                emit(BlockEvent::Close(*index));
                *index + 1
            }
            Position::InThought { index, thought, length } => {
                let signature = sealed_thinking::seal_with_length(thought, *length)
                    .unwrap_or_else(|| sealed_thinking::NOTHING_SEALED.into());
                emit(BlockEvent::Grow(*index, Delta::Signature { signature }));
                emit(BlockEvent::Close(*index));
                *index + 1
            }
        };
        self.position = Position::Between(next);
        next
    }
}

/// A call's input as the API has it, which knows objects only. A model may have written something else.
fn input(input: &Value) -> Value {
    match input {
        Value::Object(_) => input.clone(),
        Value::Null => Value::Object(Map::new()),
        other => json!({ "_raw": other }),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::conversation::{Finish, RunTime, ToolRan, ToolResult, Usage};

    /// Every event there is, with the texts and ids that make a difference.
    fn any_event() -> impl Strategy<Value = Event> {
        let call = || ToolCall { id: "c".into(), name: "look".into(), input: json!({}) };
        let ran = ToolRan {
            round: 1,
            call: call(),
            result: ToolResult { id: "c".into(), content: vec![], is_error: false },
            time: RunTime::default(),
        };
        prop_oneof![
            "[ab]{0,2}".prop_map(Event::Text),
            ("[ab]{0,2}", prop::option::of("[xy]"))
                .prop_map(|(text, id)| Event::Thinking(Thinking { id, ..Thinking::text(text) })),
            Just(Event::ToolCall(call())),
            Just(Event::ToolRan(ran)),
            Just(Event::Finish(Finish::Stop, Usage::default())),
        ]
    }

    fn any_thoughts() -> impl Strategy<Value = Thoughts> {
        prop_oneof![
            Just(Thoughts::Unasked),
            Just(Thoughts::Shown),
            Just(Thoughts::Signed),
            Just(Thoughts::Hidden)
        ]
    }

    proptest! {
        #[test]
        fn blocks_are_strictly_nested_and_lose_no_text(
            events in prop::collection::vec(any_event(), 0..20),
            thoughts in any_thoughts(),
        ) {
            let mut block_events = BlockEvents::new(thoughts);
            let mut open: Option<(u32, bool)> = None;
            let mut next = 0;
            let mut streamed = String::new();
            let mut thought = String::new();
            for event in &events {
                block_events.take(event, |step| match step {
                    BlockEvent::Open(index, block) => {
                        assert_eq!((open, index), (None, next));
                        open = Some((index, matches!(block, Block::Thinking { .. })));
                        next += 1;
                    }
                    BlockEvent::Grow(index, delta) => {
                        let (at, is_thought) = open.unwrap();
                        assert_eq!(at, index);
                        match delta {
                            Delta::Text { text } => streamed.push_str(text),
                            Delta::Thinking { thinking } => thought.push_str(thinking),
                            Delta::Signature { .. } => assert!(is_thought),
                            Delta::InputJson { .. } | Delta::Citation { .. } | Delta::Compaction { .. } => {}
                        }
                    }
                    BlockEvent::Close(index) => assert_eq!(open.take().map(|(at, _)| at), Some(index)),
                });
            }
            block_events.take(&Event::Finish(Finish::Stop, Usage::default()), |step| match step {
                BlockEvent::Close(index) => assert_eq!(open.take().map(|(at, _)| at), Some(index)),
                BlockEvent::Grow(_, Delta::Signature { .. }) => {}
                step => panic!("{step:?} at the end"),
            });
            assert_eq!(open, None);
            let joined = |pick: fn(&Event) -> Option<&str>| events.iter().filter_map(pick).collect::<String>();
            assert_eq!(streamed, joined(|event| match event { Event::Text(text) => Some(text), _ => None }));
            if matches!(thoughts, Thoughts::Unasked | Thoughts::Shown) {
                assert_eq!(thought, joined(|event| match event {
                    Event::Thinking(thought) => Some(&thought.text),
                    _ => None,
                }));
            } else {
                assert_eq!(thought, "");
            }
        }
    }
}
