//! Reads the parts of a response from an editor that has the model. If the window closes before it produced output,
//! the request is retried in another window.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use async_stream::stream;
use futures_util::{Stream, StreamExt};
use tokio::time::timeout;

use super::attempt_cost::SentRequests;
use super::context::CompletionContext;
use crate::bridge::BridgeError;
use crate::bridge::protocol::Chat;
use crate::bridge::{Editor, EditorId};
use crate::conversation::Part;
use crate::failure::Failure;
use crate::keys::ClientIdentity;
use crate::models::registry::ResolveModel;

/// Runs `chat` in the first of `editors`. If that one disconnects before the first part, tries the others that have
/// the model `model_id`, and waits for an editor whose window is reloading.
pub(super) fn parts(
    context: Arc<CompletionContext>,
    model_id: Arc<str>,
    editors: &[Editor],
    chat: Arc<Chat>,
    sent: SentRequests,
) -> impl Stream<Item = Result<Part, BridgeError>> + use<> {
    let mut editors = VecDeque::from(editors.to_vec());
    let limit = context.model_timeout();
    stream! {
        let mut has_output = false;
        let mut tried = HashSet::new();
        'editors: loop {
            let Some(editor) = editors.pop_front() else {
                let Ok(others) = untried_editors(&context, &model_id, &tried).await else { break };
                editors = others;
                continue;
            };
            tried.insert(editor.id());
            let mut response = match editor.chat(&chat) {
                Ok(response) => response,
                Err(Failure::EditorGone) => continue,
                Err(failure) => {
                    yield Err(BridgeError::Failed(failure));
                    return;
                }
            };
            sent.sent();
            loop {
                match timeout(limit, response.next()).await {
                    Err(_) => {
                        yield Err(BridgeError::Failed(Failure::ModelTimeout { after: limit }));
                        return;
                    }
                    Ok(None) => return,
                    Ok(Some(Err(BridgeError::Failed(Failure::EditorGone)))) if !has_output => {
                        sent.lost();
                        continue 'editors;
                    }
                    Ok(Some(part)) => {
                        has_output = true;
                        yield part;
                    }
                }
            }
        }
        yield Err(BridgeError::Failed(Failure::EditorGone));
    }
}

/// Finds the editors that have the model now and were not tried yet; never returns an empty list.
async fn untried_editors(
    context: &CompletionContext,
    model_id: &str,
    tried: &HashSet<EditorId>,
) -> Result<VecDeque<Editor>, Failure> {
    let resolve = async || {
        let message = ResolveModel {
            requested: Some(model_id.to_owned()),
            default_model: String::new(),
            nearest_if_unknown: false,
            // The model was permitted when it was resolved first.
            client: ClientIdentity::default(),
        };
        let editors = match context.registry.send(message).await {
            Ok(Ok(resolved)) => resolved.editors,
            _ => Vec::new(),
        };
        let others: VecDeque<Editor> =
            editors.into_iter().filter(|editor| !tried.contains(&editor.id())).collect();
        if others.is_empty() { Err(Failure::EditorGone) } else { Ok(others) }
    };
    context.availability.retry_until_available(resolve).await
}
