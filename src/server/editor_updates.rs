//! Messages for the editors: status and log lines for all, requests and models for those that show the panel.
//!
//! Changes are collected for a moment and sent together, so that a busy server costs its editors ten messages a
//! second and not four for each request.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::Sender;
use tokio::time::{Instant, sleep_until};

use crate::bridge::protocol::{CatalogModel, LogLine, ModelCatalog, ModelInfo, ReadLog, Status, ToEditor};
use crate::bridge::{Editor, EditorId};
use crate::log;
use crate::models::ModelEntry;
use crate::request_log::RequestLog;

/// Longest delay of a change: short enough for people to see progress.
const BATCH: Duration = Duration::from_millis(100);

/// The attached editors, and what each of them knows.
pub(super) struct EditorUpdates {
    editors: Vec<Editor>,
    /// Of the editors, those that show the panel.
    subscribers: Vec<Editor>,
    /// Programs that follow the log.
    log_readers: Vec<Sender<LogLine>>,
    request_log: Arc<RequestLog>,
    /// Number of log lines that all editors know.
    lines: u64,
    status: Option<Status>,
    models: Arc<[ModelEntry]>,
    /// Revision of the request log that all subscribers know.
    revision: u64,
    /// Time to send what has changed; `None` while nothing has.
    due: Option<Instant>,
}

impl EditorUpdates {
    /// Updates without editors.
    pub fn new(request_log: Arc<RequestLog>) -> EditorUpdates {
        EditorUpdates {
            editors: Vec::new(),
            subscribers: Vec::new(),
            log_readers: Vec::new(),
            request_log,
            lines: 0,
            status: None,
            models: Arc::default(),
            revision: 0,
            due: None,
        }
    }

    /// Waits for a change that `flush` should send, or for the time to send earlier ones.
    pub async fn next(&mut self) {
        if self.due.is_none() {
            tokio::select! {
                () = log::changed() => {}
                () = self.request_log.changed.notified() => {}
            }
        }
        sleep_until(*self.due.get_or_insert_with(|| Instant::now() + BATCH)).await;
    }

    /// Adds an editor, which learns of earlier log lines and of the status at once.
    pub fn attach(&mut self, editor: Editor) {
        // Lines that are pending for the others are among the recent ones.
        self.flush_lines();
        for line in log::after(0).0 {
            editor.notify(&ToEditor::Log(line));
        }
        if let Some(status) = &self.status {
            editor.notify(&ToEditor::Status(status.clone()));
        }
        self.editors.push(editor);
    }

    /// Sends a program the recent log lines, and later ones if it follows them.
    pub fn read_log(&mut self, read: &ReadLog, reader: Sender<LogLine>) {
        self.flush_lines();
        let lines = log::after(0).0;
        let wanted = read.last.and_then(|last| usize::try_from(last).ok()).unwrap_or(lines.len());
        let skipped = lines.len().saturating_sub(wanted);
        let is_reading = lines.into_iter().skip(skipped).all(|line| reader.try_send(line).is_ok());
        if read.follow && is_reading {
            self.log_readers.push(reader);
        }
    }

    /// Removes an editor.
    pub fn detach(&mut self, id: EditorId) {
        self.editors.retain(|editor| editor.id() != id);
        self.subscribers.retain(|editor| editor.id() != id);
    }

    /// Makes an editor a subscriber, which learns of everything that is kept, or ends its subscription.
    pub fn subscribe(&mut self, id: EditorId, enabled: bool) {
        // The others learn of their changes first: from here on all know the same.
        self.flush_activity();
        self.subscribers.retain(|editor| editor.id() != id);
        if let Some(editor) = self.editors.iter().find(|editor| enabled && editor.id() == id) {
            editor.notify(&ToEditor::Activity(self.request_log.activity(None)));
            editor.notify(&ToEditor::ModelCatalog(catalog(&self.models)));
            self.subscribers.push(editor.clone());
        }
        self.schedule_for_subscribers();
    }

    /// Sends one captured request to an editor.
    pub fn send_exchange(&self, id: EditorId, request: &str) {
        let exchange = ToEditor::Exchange(self.request_log.exchange(request));
        self.editors.iter().filter(|editor| editor.id() == id).for_each(|editor| editor.notify(&exchange));
    }

    /// Whether some editor shows the panel.
    pub fn has_subscribers(&self) -> bool {
        !self.subscribers.is_empty()
    }

    /// The attached editors.
    pub fn editors(&self) -> &[Editor] {
        &self.editors
    }

    /// Sends a message to all editors.
    pub fn notify_all(&self, message: &ToEditor) {
        self.editors.iter().for_each(|editor| editor.notify(message));
    }

    /// Sends everything that has changed since the last time.
    pub fn flush(&mut self, status: Status, models: Arc<[ModelEntry]>) {
        self.flush_lines();
        if self.status.as_ref() != Some(&status) {
            self.notify_all(&ToEditor::Status(status.clone()));
            self.status = Some(status);
        }
        if models != self.models {
            self.models = models;
            if !self.subscribers.is_empty() {
                let message = ToEditor::ModelCatalog(catalog(&self.models));
                self.subscribers.iter().for_each(|editor| editor.notify(&message));
            }
        }
        self.flush_activity();
        self.schedule_for_subscribers();
    }

    /// Sends all log lines that there are.
    pub fn flush_lines(&mut self) {
        let (lines, count) = log::after(self.lines);
        self.lines = count;
        for line in lines {
            self.log_readers.retain(|reader| reader.try_send(line.clone()).is_ok());
            self.notify_all(&ToEditor::Log(line));
        }
    }

    fn flush_activity(&mut self) {
        let revision = self.request_log.revision();
        if revision != self.revision && !self.subscribers.is_empty() {
            let message = ToEditor::Activity(self.request_log.activity(Some(self.revision)));
            self.subscribers.iter().for_each(|editor| editor.notify(&message));
        }
        self.revision = revision;
    }

    /// A running response changes its record without a notification, so subscribers are looked after all the time.
    fn schedule_for_subscribers(&mut self) {
        self.due = (!self.subscribers.is_empty()).then(|| Instant::now() + BATCH);
    }
}

fn catalog(models: &[ModelEntry]) -> ModelCatalog {
    let model = |entry: &ModelEntry| CatalogModel {
        request_name: entry.id.clone(),
        model: ModelInfo::clone(&entry.model),
    };
    ModelCatalog { models: models.iter().map(model).collect() }
}
