//! Retries a response once if it isn't what the request required: a tool call, or JSON that fits a schema.

use std::sync::Arc;

use async_stream::stream;
use futures_util::{Stream, StreamExt};

use super::Events;
use super::dispatch::Dispatch;
use super::required_output::RequiredOutput;
use crate::bridge::protocol::Chat;
use crate::conversation::{Event, Usage};
use crate::failure::Failure;

/// Runs a request, and runs it once more if its response fails the validation.
pub(super) fn run(dispatch: Dispatch) -> Events {
    let chat = dispatch.chat.clone();
    match dispatch.required {
        RequiredOutput::Nothing => dispatch.run(chat),
        RequiredOutput::SomeCall | RequiredOutput::Json { .. } => Box::pin(validated(dispatch, chat)),
    }
}

/// Holds events back until a call comes or the whole response is valid.
fn validated(dispatch: Dispatch, mut chat: Arc<Chat>) -> impl Stream<Item = Result<Event, Failure>> {
    stream! {
        let mut first_usage: Option<Usage> = None;
        loop {
            let mut held = Vec::new();
            let mut has_call = false;
            let mut response = dispatch.clone().run(chat.clone());
            while let Some(event) = response.next().await {
                let event = match (event, first_usage) {
                    (Err(failure), _) => {
                        yield Err(failure);
                        return;
                    }
                    (Ok(Event::Finish(finish, usage)), Some(first)) => Event::Finish(finish, first.and(usage)),
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
            if first_usage.is_some() {
                yield Err(Failure::BadAnswer { message: error });
                return;
            }
            log::info!("response failed validation, retrying request={}", dispatch.request_id());
            first_usage = Some(usage_of(&held));
            let mut retry = Arc::unwrap_or_clone(chat);
            retry.messages.extend(dispatch.required.retry_messages(&held, &error));
            chat = Arc::new(retry);
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
