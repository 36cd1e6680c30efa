//! One listening address: opened, served and closed on the thread that also reads the bridge.
//!
//! actix-web's `HttpServer` runs its services on its own threads. Crossing threads takes a third to a half of the CPU
//! time of a chunk, and stopping and starting the port would replace those threads each time. So connections are
//! accepted here, and each is served by the same services that `HttpServer` would use.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use actix_http::HttpService;
use actix_service::{ServiceFactory, apply_fn_factory, fn_service, map_config};
use actix_web::dev::AppConfig;
use actix_web::middleware::from_fn;
use actix_web::{App, web};
use futures_util::future::ready;
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::{Semaphore, oneshot, watch};
use tokio::task::{JoinSet, spawn_local};
use tokio::time::{sleep, timeout};

use super::caught_panic;
use super::connection::Connection;
use super::connection_limit;
use super::expect_continue;
use super::idle_connection;
use super::peer::{Peer, PeerLookup};
use super::state::{AppState, PortClosing};

/// Time for which the rest of a request is read off after its response.
const LINGER: Duration = Duration::from_secs(1);

/// A port that is open on one address. Dropping it closes every connection at once; `close` lets responses end first.
pub struct Listener {
    /// Port number; the one that was assigned if 0 was asked for.
    pub port: u16,
    task: tokio::task::JoinHandle<()>,
    closing: watch::Sender<bool>,
    closed: oneshot::Receiver<()>,
}

/// The open connections of a port that takes no more. Dropping it closes them.
pub struct Draining(Listener);

impl Listener {
    /// Opens a port on an address; 0 takes a free one.
    pub fn open(address: IpAddr, port: u16, state: AppState) -> io::Result<Listener> {
        let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        // On Unix this skips the wait after another server has closed; on Windows it would share the port with it.
        socket.set_reuseaddr(cfg!(unix))?;
        socket.bind(SocketAddr::new(address, port))?;
        let listener = socket.listen(1024)?;
        let port = listener.local_addr()?.port();
        let (closing, close_requested) = watch::channel(false);
        let (report_closed, closed) = oneshot::channel();
        let task = spawn_local(serve(listener, state, close_requested, report_closed));
        Ok(Listener { port, task, closing, closed })
    }

    /// Stops accepting connections. Once this returns, the port can be opened again; the result holds the connections
    /// that are still open.
    pub async fn close(mut self) -> Draining {
        // The task may have ended already.
        let _ = self.closing.send(true);
        let _ = (&mut self.closed).await;
        Draining(self)
    }
}

impl Draining {
    /// Waits until all connections have ended, at most this long.
    pub async fn ended(mut self, limit: Duration) {
        let _ = timeout(limit, &mut self.0.task).await;
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Accepts and serves connections until `closing` is true, then reports the closing and waits for them to end.
async fn serve(
    listener: TcpListener,
    state: AppState,
    mut closing: watch::Receiver<bool>,
    report_closed: oneshot::Sender<()>,
) {
    let options = state.options.clone();
    let limit = state.connections.clone();
    let refused = Arc::new(Semaphore::new(connection_limit::REFUSED));
    let app = App::new()
        .app_data(state.responses.clone())
        .app_data(web::Data::new(state))
        .app_data(web::Data::new(PortClosing(closing.clone())))
        .configure(super::routes::configure)
        .wrap(from_fn(super::access::control))
        // First, so that access control judges the path that is routed.
        .wrap(from_fn(super::base_url::correct));
    let routes = Arc::new(super::routes::route_index());
    let (shutdown, error_forms) = (closing.clone(), routes.clone());
    let app = apply_fn_factory(map_config(app, |()| AppConfig::default()), move |request, service| {
        caught_panic::catch_outside(request, service, error_forms.clone())
    });
    let factory = HttpService::<Connection, _, _>::build()
        .keep_alive(options.keep_alive)
        // `Connection` limits it, for every head and not only for the first.
        .client_request_timeout(Duration::ZERO)
        .h1_allow_half_closed(false)
        .expect(fn_service(move |request| ready(expect_continue::check(request, &routes))))
        // A client that is still sending its request gets this long to read an early response.
        .client_disconnect_timeout(LINGER)
        .on_connect_ext(|connection: &Connection, data| {
            data.insert(connection.peer);
            data.insert(connection.head_timer.clone());
            data.insert(connection.read_ahead.clone());
        })
        .graceful_shutdown_signal(move || {
            let mut shutdown = shutdown.clone();
            async move {
                // The sender is dropped with the listener, which is a shutdown too.
                let _ = shutdown.wait_for(|closing| *closing).await;
            }
        })
        .h1(app);
    let Ok(service) = factory.new_service(()).await else {
        return log::error!("http services can't be created");
    };
    let service = std::rc::Rc::new(service);
    let mut connections = JoinSet::new();
    let mut lookup = PeerLookup::new();
    let mut is_failing = false;
    loop {
        let permit = tokio::select! {
            _ = closing.wait_for(|closing| *closing) => break,
            Ok(permit) = limit.clone().acquire_owned() => permit,
        };
        let accepted = tokio::select! {
            _ = closing.wait_for(|closing| *closing) => break,
            accepted = listener.accept() => accepted,
            Some(_) = connections.join_next() => continue,
        };
        let (socket, remote) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // One line for a series of failures.
                if !std::mem::replace(&mut is_failing, true) {
                    log::warn!("connections can't be accepted, trying again error={error}");
                }
                // Most likely no file descriptors are left: an immediate retry would only use CPU time.
                sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        is_failing = false;
        // Without this the first chunk waits 44 ms for the client's delayed acknowledgement.
        let _ = socket.set_nodelay(true);
        let owner = socket.local_addr().map_or(Peer::Unknown, |local| lookup.find(remote, local));
        let permit = match owner {
            Peer::Closed => continue,
            Peer::Trusted => permit,
            // They only get an error response, and must not keep this user's programs out.
            Peer::OtherUser { .. } | Peer::Unknown => match refused.clone().try_acquire_owned() {
                Ok(permit) => permit,
                Err(_) => continue,
            },
        };
        let (service, options, closing) = (service.clone(), options.clone(), closing.clone());
        connections.spawn_local(async move {
            idle_connection::serve(service, socket, remote, owner, &options, closing).await;
            drop(permit);
        });
    }
    drop(listener);
    // The receiver is gone when the listener was dropped.
    let _ = report_closed.send(());
    while connections.join_next().await.is_some() {}
}
