//! Publishes the server to editors: its directory with lock, socket and `server.json`. All of them are created again if
//! something removes them, such as a cleaner of temporary files.

use std::fmt::Display;
use std::sync::Arc;

use tokio::sync::mpsc::UnboundedSender;
use tokio::task::JoinHandle;

use super::ServerError;
use crate::bridge::directory::{Directory, DirectoryError, ProtocolRange, ServerFile, ServerLock};
use crate::bridge::listener::BridgeListener;
use crate::bridge::protocol::PROTOCOL;
use crate::bridge::{ConnectionConfig, QueuedEvent};
use crate::http::AppState;

/// The server's directory and what is in it.
pub(super) struct Discovery {
    directory: Directory,
    lock: ServerLock,
    file: ServerFile,
    config: ConnectionConfig,
    /// Accepts connections on the socket.
    accept_loop: JoinHandle<()>,
    /// Whether the last attempt to write failed, so that the log has it once.
    has_failed: bool,
}

/// Result of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Presence {
    /// Editors find this server.
    Ours,
    /// The lock was removed, and another server holds the new one.
    Replaced,
}

impl Discovery {
    /// Opens the socket in a directory whose lock is held, and publishes it.
    pub fn new(
        directory: Directory,
        lock: ServerLock,
        state: &AppState,
        events: UnboundedSender<QueuedEvent>,
    ) -> Result<Discovery, ServerError> {
        let options = &state.options;
        let config = ConnectionConfig {
            version: options.version.clone(),
            handshake_timeout: options.handshake_timeout,
            heartbeat: options.heartbeat,
            events,
            next_id: Arc::default(),
        };
        let listener = BridgeListener::open(&directory).map_err(ServerError::Socket)?;
        let file = ServerFile {
            pid: std::process::id(),
            version: options.version.to_string(),
            protocol: ProtocolRange { min: PROTOCOL, max: PROTOCOL },
            endpoint: listener.endpoint.clone(),
            token: listener.token.to_string(),
            port: None,
            started_at: state.started,
            instance: Some(state.instance.to_string()),
        };
        directory.publish(&file)?;
        let accept_loop = tokio::task::spawn_local(listener.accept_loop(config.clone()));
        Ok(Discovery { directory, lock, file, config, accept_loop, has_failed: false })
    }

    /// Publishes the port; `None` while it is closed.
    pub fn publish(&mut self, port: Option<u16>) {
        self.file.port = port;
        let published = self.directory.publish(&self.file);
        self.report(&published);
    }

    /// Removes `server.json`, unless it is another server's: editors no longer attach.
    pub fn retract(&self) {
        if self.lock.is_in_place() {
            self.directory.retract();
        }
    }

    /// Creates removed files again.
    pub fn check(&mut self) -> Presence {
        match self.restore() {
            Err(ServerError::Directory(DirectoryError::Taken { .. })) => Presence::Replaced,
            result => {
                self.report(&result);
                Presence::Ours
            }
        }
    }

    fn restore(&mut self) -> Result<(), ServerError> {
        if !self.lock.is_in_place() {
            self.directory = Directory::open(self.directory.path())?;
            self.lock = self.directory.lock()?;
            log::warn!("lock was removed, taken again");
        }
        if !BridgeListener::is_in_place(&self.file.endpoint) {
            let listener = BridgeListener::open(&self.directory).map_err(ServerError::Socket)?;
            self.file.endpoint.clone_from(&listener.endpoint);
            self.file.token = listener.token.to_string();
            self.accept_loop.abort();
            self.accept_loop = tokio::task::spawn_local(listener.accept_loop(self.config.clone()));
            log::warn!("socket was removed, opened again");
        }
        if !self.directory.publishes(&self.file) {
            self.directory.publish(&self.file)?;
            log::warn!("server.json was missing, written again");
        }
        Ok(())
    }

    fn report<E: Display>(&mut self, result: &Result<(), E>) {
        if let Err(error) = result
            && !self.has_failed
        {
            log::error!("windows can't find the server, trying again: {error}");
        }
        self.has_failed = result.is_err();
    }
}
