//! Keys of the programs that `copilot-proxy run` starts: made when one attaches, revoked when it has ended.

use std::sync::Arc;

use tokio::sync::oneshot;

use crate::bridge::ProgramId;
use crate::bridge::protocol::{Run, RunKey};
use crate::failure::cut;
use crate::keys::{Key, KeyKind, KeyLimits, KeyRing, RUN_PREFIX, make_text};
use crate::log::quoted;

/// Longest program name in a key's name, in bytes.
const MAX_PROGRAM: usize = 40;

/// The running programs.
pub(super) struct RunKeys {
    keys: Arc<KeyRing>,
    running: Vec<(ProgramId, String)>,
}

impl RunKeys {
    /// No program yet; their keys are added to `keys`.
    pub fn new(keys: Arc<KeyRing>) -> RunKeys {
        RunKeys { keys, running: Vec::new() }
    }

    /// Sends a program its key: a new one, or the one that an earlier server made.
    pub fn attach(&mut self, id: ProgramId, run: Run, reply: oneshot::Sender<RunKey>) {
        let earlier = run.earlier.filter(|earlier| earlier.key.starts_with(RUN_PREFIX));
        let made = earlier.map_or_else(|| make(run.program), Ok);
        let RunKey { name, key: text } = match made {
            Ok(made) => made,
            Err(error) => {
                return log::error!("key for a program can't be made error={:?}", error.to_string());
            }
        };
        let key = Key {
            name: name.clone(),
            kind: KeyKind::Run,
            models: Vec::new(),
            may_use_tools: true,
            limits: KeyLimits { max_credits: run.max_credits, ..KeyLimits::default() },
        };
        self.keys.add_run_key(key, &text);
        log::info!("program attached key={} pid={}", quoted(&name), run.pid);
        self.running.push((id, name.clone()));
        // Fails if the program has ended meanwhile, which is an event of its own.
        let _ = reply.send(RunKey { name, key: text });
    }

    /// Revokes the key of a program that has ended.
    pub fn detach(&mut self, id: ProgramId) {
        let Some(index) = self.running.iter().position(|(running, _)| *running == id) else { return };
        let (_, name) = self.running.swap_remove(index);
        log::info!("program detached key={}", quoted(&name));
        // `run` may have attached again before its earlier connection ended.
        if !self.running.iter().any(|(_, other)| *other == name) {
            self.keys.remove_run_key(&name);
        }
    }
}

/// A new key, named after the program: `run-codex-5f3a91c2`.
fn make(mut program: String) -> std::io::Result<RunKey> {
    cut(&mut program, MAX_PROGRAM);
    let number = uuid::Uuid::new_v4().as_fields().0;
    Ok(RunKey { name: format!("run-{program}-{number:08x}"), key: make_text(RUN_PREFIX)? })
}
