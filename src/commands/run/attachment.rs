//! The connection of `run` to the server, which makes a key for the program and revokes it when the connection ends. A
//! server that takes the first one's place gets to know the same key.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::BytesMut;
use interprocess::local_socket::tokio::Stream;
use interprocess::local_socket::traits::tokio::Stream as _;
use interprocess::local_socket::{GenericFilePath, ToFsName};
use tokio::io::AsyncWriteExt;
use tokio::time::{sleep, timeout};

use crate::bridge::directory::Directory;
use crate::bridge::frames::{FrameReader, Incoming, put_message};
use crate::bridge::protocol::{FromEditor, PROTOCOL, Run, RunKey, ToEditor};

/// Time for a server to answer; it takes a millisecond.
const ANSWER_LIMIT: Duration = Duration::from_secs(2);

/// Interval of looking for a server that has taken the other's place. Its requests wait for longer.
const LOOK_INTERVAL: Duration = Duration::from_millis(500);

/// Reasons for which a program has no key of its own.
#[derive(Debug, thiserror::Error)]
pub enum AttachError {
    /// No server runs in the directory.
    #[error("no server is running")]
    NoServer,
    /// The server is of another version.
    #[error("{0}")]
    Refused(String),
    /// The connection failed.
    #[error("the server gave no key: {0}")]
    Failed(#[from] io::Error),
}

/// A valid key and the connection on which it depends.
pub(super) struct Attachment {
    directory: PathBuf,
    /// The message that got the key.
    run: Run,
    stream: Stream,
    pub key: RunKey,
}

impl Attachment {
    /// Asks the server of a directory for a key.
    pub async fn new(
        directory: PathBuf,
        program: String,
        max_credits: Option<f64>,
    ) -> Result<Attachment, AttachError> {
        let run = Run {
            token: String::new(),
            protocol: PROTOCOL,
            version: env!("CARGO_PKG_VERSION").into(),
            pid: std::process::id(),
            program,
            max_credits,
            earlier: None,
        };
        Attachment::attach(directory, run).await
    }

    async fn attach(directory: PathBuf, mut run: Run) -> Result<Attachment, AttachError> {
        let server = Directory::server(&directory).map_err(|_| AttachError::NoServer)?;
        run.token = server.token;
        // A killed server leaves its file behind.
        let name = server.endpoint.to_fs_name::<GenericFilePath>()?;
        let stream = Stream::connect(name).await.map_err(|_| AttachError::NoServer)?;
        let answer = timeout(ANSWER_LIMIT, ask(&stream, &run)).await;
        let key = answer.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
        Ok(Attachment { directory, run, stream, key })
    }

    /// Keeps the key valid for as long as this is polled.
    pub async fn keep(mut self) {
        loop {
            tokio::select! {
                () = closed(&self.stream) => {}
                () = replaced(&self.directory, &self.run.token) => {}
            }
            let run = Run { earlier: Some(self.key.clone()), ..self.run.clone() };
            let again = loop {
                if let Ok(again) = Attachment::attach(self.directory.clone(), run.clone()).await {
                    break again;
                }
                sleep(LOOK_INTERVAL).await;
            };
            let before = std::mem::replace(&mut self, again);
            // Requests that the other server still runs end with its connection.
            tokio::spawn(async move { closed(&before.stream).await });
        }
    }
}

async fn ask(stream: &Stream, run: &Run) -> Result<RunKey, AttachError> {
    let mut bytes = BytesMut::new();
    put_message(0, &FromEditor::Run(run.clone()), &mut bytes).map_err(io::Error::other)?;
    (&mut &*stream).write_all(&bytes).await?;
    match FrameReader::<_, ToEditor>::new(stream).next().await.map_err(io::Error::other)? {
        Some((0, Incoming::Message(ToEditor::RunKey(key)))) => Ok(key),
        Some((0, Incoming::Message(ToEditor::Refused(refused)))) => {
            Err(AttachError::Refused(refused.message))
        }
        Some(_) => Err(io::Error::from(io::ErrorKind::InvalidData).into()),
        None => Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
    }
}

/// Waits for the end of a connection; the server sends nothing more on it.
async fn closed(stream: &Stream) {
    let _ = FrameReader::<_, ToEditor>::new(stream).next().await;
}

/// Waits until another server than that of the token publishes its address.
async fn replaced(directory: &Path, token: &str) {
    loop {
        sleep(LOOK_INTERVAL).await;
        if Directory::server(directory).is_ok_and(|server| server.token != token) {
            return;
        }
    }
}
