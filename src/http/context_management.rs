//! Edits of a conversation that its client asked for: applied before the model runs, reported as an event. A
//! compaction asks the model for a summary first and goes on with that.

use async_stream::stream;
use futures_util::StreamExt;

use crate::blocking;
use crate::completion::context_edits::{apply, compacted, count};
use crate::completion::{CompletionRequest, Events, StartedCompletion};
use crate::conversation::{
    AppliedEdit, ContextChange, ContextEdit, Conversation, Event, Finish, Message, Role, Usage,
};
use crate::dialect::common::compaction::{Replaced, request_summary, summary_text};
use crate::failure::Failure;

/// A compaction whose trigger is reached.
pub(super) struct Compaction {
    instructions: Option<String>,
    /// Whether the response ends with the summary.
    pub pauses: bool,
}

/// Applies the edits of a conversation. Returns those that changed something, and the compaction that is due.
pub(super) async fn edit(
    conversation: &mut Conversation,
) -> Result<(Vec<AppliedEdit>, Option<Compaction>), Failure> {
    if conversation.options.context_edits.is_empty() {
        return Ok((Vec::new(), None));
    }
    let size = conversation.size();
    let mut edited = std::mem::take(conversation);
    let work = move || {
        let compact = edited.options.context_edits.iter().find_map(|edit| match edit {
            ContextEdit::Compact { trigger, instructions, pauses } => {
                Some((*trigger, Compaction { instructions: instructions.clone(), pauses: *pauses }))
            }
            ContextEdit::ClearToolUses(_) | ContextEdit::ClearThinking { .. } => None,
        });
        let applied = apply(&mut edited);
        let due = compact.filter(|(trigger, _)| count(&edited) >= *trigger).map(|(_, compaction)| compaction);
        Ok((edited, applied, due))
    };
    let (edited, applied, due) = blocking::run(size, work).await?;
    *conversation = edited;
    Ok((applied, due))
}

/// Adds the report of applied edits before the end of a response.
pub(super) fn reported(mut events: Events, applied: Vec<AppliedEdit>) -> Events {
    if applied.is_empty() {
        return events;
    }
    Box::pin(stream! {
        while let Some(event) = events.next().await {
            if matches!(event, Ok(Event::Finish(..))) {
                yield Ok(Event::Context(ContextChange::Edited(applied.clone())));
            }
            yield event;
        }
    })
}

/// The request for the summary of a conversation.
pub(super) fn summary_request(request: &CompletionRequest, compaction: &Compaction) -> CompletionRequest {
    let mut request = request.clone();
    request_summary(&mut request.conversation, Replaced::All, compaction.instructions.as_deref());
    request
}

/// Reads the summary, then runs the conversation that goes on with it, which `resume` starts.
pub(super) fn compact(
    summary: StartedCompletion,
    pauses: bool,
    conversation: Conversation,
    resume: impl AsyncFnOnce(Conversation) -> Result<Events, Failure> + 'static,
) -> Events {
    Box::pin(stream! {
        let mut text = String::new();
        let mut usage = Usage::default();
        let mut events = summary.events;
        while let Some(event) = events.next().await {
            match event {
                Ok(Event::Text(more)) => text.push_str(&more),
                Ok(Event::Finish(_, of_summary)) => usage = of_summary,
                Ok(_) => {}
                Err(failure) => {
                    yield Err(failure);
                    return;
                }
            }
        }
        // Its permit is free for the request that follows.
        drop(events);
        let message = Message::text(Role::User, summary_text(Some(&text)));
        yield Ok(Event::Context(ContextChange::Compacted { summary: text, usage: usage.clone() }));
        if pauses {
            yield Ok(Event::Finish(Finish::Stop, usage));
            return;
        }
        let mut events = match resume(compacted(conversation, message)).await {
            Ok(events) => events,
            Err(failure) => {
                yield Err(failure);
                return;
            }
        };
        while let Some(event) = events.next().await {
            yield match event {
                Ok(Event::Finish(finish, more)) => Ok(Event::Finish(finish, usage.clone().and(more))),
                event => event,
            };
        }
    })
}
