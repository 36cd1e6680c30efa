//! Starts a request with the first model of its chain that accepts it.
//!
//! A model has accepted when its first part arrives; the next one is asked only before that, and the client's response
//! headers wait for it. The last model of a chain starts like the only one of a request without fallbacks.

use std::pin::pin;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::{Either, select, select_all};
use tokio::time::Instant;

use super::service::{Attempt, CompletionRequest, CompletionService, PreparedCompletion, StartedCompletion};
use crate::failure::Failure;
use crate::log::quoted;
use crate::prompt_prefix::CACHED_FOR;

/// A model that could not respond, so that another one was asked.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelFailure {
    /// Its id; the requested name if no model has it.
    pub model: String,
    /// Its failure.
    pub failure: Failure,
}

impl CompletionService {
    /// Starts a request with the first of its models that can respond; calls `on_fallback` for each one that could not
    /// before another is asked. If none can, the failure of the last one that was asked is returned.
    pub async fn start(
        &self,
        request: CompletionRequest,
        mut on_fallback: impl FnMut(&ModelFailure),
    ) -> Result<StartedCompletion, Failure> {
        let began = Instant::now();
        let CompletionRequest { request_id, models, client, session, meter, conversation } = request;
        let mut conversation = Some(conversation);
        let mut asked: Vec<String> = Vec::new();
        let mut last_failed: Option<ModelFailure> = None;
        let mut last_cached = None;
        let mut reported = None;
        let mut candidates = models.iter().peekable();
        while let Some(candidate) = candidates.next() {
            let is_last = candidates.peek().is_none();
            let resolved = self.resolve(candidate, &client).await;
            let model = match &resolved {
                Ok(resolved) if asked.contains(&resolved.model.id) => continue,
                Ok(resolved) => resolved.model.id.clone(),
                Err(_) => candidate.name.clone().unwrap_or_default(),
            };
            asked.push(model.clone());
            if let Some(failed) = last_failed.take() {
                log::warn!(
                    "model failed, asking another request={request_id} model={} error={} next={}",
                    quoted(&failed.model),
                    failed.failure.kind(),
                    quoted(&model)
                );
                if let Some(tokens) = last_cached.take() {
                    log_cached_prefix(&request_id, &failed, tokens);
                }
                on_fallback(&failed);
                reported = most_relevant(reported, failed.failure);
            }
            // The last model needs no copy, which may be megabytes.
            let conversation = if is_last { conversation.take() } else { conversation.clone() };
            let mut cached_tokens = None;
            let result = async {
                let attempt = Attempt {
                    request_id: &request_id,
                    client: &client,
                    session: session.as_ref(),
                    meter: &meter,
                    requested: candidate,
                    resolved: resolved?,
                    conversation: conversation.unwrap_or_default(),
                    began,
                };
                let prepared = self.prepare(attempt).await?;
                cached_tokens = prepared.cached_tokens();
                if is_last { Ok(prepared.start()) } else { accepted(prepared).await }
            };
            let failure = match result.await {
                Ok(started) => return Ok(started),
                Err(failure) => failure,
            };
            let is_unfit = reported.is_some() && failure.is_too_long();
            if !is_unfit && !failure.allows_another_model() {
                return Err(failure);
            }
            last_failed = Some(ModelFailure { model, failure });
            last_cached = cached_tokens;
        }
        let last = last_failed.map(|failed| failed.failure);
        let failure = match last {
            Some(last) => most_relevant(reported, last),
            None => reported,
        };
        Err(failure.unwrap_or_else(|| Failure::internal("a request without a model")))
    }
}

/// Logs that a fallback reads a prefix again that the failed model has in its cache, and would still have after the wait
/// that its failure asks for.
fn log_cached_prefix(request_id: &str, failed: &ModelFailure, tokens: u64) {
    let wait = match &failed.failure {
        Failure::RateLimited { retry_after, .. } => *retry_after,
        Failure::Overloaded { .. } => Duration::ZERO,
        _ => return,
    };
    if wait < CACHED_FOR {
        log::warn!(
            "fallback leaves a cached prefix request={request_id} model={} cached_tokens={tokens} retry_after={}",
            quoted(&failed.model),
            wait.as_secs()
        );
    }
}

/// The failure that the client gets: the last one. A fallback that is absent, or too small for the conversation, says
/// nothing about the request.
fn most_relevant(earlier: Option<Failure>, last: Failure) -> Option<Failure> {
    let is_absent = matches!(last, Failure::UnknownModel { .. } | Failure::ModelNotAllowed { .. });
    let is_irrelevant = is_absent || last.is_too_long();
    earlier.filter(|_| is_irrelevant).or(Some(last))
}

/// Runs a request until the model has accepted it. A failure before that is returned; a later one is an event.
async fn accepted(prepared: PreparedCompletion) -> Result<StartedCompletion, Failure> {
    let acceptance = prepared.acceptance();
    let mut started = prepared.start();
    let first = {
        let event = select_all(started.choices_mut().map(StreamExt::next));
        match select(event, pin!(acceptance.wait())).await {
            Either::Left(((event, choice, _), _)) => Some((choice, event)),
            Either::Right(_) => None,
        }
    };
    match first {
        Some((_, Some(Err(failure)))) if !acceptance.is_set() => return Err(failure),
        Some((choice, Some(event))) => started.put_back(choice, event),
        Some((_, None)) | None => {}
    }
    Ok(started)
}
