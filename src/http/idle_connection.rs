//! A connection from its opening to its end. While it rests between two requests it has nothing but its socket: what
//! actix-web keeps for a connection, two buffers of 8 KiB before all, is dropped and created again for the next request.

use std::cell::RefCell;
use std::error::Error;
use std::net::SocketAddr;
use std::rc::Rc;

use actix_service::Service;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::timeout;

use super::connection::Connection;
use super::head_timeout::REST_AFTER;
use super::peer::Peer;
use crate::options::ServerOptions;

/// Serves a connection until it has ended, or rests while `closing` is true.
pub(super) async fn serve<S>(
    service: Rc<S>,
    socket: TcpStream,
    remote: SocketAddr,
    peer: Peer,
    options: &ServerOptions,
    mut closing: watch::Receiver<bool>,
) where
    S: Service<(Connection, Option<SocketAddr>), Error: Error>,
{
    let socket = Rc::new(RefCell::new(socket));
    loop {
        let connection = Connection::new(socket.clone(), peer, options);
        let is_resting = connection.is_resting();
        // In a box, which is gone while the connection rests.
        if let Err(error) = Box::pin(service.call((connection, Some(remote)))).await {
            log::debug!("connection failed client={remote} error={error}");
        }
        if !is_resting.get() {
            return;
        }
        let next = std::future::poll_fn(|context| socket.borrow().poll_read_ready(context));
        tokio::select! {
            _ = closing.wait_for(|closing| *closing) => return,
            // The next request, or the end of the connection.
            next = timeout(options.keep_alive.saturating_sub(REST_AFTER), next) => if !matches!(next, Ok(Ok(()))) { return },
        }
    }
}
