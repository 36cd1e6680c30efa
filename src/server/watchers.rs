//! Editors that show the requests: each hears all that is kept when it begins to look, and then what changes.

use std::time::Duration;

use tokio::time::Instant;

use crate::bridge::protocol::ToHost;
use crate::bridge::{Host, HostId};
use crate::ledger::Ledger;

/// Often enough for a person to see things move, and seldom enough that no token has a message of its own.
const EVERY: Duration = Duration::from_millis(100);

#[derive(Default)]
pub(super) struct Watchers {
    hosts: Vec<Host>,
    /// When to look for changes.
    due: Option<Instant>,
    /// All have heard of everything up to this revision.
    told: u64,
}

impl Watchers {
    /// This editor looks from here on, or no longer does.
    pub fn watch(&mut self, id: HostId, host: Option<&Host>, ledger: &Ledger) {
        // The others' news goes first: from here on all know the same.
        self.tell(ledger);
        self.hosts.retain(|watching| watching.id() != id);
        if let Some(host) = host {
            host.tell(&ToHost::Activity(ledger.activity(None)));
            self.hosts.push(host.clone());
        }
        self.due = (!self.hosts.is_empty()).then(|| Instant::now() + EVERY);
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
