//! Questions to the user whether web pages of an origin may use the models. One is open at a time; an editor shows it.
//!
//! The editor writes the answer to its settings, which it sends. Until then, and for `null` for an hour, the answer is
//! remembered here.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use actix::Addr;
use parking_lot::Mutex;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use super::origin_access::NO_ORIGIN;
use crate::bridge::Editor;
use crate::bridge::protocol::{FromEditor, OriginDecision, UserSettings};
use crate::failure::Failure;
use crate::models::ModelRegistry;
use crate::models::registry::FindWindows;

/// Time for which the answer about pages without an origin holds: any file and any sandboxed frame is one.
const REMEMBER_NO_ORIGIN: Duration = Duration::from_hours(1);

/// Time for which other answers are remembered: longer than an editor takes to send its settings.
const REMEMBER: Duration = Duration::from_mins(1);

/// Most questions in [`QUESTION_PERIOD`] that were not answered with *Allow*. A page with many names must not bother
/// the user.
const MAX_QUESTIONS: usize = 5;
const QUESTION_PERIOD: Duration = Duration::from_mins(10);

/// Most requests that wait for an answer.
const MAX_WAITING: usize = 8;

/// Asks the user about origins.
pub struct OriginQuestions {
    registry: Addr<ModelRegistry>,
    /// Time that a request waits for an answer.
    wait: Duration,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    open: Option<Question>,
    /// Answers with the time at which they are forgotten.
    answers: HashMap<String, (OriginDecision, Instant)>,
    /// Times of the latest questions that were not answered with *Allow*.
    without_yes: VecDeque<Instant>,
}

struct Question {
    origin: String,
    answer: watch::Sender<Option<OriginDecision>>,
}

impl State {
    fn forget(&mut self, now: Instant) {
        self.answers.retain(|_, (_, until)| *until > now);
        self.without_yes.retain(|time| *time + QUESTION_PERIOD > now);
    }

    fn answered(&mut self, origin: String, decision: OriginDecision) {
        let now = Instant::now();
        let period = if origin == NO_ORIGIN { REMEMBER_NO_ORIGIN } else { REMEMBER };
        let period = if decision == OriginDecision::Unanswered { REMEMBER } else { period };
        if decision != OriginDecision::Allow {
            self.without_yes.push_back(now);
        }
        self.answers.insert(origin, (decision, now + period));
    }
}

impl OriginQuestions {
    /// Asks editors of this registry; a request waits for `wait`.
    pub fn new(registry: Addr<ModelRegistry>, wait: Duration) -> OriginQuestions {
        OriginQuestions { registry, wait, state: Mutex::default() }
    }

    /// Waits for the user's decision about an origin; fails if it isn't *Allow*.
    pub async fn ask(self: &Arc<Self>, origin: &str) -> Result<(), Failure> {
        let editor = self.editor().await;
        let mut answer = match self.question(origin, editor)? {
            Waiting::Answered(decision) => return allowed(origin, decision),
            Waiting::For(answer) => answer,
        };
        let answered = timeout(self.wait, answer.wait_for(Option::is_some)).await;
        match answered {
            Ok(Ok(decision)) => allowed(origin, decision.unwrap_or(OriginDecision::Unanswered)),
            Ok(Err(_)) => allowed(origin, OriginDecision::Unanswered),
            Err(_) => Err(refused(format!(
                "VS Code asks whether web pages of {origin} may use the models; answer there and send the request again"
            ))),
        }
    }

    /// Forgets the answers about origins that the user has removed from the settings: the next request asks again.
    pub fn settings_changed(&self, before: &UserSettings, after: &UserSettings) {
        let listed = |settings: &UserSettings, origin: &String| {
            settings.allowed_origins.contains(origin) || settings.blocked_origins.contains(origin)
        };
        self.state.lock().answers.retain(|origin, _| !listed(before, origin) || listed(after, origin));
    }

    /// The editor that shows the question: the window focused last.
    async fn editor(&self) -> Option<Editor> {
        let windows = self.registry.send(FindWindows { workspace: None }).await.ok()?.ok()?;
        windows.into_iter().next()
    }

    /// Finds the answer or the open question about an origin, or opens one.
    fn question(self: &Arc<Self>, origin: &str, editor: Option<Editor>) -> Result<Waiting, Failure> {
        let mut state = self.state.lock();
        state.forget(Instant::now());
        if let Some((decision, _)) = state.answers.get(origin) {
            return Ok(Waiting::Answered(*decision));
        }
        if let Some(open) = &state.open {
            return if open.origin != origin {
                Err(refused(format!(
                    "VS Code is asking about another web page; answer there, then send the request of {origin} again"
                )))
            } else if open.answer.receiver_count() >= MAX_WAITING {
                Err(Failure::TooManyRequests { limit: MAX_WAITING })
            } else {
                Ok(Waiting::For(open.answer.subscribe()))
            };
        }
        if state.without_yes.len() >= MAX_QUESTIONS {
            return Err(refused(format!(
                "too many web pages asked for the models; add {origin} to the setting `copilotProxy.allowedOrigins` if \
                 it is yours"
            )));
        }
        let Some(editor) = editor else { return Ok(Waiting::Answered(OriginDecision::Unanswered)) };
        let (answer, waiting) = watch::channel(None);
        state.open = Some(Question { origin: origin.to_owned(), answer });
        log::info!("asking the user about web pages origin={origin:?}");
        tokio::task::spawn_local(self.clone().show(editor, origin.to_owned()));
        Ok(Waiting::For(waiting))
    }

    /// Lets the editor show a question and passes the answer to the requests that wait. An answer that comes after they
    /// have given up counts for later ones.
    async fn show(self: Arc<Self>, editor: Editor, origin: String) {
        let answer = match editor.ask_origin(origin.clone()) {
            Ok(answer) => answer.get().await.ok(),
            Err(_) => None,
        };
        let decision = match answer {
            Some(FromEditor::OriginAnswer(answer)) => answer.decision,
            _ => OriginDecision::Unanswered,
        };
        log::info!("web pages origin={origin:?} decision={decision:?}");
        let mut state = self.state.lock();
        state.answered(origin, decision);
        if let Some(open) = state.open.take() {
            open.answer.send_replace(Some(decision));
        }
    }
}

/// State of the question about an origin.
enum Waiting {
    Answered(OriginDecision),
    For(watch::Receiver<Option<OriginDecision>>),
}

fn allowed(origin: &str, decision: OriginDecision) -> Result<(), Failure> {
    match decision {
        OriginDecision::Allow => Ok(()),
        OriginDecision::Block => Err(blocked(origin)),
        OriginDecision::Unanswered => Err(refused(format!(
            "web pages of {origin} may not use the models; allow them in VS Code, by the setting \
             `copilotProxy.allowedOrigins` (`demo`: with `--allow-origin`)"
        ))),
    }
}

/// The failure of a page whose origin the user has blocked.
pub(super) fn blocked(origin: &str) -> Failure {
    refused(format!(
        "the user has blocked web pages of {origin}; to allow them, add it to the setting `copilotProxy.allowedOrigins`"
    ))
}

/// The failure of a page that may not see or run the editor's tools.
pub(super) fn tools_refused() -> Failure {
    refused(
        "web pages may not use the editor's tools; add the page's origin to the setting `copilotProxy.toolOrigins` if it \
         is yours"
            .into(),
    )
}

/// The failure of a page that may not use an endpoint.
pub(super) fn refused(message: String) -> Failure {
    Failure::Forbidden { code: "origin_not_allowed", message }
}
