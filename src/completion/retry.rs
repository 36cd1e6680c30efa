//! One retry of a response that is not what the request required: a tool call, or JSON that fits a schema.

use std::sync::Arc;

use async_stream::stream;
use futures_util::{Stream, StreamExt};

use super::Events;
use super::dispatch::Dispatch;
use super::required_output::RequiredOutput;
use crate::bridge::protocol::Chat;
use crate::conversation::{Event, Usage};
use crate::failure::Failure;

/// Runs a request, and once more if its response fails the validation of what it requires.
pub(super) fn run(dispatch: Dispatch) -> Events {
    let chat = dispatch.chat.clone();
    match dispatch.required {
        RequiredOutput::Nothing => dispatch.run(chat),
        RequiredOutput::SomeCall | RequiredOutput::Json { .. } => Box::pin(validated(dispatch, chat)),
    }
}

/// Holds text back until it is clear that it belongs to what was required.
fn validated(dispatch: Dispatch, mut chat: Arc<Chat>) -> impl Stream<Item = Result<Event, Failure>> {
    stream! {
        let mut spent: Option<Usage> = None;
        loop {
            let mut held = Vec::new();
            let mut has_call = false;
            let mut response = dispatch.clone().run(chat.clone());
            while let Some(event) = response.next().await {
                let event = match (event, spent) {
                    (Err(failure), _) => {
                        yield Err(failure);
                        return;
                    }
                    (Ok(Event::Finish(finish, usage)), Some(spent)) => Event::Finish(finish, spent.and(usage)),
                    (Ok(event), _) => event,
                };
                has_call = has_call || matches!(event, Event::ToolCall(_));
                held.push(event);
                if has_call {
                    for event in held.drain(..) {
                        yield Ok(event);
                    }
                }
            }
            if has_call {
                return;
            }
            let Some(error) = dispatch.required.validate(&held) else {
                for event in held {
                    yield Ok(event);
                }
                return;
            };
            if spent.is_some() {
                yield Err(Failure::BadAnswer { message: error });
                return;
            }
            log::info!("retry, the response is not what was required request={}", dispatch.request_id());
            spent = Some(usage_of(&held));
            let mut second = Arc::unwrap_or_clone(chat);
            second.messages.extend(dispatch.required.retry_messages(&held, &error));
            chat = Arc::new(second);
        }
    }
}

fn usage_of(events: &[Event]) -> Usage {
    let usage = events.iter().find_map(|event| match event {
        Event::Finish(_, usage) => Some(*usage),
        _ => None,
    });
    usage.unwrap_or_default()
}
