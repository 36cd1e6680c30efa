//! Builds the output items of a response, one after another, and emits the stream events of each as it grows.
//!
//! A stream writes these events; a whole or a stored response takes the items at the end. So all have the same output.

use std::sync::Arc;

use super::output_items::{Annotation, Call, Content, Item, ItemStatus, Summary};
use super::stream_event::StreamEvent;
use super::tool_names::{CallKind, ToolNames};
use super::{ReasoningOutput, ResponseOptions};
use crate::conversation::{
    Citation, ContextChange, Event, Finish, Message, Part, Role, Thinking, ToolCall, ToolRan, WebRan,
};
use crate::dialect::ResponseMeta;
use crate::dialect::common::compaction::{self, Replaced};

/// Receives each stream event.
pub type EventListener<'a> = &'a mut dyn FnMut(&StreamEvent<'_>);

/// State of a response.
pub struct OutputBuilder {
    /// The unique part of every item's id.
    id: String,
    names: Arc<ToolNames>,
    /// The response is a summary: one item, whatever else the model does.
    compacts: bool,
    reasoning: ReasoningOutput,
    shows_sources: bool,
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
    Message(String, Vec<Annotation>),
    /// A search, and whether it is the last of its round.
    Search(Box<WebRan>, bool),
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
    Message { id: String, text: String, annotations: Vec<Annotation> },
    Summary { id: String, text: String },
}

impl OutputBuilder {
    /// The output of a response that has not begun.
    pub fn new(meta: &ResponseMeta, options: &ResponseOptions) -> OutputBuilder {
        OutputBuilder {
            id: meta.id.clone(),
            names: options.names.clone(),
            compacts: options.compaction.is_some(),
            reasoning: options.reasoning,
            shows_sources: options.shows_sources,
            done: Vec::new(),
            open: Open::Nothing,
            ran: Vec::new(),
        }
    }

    /// Takes in an event.
    pub fn event(&mut self, event: &Event, emit: EventListener<'_>) {
        match event {
            Event::Text(text) if self.compacts => self.summary(text, emit),
            Event::Finish(finish, _) if self.compacts => {
                // A summary without a word is one, too: clients fail without the item.
                self.summary("", emit);
                self.close(last_status(finish), emit);
            }
            _ if self.compacts => {}
            Event::Text(text) => self.text(text, emit),
            Event::Thinking(thought) => self.thought(thought, emit),
            Event::ToolCall(call) => self.call(call, emit),
            Event::Context(ContextChange::Compacted { summary, .. }) => self.compaction(summary, emit),
            // Only requests of other APIs ask for edits.
            Event::Context(ContextChange::Edited(_)) => {}
            Event::WebRan(runs) => self.searches(runs, emit),
            Event::Citation(citation) => self.citation(citation, emit),
            Event::ToolRan(ran) => {
                // The text after it belongs to another round: an item of its own.
                self.close(ItemStatus::Completed, emit);
                self.ran.push((self.done.len(), ran.clone()));
            }
            Event::Finish(finish, _) => self.close(last_status(finish), emit),
        }
    }

    /// The items that are complete.
    pub fn items(&self) -> Vec<Item<'_>> {
        self.done.iter().map(|done| done.item(self.reasoning, self.shows_sources)).collect()
    }

    /// Whether a summary in it takes the place of the conversation so far.
    pub fn replaces_earlier(&self) -> bool {
        self.done.iter().any(|done| matches!(done.content, DoneContent::Compaction(_)))
    }

    /// The tools that the proxy ran.
    pub fn ran(&self) -> Vec<&ToolRan> {
        self.ran.iter().map(|(_, ran)| ran).collect()
    }

    /// The output as part of a conversation, each message with its item's id; what the proxy's tools were asked
    /// and returned has none.
    pub fn into_messages(self) -> Vec<(Option<String>, Message)> {
        let of = |role, part| Message { role, name: None, parts: vec![part] };
        let mut messages = Vec::new();
        let mut done = self.done.into_iter();
        let mut passed = 0;
        for (before, ToolRan { call, result, .. }) in self.ran {
            add_messages(done.by_ref().take(before - passed), &mut messages);
            passed = before;
            messages.push((None, of(Role::Assistant, Part::ToolCall(call))));
            messages.push((None, of(Role::User, Part::ToolResult(result))));
        }
        add_messages(done, &mut messages);
        messages
    }

    fn next_id(&self, prefix: &str) -> String {
        format!("{prefix}_{}_{}", self.id, self.done.len())
    }

    fn text(&mut self, more: &str, emit: EventListener<'_>) {
        if more.is_empty() {
            return;
        }
        if !matches!(self.open, Open::Message { .. }) {
            self.close(ItemStatus::Completed, emit);
            let id = self.next_id("msg");
            let output_index = self.done.len();
            emit(&StreamEvent::ItemAdded { output_index, item: Item::message_begins(&id) });
            let part = Content::text("", &[]);
            emit(&StreamEvent::PartAdded { item_id: &id, output_index, content_index: 0, part });
            self.open = Open::Message { id, text: String::new(), annotations: Vec::new() };
        }
        if let Open::Message { id, text, .. } = &mut self.open {
            text.push_str(more);
            emit(&StreamEvent::TextDelta {
                item_id: id,
                output_index: self.done.len(),
                content_index: 0,
                delta: more,
                logprobs: [],
            });
        }
    }

    fn citation(&mut self, citation: &Citation, emit: EventListener<'_>) {
        let Open::Message { id, text, annotations } = &mut self.open else { return };
        let annotation = Annotation::new(citation, text);
        emit(&StreamEvent::AnnotationAdded {
            item_id: id,
            output_index: self.done.len(),
            content_index: 0,
            annotation_index: annotations.len(),
            annotation: &annotation,
        });
        annotations.push(annotation);
    }

    /// Adds the searches of a round, which have run already.
    fn searches(&mut self, runs: &[WebRan], emit: EventListener<'_>) {
        self.close(ItemStatus::Completed, emit);
        for (index, web) in runs.iter().enumerate() {
            let id = format!("ws_{}", web.call().id);
            let (item_id, output_index) = (id.as_str(), self.done.len());
            emit(&StreamEvent::ItemAdded { output_index, item: Item::search_begins(&id, web) });
            emit(&StreamEvent::SearchInProgress { item_id, output_index });
            emit(&StreamEvent::Searching { item_id, output_index });
            // The API has no event for a failure, only the item's status.
            let status = match web.outcome {
                Ok(_) => {
                    emit(&StreamEvent::SearchCompleted { item_id, output_index });
                    ItemStatus::Completed
                }
                Err(_) => ItemStatus::Failed,
            };
            let is_last = index + 1 == runs.len();
            self.finish_item(id, status, DoneContent::Search(Box::new(web.clone()), is_last), emit);
        }
    }

    fn summary(&mut self, more: &str, emit: EventListener<'_>) {
        if !matches!(self.open, Open::Summary { .. }) {
            let id = self.next_id("cmp");
            let item = Item::compaction(&id, None);
            emit(&StreamEvent::ItemAdded { output_index: self.done.len(), item });
            self.open = Open::Summary { id, text: String::new() };
        }
        if let Open::Summary { text, .. } = &mut self.open {
            text.push_str(more);
        }
    }

    /// Adds a summary that arrives whole, and that the response continues.
    fn compaction(&mut self, summary: &str, emit: EventListener<'_>) {
        self.close(ItemStatus::Completed, emit);
        let id = self.next_id("cmp");
        let item = Item::compaction(&id, None);
        emit(&StreamEvent::ItemAdded { output_index: self.done.len(), item });
        self.finish_item(id, ItemStatus::Completed, DoneContent::Compaction(summary.to_owned()), emit);
    }

    fn thought(&mut self, more: &Thinking, emit: EventListener<'_>) {
        if more.is_empty() {
            return;
        }
        if !matches!(&self.open, Open::ThinkingId { thought, .. } if more.continues(thought)) {
            self.close(ItemStatus::Completed, emit);
            let id = self.next_id("rs");
            let item = Item::thought_begins(&id);
            emit(&StreamEvent::ItemAdded { output_index: self.done.len(), item });
            self.open = Open::ThinkingId { id, thought: Thinking::default() };
        }
        if let Open::ThinkingId { id, thought } = &mut self.open {
            let output_index = self.done.len();
            if self.reasoning.summary && !more.text.is_empty() {
                if thought.text.is_empty() {
                    let part = Summary { text: "" };
                    emit(&StreamEvent::SummaryPartAdded {
                        item_id: id,
                        output_index,
                        summary_index: 0,
                        part,
                    });
                }
                let delta = &more.text;
                emit(&StreamEvent::SummaryDelta { item_id: id, output_index, summary_index: 0, delta });
            }
            thought.append(more);
        }
    }

    /// Adds a call, which arrives whole: the item is added, filled and done.
    fn call(&mut self, call: &ToolCall, emit: EventListener<'_>) {
        self.close(ItemStatus::Completed, emit);
        let client_call = Call::new(call, &self.names);
        let id = self.next_id(match client_call.kind {
            CallKind::Function => "fc",
            CallKind::Custom => "ctc",
            CallKind::Client(tool) => tool.id_prefix(),
        });
        let output_index = self.done.len();
        emit(&StreamEvent::ItemAdded {
            output_index,
            item: Item::call(&id, ItemStatus::InProgress, &client_call),
        });
        let (name, input) = (&client_call.name, &client_call.input);
        match client_call.kind {
            CallKind::Function => {
                emit(&StreamEvent::ArgumentsDelta { item_id: &id, output_index, delta: input });
                emit(&StreamEvent::ArgumentsDone { item_id: &id, output_index, name, arguments: input });
            }
            CallKind::Custom => {
                emit(&StreamEvent::InputDelta { item_id: &id, output_index, delta: input });
                emit(&StreamEvent::InputDone { item_id: &id, output_index, input });
            }
            // The API has no events between the start and the end of this item.
            CallKind::Client(_) => {}
        }
        self.finish_item(
            id,
            ItemStatus::Completed,
            DoneContent::Call(call.clone(), Box::new(client_call)),
            emit,
        );
    }

    /// Ends the item that is growing, if there is one.
    fn close(&mut self, status: ItemStatus, emit: EventListener<'_>) {
        let output_index = self.done.len();
        match std::mem::replace(&mut self.open, Open::Nothing) {
            Open::Nothing => {}
            Open::ThinkingId { id, thought } => {
                if self.reasoning.summary && !thought.text.is_empty() {
                    let (item_id, text) = (&id, &thought.text);
                    emit(&StreamEvent::SummaryDone { item_id, output_index, summary_index: 0, text });
                    let part = Summary { text };
                    emit(&StreamEvent::SummaryPartDone { item_id, output_index, summary_index: 0, part });
                }
                self.finish_item(id, status, DoneContent::ThinkingId(thought), emit);
            }
            Open::Message { id, text, annotations } => {
                let (item_id, logprobs) = (&id, []);
                emit(&StreamEvent::TextDone {
                    item_id,
                    output_index,
                    content_index: 0,
                    text: &text,
                    logprobs,
                });
                let part = Content::text(&text, &annotations);
                emit(&StreamEvent::PartDone { item_id, output_index, content_index: 0, part });
                self.finish_item(id, status, DoneContent::Message(text, annotations), emit);
            }
            Open::Summary { id, text } => self.finish_item(id, status, DoneContent::Summary(text), emit),
        }
    }

    fn finish_item(&mut self, id: String, status: ItemStatus, content: DoneContent, emit: EventListener<'_>) {
        let done = Done { id, status, content };
        emit(&StreamEvent::ItemDone {
            output_index: self.done.len(),
            item: done.item(self.reasoning, self.shows_sources),
        });
        self.done.push(done);
    }
}

impl Done {
    fn into_message(self) -> (Option<String>, Message) {
        let part = match self.content {
            DoneContent::Summary(text) | DoneContent::Compaction(text) => {
                let message = Message::text(Role::User, compaction::summary_text(Some(&text)));
                return (Some(self.id), message);
            }
            DoneContent::ThinkingId(thought) => Part::Thinking(thought),
            DoneContent::Message(text, _) => Part::Text { text },
            DoneContent::Search(web, _) => Part::ToolCall(web.ran.call),
            DoneContent::Call(call, _) => Part::ToolCall(call),
        };
        (Some(self.id), Message { role: Role::Assistant, name: None, parts: vec![part] })
    }

    fn item(&self, reasoning: ReasoningOutput, shows_sources: bool) -> Item<'_> {
        match &self.content {
            DoneContent::ThinkingId(thought) => Item::thought(&self.id, thought, reasoning),
            DoneContent::Message(text, annotations) => {
                Item::message(&self.id, self.status, text, annotations)
            }
            DoneContent::Search(web, _) => Item::search(&self.id, web, shows_sources),
            DoneContent::Summary(text) => Item::compaction(&self.id, Some((text, Replaced::AllButUser))),
            DoneContent::Compaction(text) => Item::compaction(&self.id, Some((text, Replaced::All))),
            DoneContent::Call(_, call) => Item::call(&self.id, self.status, call),
        }
    }
}

/// Adds the messages of items; the results of a round's searches follow all of its calls.
fn add_messages(items: impl Iterator<Item = Done>, messages: &mut Vec<(Option<String>, Message)>) {
    let mut results = Vec::new();
    for item in items {
        let mut is_last = false;
        if let DoneContent::Search(web, last) = &item.content {
            results.push(Part::ToolResult(web.result().clone()));
            is_last = *last;
        }
        messages.push(item.into_message());
        if is_last {
            let parts = std::mem::take(&mut results);
            messages.push((None, Message { role: Role::User, name: None, parts }));
        }
    }
}

fn last_status(finish: &Finish) -> ItemStatus {
    match finish {
        Finish::Stop | Finish::StopSequence(_) | Finish::ToolCalls => ItemStatus::Completed,
        Finish::Length | Finish::ContentFilter | Finish::Refusal => ItemStatus::Incomplete,
    }
}
