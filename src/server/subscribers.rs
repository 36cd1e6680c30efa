//! Editors that show the requests and the models: each hears all there is when it begins to look, and then what
//! changes.

use std::time::Duration;

use tokio::time::Instant;

use crate::bridge::protocol::{CatalogModel, ModelCatalog, ToEditor};
use crate::bridge::{Editor, EditorId};
use crate::models::Listed;
use crate::request_log::RequestLog;

/// Often enough for a person to see things move, and seldom enough that no token has a message of its own.
const EVERY: Duration = Duration::from_millis(100);

#[derive(Default)]
pub(super) struct Subscribers {
    editors: Vec<Editor>,
    /// When to look for changes.
    due: Option<Instant>,
    /// All have heard of everything up to this revision.
    told: u64,
    /// What can be asked; all have heard of it.
    models: Vec<Listed>,
}

impl Subscribers {
    /// This editor looks from here on, or no longer does.
    pub fn watch(&mut self, id: EditorId, host: Option<&Editor>, request_log: &RequestLog) {
        // The others' news goes first: from here on all know the same.
        self.tell(request_log);
        self.editors.retain(|watching| watching.id() != id);
        if let Some(host) = host {
            host.tell(&ToEditor::Activity(request_log.activity(None)));
            host.tell(&ToEditor::ModelCatalog(catalogue(&self.models)));
            self.editors.push(host.clone());
        }
        self.due = (!self.editors.is_empty()).then(|| Instant::now() + EVERY);
    }

    /// These are the models now.
    pub fn offer(&mut self, models: Vec<Listed>) {
        if models == self.models {
            return;
        }
        self.models = models;
        if !self.editors.is_empty() {
            let catalogue = ToEditor::ModelCatalog(catalogue(&self.models));
            for host in &self.editors {
                host.tell(&catalogue);
            }
        }
    }

    /// When to call `tell`; never while nobody looks.
    pub fn due(&self) -> Option<Instant> {
        self.due
    }

    /// Tells what has changed, if anything has.
    pub fn tell(&mut self, request_log: &RequestLog) {
        let revision = request_log.revision();
        if revision != self.told && !self.editors.is_empty() {
            let activity = ToEditor::Activity(request_log.activity(Some(self.told)));
            for host in &self.editors {
                host.tell(&activity);
            }
        }
        self.told = revision;
        self.due = self.due.map(|_| Instant::now() + EVERY);
    }
}

fn catalogue(models: &[Listed]) -> ModelCatalog {
    let offered =
        |listed: &Listed| CatalogModel { request_name: listed.id.clone(), model: listed.model.clone() };
    ModelCatalog { models: models.iter().map(offered).collect() }
}
