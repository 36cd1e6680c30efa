//! Editors that show the requests and the models: each hears all there is when it begins to look, and then what
//! changes.

use std::time::Duration;

use tokio::time::Instant;

use crate::bridge::protocol::{Catalogue, Offered, ToHost};
use crate::bridge::{Host, HostId};
use crate::ledger::Ledger;
use crate::models::Listed;

/// Often enough for a person to see things move, and seldom enough that no token has a message of its own.
const EVERY: Duration = Duration::from_millis(100);

#[derive(Default)]
pub(super) struct Watchers {
    hosts: Vec<Host>,
    /// When to look for changes.
    due: Option<Instant>,
    /// All have heard of everything up to this revision.
    told: u64,
    /// What can be asked; all have heard of it.
    models: Vec<Listed>,
}

impl Watchers {
    /// This editor looks from here on, or no longer does.
    pub fn watch(&mut self, id: HostId, host: Option<&Host>, ledger: &Ledger) {
        // The others' news goes first: from here on all know the same.
        self.tell(ledger);
        self.hosts.retain(|watching| watching.id() != id);
        if let Some(host) = host {
            host.tell(&ToHost::Activity(ledger.activity(None)));
            host.tell(&ToHost::Catalogue(catalogue(&self.models)));
            self.hosts.push(host.clone());
        }
        self.due = (!self.hosts.is_empty()).then(|| Instant::now() + EVERY);
    }

    /// These are the models now.
    pub fn offer(&mut self, models: Vec<Listed>) {
        if models == self.models {
            return;
        }
        self.models = models;
        if !self.hosts.is_empty() {
            let catalogue = ToHost::Catalogue(catalogue(&self.models));
            for host in &self.hosts {
                host.tell(&catalogue);
            }
        }
    }

    /// When to call `tell`; never while nobody looks.
    pub fn due(&self) -> Option<Instant> {
        self.due
    }

    /// Tells what has changed, if anything has.
    pub fn tell(&mut self, ledger: &Ledger) {
        let revision = ledger.revision();
        if revision != self.told && !self.hosts.is_empty() {
            let activity = ToHost::Activity(ledger.activity(Some(self.told)));
            for host in &self.hosts {
                host.tell(&activity);
            }
        }
        self.told = revision;
        self.due = self.due.map(|_| Instant::now() + EVERY);
    }
}

fn catalogue(models: &[Listed]) -> Catalogue {
    let offered = |listed: &Listed| Offered { ask: listed.id.clone(), model: listed.model.clone() };
    Catalogue { models: models.iter().map(offered).collect() }
}
