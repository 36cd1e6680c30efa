//! The server's port on all its addresses: 127.0.0.1, and `[::1]` if the user wants it and the machine has it.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::listener::{Draining, Listener};
use super::state::AppState;

/// An open port. Dropping it closes every connection at once; `close` lets responses end first.
pub struct Listeners {
    main: Listener,
    ipv6: Option<Listener>,
}

impl Listeners {
    /// Opens a port; 0 takes a free one.
    pub fn open(port: u16, ipv6: bool, state: &AppState) -> io::Result<Listeners> {
        let main = Listener::open(IpAddr::V4(Ipv4Addr::LOCALHOST), port, state.clone())?;
        let mut listeners = Listeners { main, ipv6: None };
        if ipv6 {
            listeners.open_ipv6(state);
        }
        Ok(listeners)
    }

    /// Port number; the one that was assigned if 0 was asked for.
    pub fn port(&self) -> u16 {
        self.main.port
    }

    /// Opens or closes `[::1]`. Returns the open connections of what it closed.
    pub async fn set_ipv6(&mut self, wanted: bool, state: &AppState) -> Option<Draining> {
        if !wanted {
            return Some(self.ipv6.take()?.close().await);
        }
        if self.ipv6.is_none() {
            self.open_ipv6(state);
        }
        None
    }

    /// Stops accepting connections; returns those that are still open.
    pub async fn close(self) -> Vec<Draining> {
        let mut closed = vec![self.main.close().await];
        if let Some(ipv6) = self.ipv6 {
            closed.push(ipv6.close().await);
        }
        closed
    }

    /// Opens `[::1]`. A failure is only logged: clients still have 127.0.0.1.
    fn open_ipv6(&mut self, state: &AppState) {
        let port = self.port();
        match Listener::open(IpAddr::V6(Ipv6Addr::LOCALHOST), port, state.clone()) {
            Ok(listener) => {
                log::info!("listening on http://[::1]:{port} too");
                self.ipv6 = Some(listener);
            }
            Err(error) => log::warn!("[::1]:{port} can't be opened error={error}"),
        }
    }
}
