//! Attaches a simulated editor to the server of a directory: finds it by its `server.json` and connects.

use std::path::Path;

use interprocess::local_socket::tokio::Stream;
use interprocess::local_socket::traits::tokio::Stream as _;
use interprocess::local_socket::{GenericFilePath, ToFsName};

use crate::bridge::directory::{Directory, DirectoryError, ServerFile};
use crate::bridge::protocol::ModelInfo;
use crate::simulator::{PeerError, run};

/// Reasons for which a simulated editor can't attach or loses its server.
#[derive(Debug, thiserror::Error)]
pub enum AttachError {
    /// The directory has no `server.json`.
    #[error("found no server to attach to ({0}); start one with `copilot-proxy serve`")]
    NoServer(#[from] DirectoryError),
    /// There is a `server.json`, but no server listens.
    #[error(
        "the connection to the server was lost ({endpoint}: {error}); start one with `copilot-proxy serve`"
    )]
    Gone {
        /// The socket it names.
        endpoint: String,
        /// The system's error message.
        error: std::io::Error,
    },
    /// The server was found, and what followed went wrong.
    #[error(transparent)]
    Peer(#[from] PeerError),
}

/// Attaches an editor with these models to the server of a directory, until the server hangs up.
pub async fn attach(dir: &Path, models: Vec<ModelInfo>) -> Result<(), AttachError> {
    let ServerFile { endpoint, token, .. } = Directory::server(dir)?;
    let stream = match connect(&endpoint).await {
        Ok(stream) => stream,
        Err(error) => return Err(AttachError::Gone { endpoint, error }),
    };
    Ok(run(stream, &token, models).await?)
}

async fn connect(endpoint: &str) -> std::io::Result<Stream> {
    Stream::connect(endpoint.to_fs_name::<GenericFilePath>()?).await
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::sync::Arc;
    use std::time::Duration;

    use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
    use tokio::task::LocalSet;

    use super::*;
    use crate::bridge::directory::ProtocolRange;
    use crate::bridge::listener::BridgeListener;
    use crate::bridge::protocol::PROTOCOL;
    use crate::bridge::{BridgeEvent, ConnectionConfig, QueuedEvent};
    use crate::simulator::models;

    /// A server's directory, gone with the test.
    struct Home(PathBuf);

    impl Home {
        fn new() -> Home {
            Home(std::env::temp_dir().join(format!("copilot-proxy-{}", uuid::Uuid::new_v4().simple())))
        }

        /// Writes a `server.json`.
        fn publish(&self, endpoint: String, token: String) -> Directory {
            let directory = Directory::open(&self.0).unwrap();
            let protocol = ProtocolRange { min: PROTOCOL, max: PROTOCOL };
            let (pid, version, port, started_at) = (1, "1".into(), Some(8080), 0);
            let server =
                ServerFile { pid, version, protocol, endpoint, token, port, started_at, instance: None };
            directory.publish(&server).unwrap();
            directory
        }

        async fn failure(&self) -> String {
            let error = attach(&self.0, models::all()).await.unwrap_err();
            error.to_string().replace(self.0.to_str().unwrap(), "HOME").replace('\\', "/")
        }
    }

    impl Drop for Home {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    fn config(events: UnboundedSender<QueuedEvent>) -> ConnectionConfig {
        let second = Duration::from_secs(1);
        let version = "1".into();
        ConnectionConfig {
            version,
            handshake_timeout: second,
            heartbeat: second,
            events,
            next_id: Arc::default(),
        }
    }

    #[tokio::test]
    async fn missing_server_error_has_a_hint() {
        let failure = Home::new().failure().await;
        assert!(failure.starts_with("found no server to attach to (HOME/server.json: "), "{failure}");
        assert!(failure.ends_with("; start one with `copilot-proxy serve`"), "{failure}");
    }

    #[tokio::test]
    async fn stale_server_file_is_a_missing_server() {
        let home = Home::new();
        home.publish(home.0.join("left.sock").display().to_string(), "secret".into());
        let failure = home.failure().await;
        assert!(failure.starts_with("the connection to the server was lost (HOME/left.sock: "), "{failure}");
    }

    #[tokio::test]
    async fn editor_stays_attached_until_the_server_ends() {
        let home = Home::new();
        let doorway = BridgeListener::open(&Directory::open(&home.0).unwrap()).unwrap();
        home.publish(doorway.endpoint.clone(), doorway.token.to_string());
        let (events, mut received) = unbounded_channel();
        let local = LocalSet::new();
        local.spawn_local(doorway.accept_loop(config(events)));
        let attached = tokio::spawn(async move {
            let ended = attach(&home.0, models::all()).await;
            drop(home);
            ended
        });
        local
            .run_until(async {
                assert!(matches!(
                    received.recv().await.map(|queued| queued.event),
                    Some(BridgeEvent::Attached(..))
                ));
                match received.recv().await.map(|queued| queued.event) {
                    Some(BridgeEvent::Models(_, offered)) => assert_eq!(offered, models::all()),
                    _ => panic!("no models"),
                }
            })
            .await;
        drop(local);
        assert!(matches!(attached.await.unwrap(), Ok(())));
    }

    #[tokio::test]
    async fn wrong_token_is_refused_with_a_reason() {
        let home = Home::new();
        let doorway = BridgeListener::open(&Directory::open(&home.0).unwrap()).unwrap();
        home.publish(doorway.endpoint.clone(), "another".into());
        let (events, _heard) = unbounded_channel();
        let local = LocalSet::new();
        local.spawn_local(doorway.accept_loop(config(events)));
        let failure = local.run_until(home.failure()).await;
        assert_eq!(failure, "the server refused: the token is not this server's");
    }
}
