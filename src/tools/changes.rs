//! Notices changes of a window's tools while there are subscribers. VS Code has no event for them, so they are read again
//! and again, once for all subscribers of a window.

use std::collections::HashMap;
use std::hash::BuildHasher;
use std::sync::Arc;
use std::time::Duration;

use actix::Addr;
use parking_lot::{Mutex, RwLock};
use tokio::sync::watch;
use tokio::task::spawn_local;
use tokio::time::sleep;

use super::executor::{EditorTools, ListTools};
use super::{ToolExecutor, runnable};
use crate::bridge::protocol::UserSettings;
use crate::conversation::Tool;

/// Time between two readings: short enough to be noticed at once, long enough not to load the extension host.
const INTERVAL: Duration = Duration::from_secs(2);

/// A hash of the tools that may be run; `None` before they were first read.
pub type ToolsHash = Option<u64>;

/// Watches the tools of windows; cheap to clone.
#[derive(Clone)]
pub struct ToolChanges {
    executor: Addr<ToolExecutor>,
    user_settings: Arc<RwLock<Arc<UserSettings>>>,
    /// The windows that are watched, by the workspace that names them.
    watched: Arc<Mutex<HashMap<Option<String>, watch::Sender<ToolsHash>>>>,
}

impl ToolChanges {
    /// A watcher without subscribers.
    pub fn new(executor: Addr<ToolExecutor>, user_settings: Arc<RwLock<Arc<UserSettings>>>) -> ToolChanges {
        ToolChanges { executor, user_settings, watched: Arc::default() }
    }

    /// Watches the tools of a window until the receiver is dropped.
    pub fn subscribe(&self, workspace: Option<String>) -> watch::Receiver<ToolsHash> {
        let mut watched = self.watched.lock();
        if let Some(sender) = watched.get(&workspace) {
            return sender.subscribe();
        }
        let sender = watch::Sender::new(None);
        let receiver = sender.subscribe();
        watched.insert(workspace.clone(), sender.clone());
        spawn_local(self.clone().watch(workspace, sender));
        receiver
    }

    async fn watch(self, workspace: Option<String>, sender: watch::Sender<ToolsHash>) {
        loop {
            // A window may be about to come back; until then nothing is known.
            let poll = ListTools { workspace: workspace.clone(), is_poll: true };
            if let Ok(Ok(tools)) = self.executor.send(poll).await {
                let hash = hash_of(&self.runnable(tools));
                sender.send_if_modified(|known| known.replace(hash) != Some(hash));
            }
            sleep(INTERVAL).await;
            let mut watched = self.watched.lock();
            if sender.receiver_count() == 0 {
                watched.remove(&workspace);
                return;
            }
        }
    }

    /// The tools of a window that may be run.
    pub fn runnable(&self, EditorTools { tools, unusable, .. }: EditorTools) -> Vec<Tool> {
        runnable(tools, &unusable, &self.user_settings.read().auto_tools)
    }
}

/// A hash of tools, equal for equal ones as long as the server runs.
pub fn hash_of(tools: &[Tool]) -> u64 {
    let written = serde_json::to_vec(tools).unwrap_or_default();
    foldhash::fast::FixedState::default().hash_one(written)
}
