//! The port as clients meet it: on 127.0.0.1, and on `[::1]` too where the person wants it and the machine has it.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::listener::{Draining, Listener};
use super::state::AppState;

/// An open port. Dropping it cuts every connection; `close` lets answers end first.
pub struct Listeners {
    main: Listener,
    ipv6: Option<Listener>,
}

impl Listeners {
    /// Opens this port; 0 takes a free one.
    pub fn open(port: u16, ipv6: bool, state: &AppState) -> io::Result<Listeners> {
        let main = Listener::open(IpAddr::V4(Ipv4Addr::LOCALHOST), port, state.clone())?;
        let mut listeners = Listeners { main, ipv6: None };
        if ipv6 {
            listeners.open_ipv6(state);
        }
        Ok(listeners)
    }

    /// Where it is.
    pub fn number(&self) -> u16 {
        self.main.number
    }

    /// Opens `[::1]` or closes it, as the person wants it from here on. What is closed has connections left.
    pub async fn set_ipv6(&mut self, wanted: bool, state: &AppState) -> Option<Draining> {
        if !wanted {
            return Some(self.ipv6.take()?.close().await);
        }
        if self.ipv6.is_none() {
            self.open_ipv6(state);
        }
        None
    }

    /// Takes no more connections; those that are open are left to be waited for.
    pub async fn close(self) -> Vec<Draining> {
        let mut closed = vec![self.main.close().await];
        if let Some(ipv6) = self.ipv6 {
            closed.push(ipv6.close().await);
        }
        closed
    }

    /// Without it clients still have 127.0.0.1: a line in the log is enough.
    fn open_ipv6(&mut self, state: &AppState) {
        let number = self.number();
        match Listener::open(IpAddr::V6(Ipv6Addr::LOCALHOST), number, state.clone()) {
            Ok(port) => {
                log::info!("listening on http://[::1]:{number} too");
                self.ipv6 = Some(port);
            }
            Err(error) => log::warn!("[::1]:{number} can't be opened: {error}"),
        }
    }
}
