//! The HTTP port as a state machine: off, open, or tried again until it can be opened.

use std::io;
use std::time::Duration;

use tokio::task::{JoinHandle, JoinSet, spawn_blocking};
use tokio::time::Instant;

use crate::bridge::protocol::{HttpState, PortHolder};
use crate::http::AppState;
use crate::http::listeners::Listeners;
use crate::port_holder;

use super::at;

/// The port that the user wants, and its state.
pub(super) struct HttpPort {
    state: State,
    /// Whether it should be open.
    wanted: bool,
    /// The number wanted: the command line's until an editor sends another.
    number: u16,
    /// Connections of closed ports, which may end in time.
    draining: JoinSet<()>,
}

enum State {
    Off,
    Open(Listeners),
    /// Another program has it.
    Taken {
        port: u16,
        retry: Instant,
        occupant: Occupant,
    },
    Failed {
        port: u16,
        message: String,
        retry: Instant,
    },
}

/// The program that has the port: looked up once.
enum Occupant {
    Searching(JoinHandle<Found>),
    Known(Found),
}

/// The program that has the port, as far as the system tells, and the next free port.
#[derive(Clone, Default)]
struct Found {
    holder: Option<PortHolder>,
    free_port: Option<u16>,
}

impl Occupant {
    fn search(port: u16) -> Occupant {
        Occupant::Searching(spawn_blocking(move || Found {
            holder: port_holder::find(port).map(|port_holder::Holder { name, pid }| PortHolder { name, pid }),
            free_port: port_holder::free_after(port),
        }))
    }

    fn found(&self) -> Found {
        match self {
            Occupant::Searching(_) => Found::default(),
            Occupant::Known(found) => found.clone(),
        }
    }

    /// Waits for the end of a search.
    async fn search_ended(&mut self) {
        match self {
            Occupant::Searching(search) => *self = Occupant::Known(search.await.unwrap_or_default()),
            Occupant::Known(_) => std::future::pending().await,
        }
    }
}

impl HttpPort {
    /// A port that is wanted and not open yet.
    pub fn new(number: u16) -> HttpPort {
        HttpPort { state: State::Off, wanted: true, number, draining: JoinSet::new() }
    }

    /// The number wanted.
    pub fn number(&self) -> u16 {
        self.number
    }

    /// The number on which it is open.
    pub fn open_number(&self) -> Option<u16> {
        match &self.state {
            State::Open(listeners) => Some(listeners.port()),
            State::Off | State::Taken { .. } | State::Failed { .. } => None,
        }
    }

    /// The state as editors show it.
    pub fn status(&self) -> HttpState {
        match &self.state {
            State::Off => HttpState::Off,
            State::Open(listeners) => HttpState::Running { port: listeners.port() },
            State::Taken { port, occupant, .. } => {
                let Found { holder, free_port } = occupant.found();
                HttpState::PortTaken { port: *port, holder, free_port }
            }
            State::Failed { port, message, .. } => {
                HttpState::Failed { port: *port, message: message.clone() }
            }
        }
    }

    /// Whether it should be open.
    pub fn is_wanted(&self) -> bool {
        self.wanted
    }

    /// Sets whether it should be open, without opening or closing it.
    pub fn want(&mut self, wanted: bool) {
        self.wanted = wanted;
    }

    /// Waits until it should be tried again, or the program that has it is known. Drops the connections of closed ports
    /// that end meanwhile.
    pub async fn wait_for_retry(&mut self) {
        let (retry, mut occupant) = match &mut self.state {
            State::Taken { retry, occupant, .. } => (Some(*retry), Some(occupant)),
            State::Failed { retry, .. } => (Some(*retry), None),
            State::Off | State::Open(_) => (None, None),
        };
        loop {
            tokio::select! {
                Some(_) = self.draining.join_next() => {}
                () = search_ended(&mut occupant) => return,
                () = at(retry) => return,
            }
        }
    }

    /// Waits until all connections of closed ports have ended.
    pub async fn drained(&mut self) {
        while self.draining.join_next().await.is_some() {}
    }

    /// Whether it is off.
    pub fn is_off(&self) -> bool {
        matches!(self.state, State::Off)
    }

    /// Opens it, or fails with the system's error.
    pub fn try_open(&mut self, app: &AppState) -> io::Result<()> {
        let ipv6 = app.user_settings.read().ipv6;
        self.state = State::Open(Listeners::open(self.number, ipv6, app)?);
        Ok(())
    }

    /// Opens it, or plans to try again; returns whether it is open.
    pub fn open(&mut self, app: &AppState) -> bool {
        let retry = Instant::now() + app.options.port_retry;
        let port = self.number;
        match self.try_open(app) {
            Ok(()) => return true,
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                let before = std::mem::replace(&mut self.state, State::Off);
                let occupant = match before {
                    State::Taken { port: same, occupant, .. } if same == port => occupant,
                    State::Off | State::Open(_) | State::Taken { .. } | State::Failed { .. } => {
                        log::warn!("port in use by another program, waiting until it is free port={port}");
                        Occupant::search(port)
                    }
                };
                self.state = State::Taken { port, retry, occupant };
            }
            Err(error) => {
                if !matches!(self.state, State::Failed { .. }) {
                    log::error!("port can't be opened port={port}: {error}");
                }
                self.state = State::Failed { port, message: error.to_string(), retry };
            }
        }
        false
    }

    /// Takes no more connections; those that are open get `limit` to end.
    pub async fn close(&mut self, limit: Duration) {
        if let State::Open(listeners) = std::mem::replace(&mut self.state, State::Off) {
            for connections in listeners.close().await {
                self.draining.spawn_local(connections.ended(limit));
            }
            log::info!("port closed");
        }
    }

    /// Sets the number wanted; returns whether the port must be closed and opened again for it.
    pub fn set_number(&mut self, number: u16) -> bool {
        let changed = number != self.number && self.open_number() != Some(number);
        self.number = number;
        changed && !self.is_off()
    }

    /// Opens or closes `[::1]` beside an open port.
    pub async fn set_ipv6(&mut self, wanted: bool, app: &AppState) {
        if let State::Open(listeners) = &mut self.state
            && let Some(connections) = listeners.set_ipv6(wanted, app).await
        {
            self.draining.spawn_local(connections.ended(app.options.handover));
        }
    }
}

async fn search_ended(occupant: &mut Option<&mut Occupant>) {
    match occupant {
        Some(occupant) => occupant.search_ended().await,
        None => std::future::pending().await,
    }
}
