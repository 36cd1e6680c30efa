//! Events as output items, one after another, each with its steps as it grows.
//!
//! `stream` passes the steps on, `reply` and `remember` look at the items in the end: all see the same answer.

use std::sync::Arc;

use super::output_items::{Call, Content, Item, ItemStatus, Summary};
use super::stream_event::StreamEvent;
use super::tool_names::{CallKind, ToolNames};
use super::{ReasoningOutput, ResponseOptions};
use crate::conversation::{ContextChange, Event, Finish, Message, Part, Role, Thinking, ToolCall, ToolRan};
use crate::dialect::ResponseMeta;
use crate::dialect::common::compaction::{self, Replaced};

/// Receives each step.
pub type StepListener<'a> = &'a mut dyn FnMut(&StreamEvent<'_>);

/// State of a response.
pub struct OutputBuilder {
    /// The unique part of every item's id.
    id: String,
    names: Arc<ToolNames>,
    /// The response is a summary: one item, whatever else the model does.
    compacts: bool,
    reasoning: ReasoningOutput,
    done: Vec<Done>,
    open: Open,
    /// Tools that the proxy ran, each with the number of items that were done by then.
    ran: Vec<(usize, ToolRan)>,
}

/// An item that is complete.
struct Done {
    id: String,
    status: ItemStatus,
    content: DoneContent,
}

enum DoneContent {
    ThinkingId(Thinking),
    Message(String),
    Summary(String),
    /// A summary of the conversation so far, before the response goes on.
    Compaction(String),
    /// As the model made it, and in the client's words.
    Call(ToolCall, Box<Call>),
}

/// The item that is growing.
enum Open {
    Nothing,
    ThinkingId { id: String, thought: Thinking },
    Message { id: String, text: String },
    Summary { id: String, text: String },
}

impl OutputBuilder {
    /// An answer that has not begun.
    pub fn new(meta: &ResponseMeta, options: &ResponseOptions) -> OutputBuilder {
        OutputBuilder {
            id: meta.id.clone(),
            names: options.names.clone(),
            compacts: options.compaction.is_some(),
            reasoning: options.reasoning,
            done: Vec::new(),
            open: Open::Nothing,
            ran: Vec::new(),
        }
    }

    /// Takes in an event.
    pub fn event(&mut self, event: &Event, tell: StepListener<'_>) {
        match event {
            Event::Text(text) if self.compacts => self.summary(text, tell),
            Event::Finish(finish, _) if self.compacts => {
                // An empty summary is sent, too: clients fail without the item.
                self.summary("", tell);
                self.close(last_status(finish), tell);
            }
            _ if self.compacts => {}
            Event::Text(text) => self.text(text, tell),
            Event::Thinking(thought) => self.thought(thought, tell),
            Event::ToolCall(call) => self.call(call, tell),
            Event::Context(ContextChange::Compacted { summary, .. }) => self.compaction(summary, tell),
            // Only requests of other APIs ask for edits.
            Event::Context(ContextChange::Edited(_)) => {}
            Event::ToolRan(ran) => {
                // Later events belong to another round and start a new item.
                self.close(ItemStatus::Completed, tell);
                self.ran.push((self.done.len(), ran.clone()));
            }
            Event::Finish(finish, _) => self.close(last_status(finish), tell),
        }
    }

    /// The items that are complete.
    pub fn items(&self) -> Vec<Item<'_>> {
        self.done.iter().map(|done| done.item(self.reasoning)).collect()
    }

    /// Whether a summary in it takes the place of the conversation so far.
    pub fn replaces_earlier(&self) -> bool {
        self.done.iter().any(|done| matches!(done.content, DoneContent::Compaction(_)))
    }

    /// The tools that the proxy ran.
    pub fn ran(&self) -> Vec<&ToolRan> {
        self.ran.iter().map(|(_, ran)| ran).collect()
    }

    /// The answer as part of a conversation, each message with its item's id; what the proxy's tools were asked
    /// and said has none.
    pub fn into_messages(self) -> Vec<(Option<String>, Message)> {
        let of = |role, part| Message { role, name: None, parts: vec![part] };
        let mut messages = Vec::new();
        let mut done = self.done.into_iter();
        let mut passed = 0;
        for (before, ToolRan { call, result, .. }) in self.ran {
            messages.extend(done.by_ref().take(before - passed).map(Done::into_message));
            passed = before;
            messages.push((None, of(Role::Assistant, Part::ToolCall(call))));
            messages.push((None, of(Role::User, Part::ToolResult(result))));
        }
        messages.extend(done.map(Done::into_message));
        messages
    }

    fn next_id(&self, prefix: &str) -> String {
        format!("{prefix}_{}_{}", self.id, self.done.len())
    }

    fn text(&mut self, more: &str, tell: StepListener<'_>) {
        if more.is_empty() {
            return;
        }
        if !matches!(self.open, Open::Message { .. }) {
            self.close(ItemStatus::Completed, tell);
            let id = self.next_id("msg");
            let output_index = self.done.len();
            tell(&StreamEvent::ItemAdded { output_index, item: Item::message_begins(&id) });
            let part = Content::text("");
            tell(&StreamEvent::PartAdded { item_id: &id, output_index, content_index: 0, part });
            self.open = Open::Message { id, text: String::new() };
        }
        if let Open::Message { id, text } = &mut self.open {
            text.push_str(more);
            tell(&StreamEvent::TextDelta {
                item_id: id,
                output_index: self.done.len(),
                content_index: 0,
                delta: more,
                logprobs: [],
            });
        }
    }

    fn summary(&mut self, more: &str, tell: StepListener<'_>) {
        if !matches!(self.open, Open::Summary { .. }) {
            let id = self.next_id("cmp");
            let item = Item::compaction(&id, None);
            tell(&StreamEvent::ItemAdded { output_index: self.done.len(), item });
            self.open = Open::Summary { id, text: String::new() };
        }
        if let Open::Summary { text, .. } = &mut self.open {
            text.push_str(more);
        }
    }

    /// Adds a summary that arrives whole, and that the response continues.
    fn compaction(&mut self, summary: &str, tell: StepListener<'_>) {
        self.close(Status::Completed, tell);
        let id = self.next_id("cmp");
        let item = Item::compaction(&id, None);
        tell(&StreamEvent::ItemAdded { output_index: self.done.len(), item });
        self.finish_item(id, Status::Completed, DoneContent::Compaction(summary.to_owned()), tell);
    }

    fn thought(&mut self, more: &Thinking, tell: StepListener<'_>) {
        if more.is_empty() {
            return;
        }
        if !matches!(&self.open, Open::ThinkingId { thought, .. } if more.continues(thought)) {
            self.close(ItemStatus::Completed, tell);
            let id = self.next_id("rs");
            let item = Item::thought_begins(&id);
            tell(&StreamEvent::ItemAdded { output_index: self.done.len(), item });
            self.open = Open::ThinkingId { id, thought: Thinking::default() };
        }
        if let Open::ThinkingId { id, thought } = &mut self.open {
            let output_index = self.done.len();
            if self.reasoning.summary && !more.text.is_empty() {
                if thought.text.is_empty() {
                    let part = Summary { text: "" };
                    tell(&StreamEvent::SummaryPartAdded {
                        item_id: id,
                        output_index,
                        summary_index: 0,
                        part,
                    });
                }
                let delta = &more.text;
                tell(&StreamEvent::SummaryDelta { item_id: id, output_index, summary_index: 0, delta });
            }
            thought.append(more);
        }
    }

    /// Adds a call, which arrives whole: the item is added, filled and done.
    fn call(&mut self, call: &ToolCall, tell: StepListener<'_>) {
        self.close(ItemStatus::Completed, tell);
        let said = Call::new(call, &self.names);
        let id = self.next_id(match said.kind {
            CallKind::Function => "fc",
            CallKind::Custom => "ctc",
            CallKind::Client(tool) => tool.id_prefix(),
        });
        let output_index = self.done.len();
        tell(&StreamEvent::ItemAdded { output_index, item: Item::call(&id, ItemStatus::InProgress, &said) });
        let (name, input) = (&said.name, &said.input);
        match said.kind {
            CallKind::Function => {
                tell(&StreamEvent::ArgumentsDelta { item_id: &id, output_index, delta: input });
                tell(&StreamEvent::ArgumentsDone { item_id: &id, output_index, name, arguments: input });
            }
            CallKind::Custom => {
                tell(&StreamEvent::InputDelta { item_id: &id, output_index, delta: input });
                tell(&StreamEvent::InputDone { item_id: &id, output_index, input });
            }
            // The API has no events between the start and the end of this item.
            CallKind::Client(_) => {}
        }
        self.finish_item(id, ItemStatus::Completed, DoneContent::Call(call.clone(), Box::new(said)), tell);
    }

    /// Ends the item that is growing, if there is one.
    fn close(&mut self, status: ItemStatus, tell: StepListener<'_>) {
        let output_index = self.done.len();
        match std::mem::replace(&mut self.open, Open::Nothing) {
            Open::Nothing => {}
            Open::ThinkingId { id, thought } => {
                if self.reasoning.summary && !thought.text.is_empty() {
                    let (item_id, text) = (&id, &thought.text);
                    tell(&StreamEvent::SummaryDone { item_id, output_index, summary_index: 0, text });
                    let part = Summary { text };
                    tell(&StreamEvent::SummaryPartDone { item_id, output_index, summary_index: 0, part });
                }
                self.finish_item(id, status, DoneContent::ThinkingId(thought), tell);
            }
            Open::Message { id, text } => {
                let (item_id, logprobs) = (&id, []);
                tell(&StreamEvent::TextDone {
                    item_id,
                    output_index,
                    content_index: 0,
                    text: &text,
                    logprobs,
                });
                let part = Content::text(&text);
                tell(&StreamEvent::PartDone { item_id, output_index, content_index: 0, part });
                self.finish_item(id, status, DoneContent::Message(text), tell);
            }
            Open::Summary { id, text } => self.finish_item(id, status, DoneContent::Summary(text), tell),
        }
    }

    fn finish_item(&mut self, id: String, status: ItemStatus, content: DoneContent, tell: StepListener<'_>) {
        let done = Done { id, status, content };
        tell(&StreamEvent::ItemDone { output_index: self.done.len(), item: done.item(self.reasoning) });
        self.done.push(done);
    }
}

impl Done {
    fn into_message(self) -> (Option<String>, Message) {
        let part = match self.content {
            DoneContent::Summary(text) | DoneContent::Compaction(text) => {
                let message = Message::text(Role::User, compaction::words(Some(&text)));
                return (Some(self.id), message);
            }
            DoneContent::ThinkingId(thought) => Part::Thinking(thought),
            DoneContent::Message(text) => Part::Text { text },
            DoneContent::Call(call, _) => Part::ToolCall(call),
        };
        (Some(self.id), Message { role: Role::Assistant, name: None, parts: vec![part] })
    }

    fn item(&self, reasoning: ReasoningOutput) -> Item<'_> {
        match &self.content {
            DoneContent::ThinkingId(thought) => Item::thought(&self.id, thought, reasoning),
            DoneContent::Message(text) => Item::message(&self.id, self.status, text),
            DoneContent::Summary(text) => Item::compaction(&self.id, Some((text, Replaced::AllButUser))),
            DoneContent::Compaction(text) => Item::compaction(&self.id, Some((text, Replaced::All))),
            DoneContent::Call(_, call) => Item::call(&self.id, self.status, call),
        }
    }
}

fn last_status(finish: &Finish) -> ItemStatus {
    match finish {
        Finish::Stop | Finish::StopSequence(_) | Finish::ToolCalls => ItemStatus::Completed,
        Finish::Length | Finish::ContentFilter | Finish::Refusal => ItemStatus::Incomplete,
    }
}
