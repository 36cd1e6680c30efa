//! Retries a response once if it isn't what the request required: a tool call, JSON that fits a schema, or an answer
//! where calls are forbidden.

use async_stream::stream;
use futures_util::{Stream, StreamExt};

use super::Events;
use super::dispatch::Dispatch;
use super::dropped_calls::DroppedCalls;
use super::required_output::ReceivedOutput;
use crate::conversation::{Event, Usage};
use crate::failure::Failure;

/// Runs a request, and runs it once more if its response fails the validation.
pub(super) fn run(dispatch: Dispatch) -> Events {
    if dispatch.required.is_empty() {
        dispatch.run(DroppedCalls::default())
    } else {
        Box::pin(validated(dispatch))
    }
}

/// Holds text back, where it may turn out invalid, until a call comes or the response is complete.
fn validated(mut dispatch: Dispatch) -> impl Stream<Item = Result<Event, Failure>> {
    stream! {
        let mut first_usage: Option<Usage> = None;
        loop {
            let dropped = DroppedCalls::default();
            let mut outcome = ReceivedOutput::default();
            let mut usage = Usage::default();
            let mut held = Vec::new();
            let mut response = dispatch.clone().run(dropped.clone());
            while let Some(event) = response.next().await {
                match &event {
                    Err(_) => {
                        yield event;
                        return;
                    }
                    Ok(Event::Finish(finish, used)) => {
                        outcome.finish = finish.clone();
                        usage = match first_usage.clone() {
                            Some(first) => first.and(used.clone()),
                            None => used.clone(),
                        };
                        continue;
                    }
                    Ok(Event::Text(text)) => {
                        outcome.text.push_str(text);
                        if dispatch.required.holds_text() && !outcome.has_call {
                            held.push(event);
                            continue;
                        }
                    }
                    Ok(Event::ToolCall(_)) => {
                        outcome.has_call = true;
                        for event in held.drain(..) {
                            yield event;
                        }
                    }
                    Ok(
                        Event::Thinking(_)
                        | Event::ToolRan(_)
                        | Event::WebRan(_)
                        | Event::Citation(_)
                        | Event::Context(_),
                    ) => {
                        if !held.is_empty() {
                            held.push(event);
                            continue;
                        }
                    }
                }
                yield event;
            }
            outcome.has_dropped_call = dropped.count() > 0;
            let Err(violation) = dispatch.required.validate(&outcome) else {
                for event in held {
                    yield event;
                }
                yield Ok(Event::Finish(outcome.finish, usage));
                return;
            };
            let retry = match first_usage {
                None => dispatch.for_retry(&outcome, dropped.all(), &violation),
                Some(_) => None,
            };
            let Some(retry) = retry else {
                yield Err(Failure::BadAnswer { message: violation.to_string() });
                return;
            };
            log::info!("response failed validation, retrying request={}", dispatch.request_id());
            first_usage = Some(usage);
            dispatch = retry;
        }
    }
}
