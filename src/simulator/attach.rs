//! Attaches a simulated editor to the server of a directory: finds it by its `server.json`, connects, speaks.

use std::path::{Path, PathBuf};

use interprocess::local_socket::tokio::Stream;
use interprocess::local_socket::traits::tokio::Stream as _;
use interprocess::local_socket::{GenericFilePath, ToFsName};
use serde::Deserialize;

use crate::bridge::protocol::ModelInfo;
use crate::simulator::{PeerError, run};

/// What of `server.json` an editor needs.
#[derive(Debug, Deserialize)]
struct ServerFile {
    endpoint: String,
    token: String,
}

/// Why an editor could not be attached, or had to let go.
#[derive(Debug, thiserror::Error)]
pub enum AttachError {
    /// Nobody has left a `server.json`.
    #[error("no server is running here: there is no {}; start one with `copilot-proxy serve`", file.display())]
    NoServer {
        /// Where it would be.
        file: PathBuf,
    },
    /// It is there but can't be read.
    #[error("{} can't be read: {error}", file.display())]
    Unreadable {
        /// Where it is.
        file: PathBuf,
        /// The system's words.
        error: std::io::Error,
    },
    /// It is not what a server writes.
    #[error("{} is not a server's: {error}", file.display())]
    Malformed {
        /// Where it is.
        file: PathBuf,
        /// The place and what is wrong there.
        error: serde_path_to_error::Error<serde_json::Error>,
    },
    /// It names a socket that nobody listens on.
    #[error(
        "the server that {} names has gone ({endpoint}: {error}); start one with `copilot-proxy serve`",
        file.display()
    )]
    Gone {
        /// Where it is.
        file: PathBuf,
        /// The socket.
        endpoint: String,
        /// The system's words.
        error: std::io::Error,
    },
    /// The server was found, and what followed went wrong.
    #[error(transparent)]
    Peer(#[from] PeerError),
}

/// Attaches an editor with these models to the server of a directory, until the server hangs up.
pub async fn attach(dir: &Path, models: Vec<ModelInfo>) -> Result<(), AttachError> {
    let file = dir.join("server.json");
    let ServerFile { endpoint, token } = read(&file).await?;
    let stream = match connect(&endpoint).await {
        Ok(stream) => stream,
        Err(error) => return Err(AttachError::Gone { file, endpoint, error }),
    };
    Ok(run(stream, &token, models).await?)
}

async fn read(file: &Path) -> Result<ServerFile, AttachError> {
    let json = tokio::fs::read(file).await.map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => AttachError::NoServer { file: file.into() },
        _ => AttachError::Unreadable { file: file.into(), error },
    })?;
    let mut json = serde_json::Deserializer::from_slice(&json);
    serde_path_to_error::deserialize(&mut json)
        .map_err(|error| AttachError::Malformed { file: file.into(), error })
}

async fn connect(endpoint: &str) -> std::io::Result<Stream> {
    Stream::connect(endpoint.to_fs_name::<GenericFilePath>()?).await
}

#[cfg(test)]
mod tests {
    use interprocess::local_socket::ListenerOptions;
    use interprocess::local_socket::traits::tokio::Listener as _;
    use serde_json::json;

    use super::*;
    use crate::bridge::frames::{Reader, Said};
    use crate::bridge::protocol::FromHost;

    /// A server's directory, gone with the test.
    struct Dir(PathBuf);

    impl Dir {
        fn new() -> Dir {
            let dir = std::env::temp_dir().join(format!("copilot-proxy-{}", uuid::Uuid::new_v4().simple()));
            std::fs::create_dir(&dir).unwrap();
            Dir(dir)
        }

        fn endpoint(&self) -> String {
            self.0.join("s.sock").to_str().unwrap().to_owned()
        }

        fn with(self, server_json: &str) -> Dir {
            std::fs::write(self.0.join("server.json"), server_json).unwrap();
            self
        }

        async fn failure(&self) -> String {
            let error = attach(&self.0, vec![]).await.unwrap_err();
            error.to_string().replace(self.0.to_str().unwrap(), "DIR")
        }
    }

    impl Drop for Dir {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    fn server_json(endpoint: &str) -> String {
        json!({
            "pid": 1, "version": "1", "protocol": {"min": 1, "max": 1}, "endpoint": endpoint,
            "token": "secret", "port": 8080, "startedAt": 0
        })
        .to_string()
    }

    #[tokio::test]
    async fn where_no_server_is_it_says_how_to_start_one() {
        assert_eq!(
            Dir::new().failure().await,
            "no server is running here: there is no DIR/server.json; start one with `copilot-proxy serve`"
        );
    }

    #[tokio::test]
    async fn a_server_that_has_gone_and_a_file_that_is_none_are_told_apart() {
        let dir = Dir::new();
        let endpoint = dir.endpoint();
        let gone = dir.with(&server_json(&endpoint)).failure().await;
        assert!(gone.starts_with("the server that DIR/server.json names has gone (DIR/s.sock: "), "{gone}");
        assert_eq!(
            Dir::new().with(r#"{"endpoint":1}"#).failure().await,
            "DIR/server.json is not a server's: endpoint: invalid type: integer `1`, expected a string at line \
             1 column 13"
        );
    }

    #[tokio::test]
    async fn an_editor_introduces_itself_over_a_real_socket_with_the_token() {
        let dir = Dir::new();
        let endpoint = dir.endpoint();
        let name = endpoint.as_str().to_fs_name::<GenericFilePath>().unwrap();
        let listener = ListenerOptions::new().name(name).create_tokio().unwrap();
        let dir = dir.with(&server_json(&endpoint));
        let server = async {
            let stream = listener.accept().await.unwrap();
            let mut reader = Reader::<_, FromHost>::new(&stream);
            match reader.next().await.unwrap() {
                Some((0, Said::Message(FromHost::Hello(hello)))) => hello.token,
                other => panic!("{other:?}"),
            }
        };
        let (token, ended) = tokio::join!(server, attach(&dir.0, vec![]));
        assert_eq!(token, "secret");
        assert!(matches!(ended, Err(AttachError::Peer(PeerError::NotWelcomed))), "{ended:?}");
    }
}
