//! Streams of `/mcp` that stay open: they tell a client that the tools have changed.

use std::convert::Infallible;
use std::sync::Arc;

use actix_web::HttpResponse;
use async_stream::stream;
use tokio::time::sleep;

use super::Context;
use super::reply::{event, keep_alive, stream_head};
use crate::mcp::message::response;
use crate::mcp::notification::{Subscription, tools_changed};
use crate::mcp::session::{RunningRequest, Session};
use crate::mcp::{Era, RequestId};

/// The stream of a session, until the session ends or another stream takes its place.
pub(super) fn of_session(session: Arc<Session>, context: &Context<'_>) -> HttpResponse {
    let mut changes = context.state.tool_changes.subscribe(context.workspace());
    let mut closing = context.closing.clone();
    let mut opened = session.open_stream();
    let ping_every = context.state.options.ping_every;
    let body = stream! {
        // Headers leave with the first bytes.
        yield Ok::<_, Infallible>(keep_alive());
        loop {
            let hash = *changes.borrow_and_update();
            if hash.is_some_and(|hash| session.learn_tools(hash)) {
                yield Ok(event(&tools_changed()));
            }
            tokio::select! {
                watched = changes.changed() => if watched.is_err() { break },
                () = opened.ended() => break,
                () = closing.wait() => break,
                () = sleep(ping_every) => yield Ok(keep_alive()),
            }
        }
    };
    stream_head().streaming(Box::pin(body))
}

/// The stream of a subscription, until its client closes it or the port closes.
pub(super) fn of_subscription(
    id: &RequestId,
    subscription: Subscription,
    mut running: Option<RunningRequest>,
    context: &Context<'_>,
) -> HttpResponse {
    let id = id.clone();
    let mut changes = context.state.tool_changes.subscribe(context.workspace());
    let mut closing = context.closing.clone();
    let ping_every = context.state.options.ping_every;
    let body = stream! {
        yield Ok::<_, Infallible>(event(&subscription.acknowledged()));
        let mut known = None;
        loop {
            let hash = *changes.borrow_and_update();
            let before = if hash.is_some() { std::mem::replace(&mut known, hash) } else { None };
            if subscription.tools && before.is_some() && before != hash {
                yield Ok(event(&subscription.tools_changed()));
            }
            tokio::select! {
                watched = changes.changed() => if watched.is_err() { break },
                () = cancelled(&mut running) => return,
                () = closing.wait() => break,
                () = sleep(ping_every) => yield Ok(keep_alive()),
            }
        }
        yield Ok(event(&response(&id, &Era::Stateless.complete(subscription.closed()))));
    };
    stream_head().streaming(Box::pin(body))
}

/// Waits until the client cancels a request; forever if it can't.
async fn cancelled(running: &mut Option<RunningRequest>) {
    match running {
        Some(running) => running.cancelled().await,
        None => std::future::pending().await,
    }
}
