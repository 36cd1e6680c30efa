//! One listening address: opened, served and closed on the thread that also reads the bridge.
//!
//! actix-web's own `HttpServer` runs its services on threads of its own; crossing threads costs more than
//! anything else on a token's way (a third to a half of its CPU), and a port that is stopped and started would
//! leave and make such threads each time. So connections are accepted here, and each is served by the very
//! services that `HttpServer` would use.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use actix_http::HttpService;
use actix_service::{Service, ServiceFactory, map_config};
use actix_web::dev::AppConfig;
use actix_web::middleware::from_fn;
use actix_web::{App, web};
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::{oneshot, watch};
use tokio::task::{JoinSet, spawn_local};
use tokio::time::{sleep, timeout};

use super::connection::Connection;
use super::peer::Peer;
use super::state::AppState;

/// A port that is open on one address. Dropping it cuts every connection; `close` lets answers end first.
pub struct Listener {
    /// Where it is.
    pub number: u16,
    task: tokio::task::JoinHandle<()>,
    closing: watch::Sender<bool>,
    closed: oneshot::Receiver<()>,
}

/// The connections of a port that is closed. Dropping it cuts them.
pub struct Draining(Listener);

impl Listener {
    /// Opens a port of this address; 0 takes a free one.
    pub fn open(address: IpAddr, port: u16, state: AppState) -> io::Result<Listener> {
        let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        // On Unix this only skips the wait after a server that has just closed; on Windows it would share.
        socket.set_reuseaddr(cfg!(unix))?;
        socket.bind(SocketAddr::new(address, port))?;
        let listener = socket.listen(1024)?;
        let number = listener.local_addr()?.port();
        let (closing, asked_to_close) = watch::channel(false);
        let (is_closed, closed) = oneshot::channel();
        let task = spawn_local(serve(listener, state, asked_to_close, is_closed));
        Ok(Listener { number, task, closing, closed })
    }

    /// Takes no more connections: once this returns the port can be opened again. What is left to be waited for are
    /// the connections that are open.
    pub async fn close(mut self) -> Draining {
        // The task may have ended already.
        let _ = self.closing.send(true);
        let _ = (&mut self.closed).await;
        Draining(self)
    }
}

impl Draining {
    /// Gives the connections this long to end.
    pub async fn ended(mut self, within: Duration) {
        let _ = timeout(within, &mut self.0.task).await;
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(
    listener: TcpListener,
    state: AppState,
    mut closing: watch::Receiver<bool>,
    is_closed: oneshot::Sender<()>,
) {
    let settings = state.options.clone();
    let app = App::new()
        .app_data(state.responses.clone())
        .app_data(web::Data::new(state))
        .configure(super::routes::configure)
        .wrap(from_fn(super::access::control));
    let shutdown = closing.clone();
    let factory = HttpService::<Connection, _, _>::build()
        .keep_alive(settings.keep_alive)
        // The connection sees to it, for every head and not only for the first.
        .client_request_timeout(Duration::ZERO)
        .h1_allow_half_closed(false)
        .on_connect_ext(|connection: &Connection, data| {
            data.insert(connection.peer);
            data.insert(connection.head.clone());
        })
        .graceful_shutdown_signal(move || {
            let mut shutdown = shutdown.clone();
            async move {
                // The sender goes with the port, which is a shutdown too.
                let _ = shutdown.wait_for(|closing| *closing).await;
            }
        })
        .h1(map_config(app, |()| AppConfig::default()));
    let Ok(service) = factory.new_service(()).await else {
        return log::error!("http: the services can't be made");
    };
    let service = std::rc::Rc::new(service);
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            _ = closing.wait_for(|closing| *closing) => break,
            accepted = listener.accept() => match accepted {
                Ok((socket, peer)) => {
                    // Without this a first part waits 44 ms for the client's delayed acknowledgement.
                    let _ = socket.set_nodelay(true);
                    let whose = socket.local_addr().map_or(Peer::Ours, |here| Peer::of(peer, here));
                    let connection = Connection::new(socket, whose, &settings);
                    let service = service.clone();
                    connections.spawn_local(async move {
                        if let Err(error) = service.call((connection, Some(peer))).await {
                            log::debug!("http: {peer}: {error}");
                        }
                    });
                }
                Err(error) => {
                    log::warn!("http: {error}");
                    // Out of files, most likely: trying again at once would only spin.
                    sleep(Duration::from_millis(100)).await;
                }
            },
            Some(_) = connections.join_next() => {}
        }
    }
    drop(listener);
    // Nobody waits for it where the port is dropped.
    let _ = is_closed.send(());
    while connections.join_next().await.is_some() {}
}
