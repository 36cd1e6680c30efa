//! The simulated editor: a peer on the bridge like any other, whose models answer from scripts.
//!
//! `demo` and `simulate` attach one, so that everything works without VS Code and each reply is known beforehand.
//! It enforces the rules of GitHub Copilot's provider, so that a request that works here works there.

use std::io::ErrorKind;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;

use crate::bridge::frames::{FrameError, FrameReader, Incoming};
use crate::bridge::protocol::{
    Chat, Folder, FromEditor, Hello, ModelInfo, Models, OriginAnswer, OriginDecision, PROTOCOL, Refused,
    ToEditor, Tools, Window,
};
use crate::simulator::outbox::FrameQueue;
use crate::simulator::run_request::StreamWriter;
use crate::simulator::running_requests::Running;
use crate::simulator::stats::StatsCounter;

pub mod attach;
pub mod auto_model;
pub mod dump;
pub mod fake_workspace;
pub mod image_rules;
pub mod interpreter;
pub mod models;
pub mod outbox;
pub mod rules;
pub mod run_request;
pub mod running_requests;
pub mod script;
pub mod select_phase;
pub mod service_rules;
pub mod stats;
pub mod tools;
pub mod trimming;
pub mod usage;

/// Reasons for which a simulated editor ends its connection.
#[derive(Debug, thiserror::Error)]
pub enum PeerError {
    /// The server did not want this editor.
    #[error("the server refused: {}", .0.message)]
    Refused(Refused),
    /// The server closed the connection before its welcome.
    #[error("the server closed the connection during the handshake")]
    NotWelcomed,
    /// The server sent a message that is not allowed at that point.
    #[error("the server sent an unexpected message")]
    OutOfTurn,
    /// A message of the server is invalid.
    #[error("invalid message from the server: {0}")]
    Frame(#[from] FrameError),
    /// Writing to the connection failed.
    #[error("the connection failed: {0}")]
    Broken(std::io::Error),
}

/// Runs an editor with these models until the server closes the connection. Dropping it cancels its responses.
pub async fn run(
    stream: impl AsyncRead + AsyncWrite,
    token: &str,
    models: Vec<ModelInfo>,
) -> Result<(), PeerError> {
    let (from, to) = tokio::io::split(stream);
    let outbox = Arc::new(FrameQueue::default());
    let mut editor = Editor {
        models,
        outbox: outbox.clone(),
        counter: StatsCounter::default(),
        running: Running::default(),
    };
    let ended = tokio::select! {
        ended = editor.listen(FrameReader::new(from), token) => ended,
        error = outbox.write_to(to) => Err(PeerError::Broken(error)),
    };
    match ended {
        // A killed server may leave unread bytes, which resets the connection; that counts as closing, too.
        Err(PeerError::Broken(error) | PeerError::Frame(FrameError::Io(error)))
            if matches!(error.kind(), ErrorKind::BrokenPipe | ErrorKind::ConnectionReset) =>
        {
            Ok(())
        }
        ended => ended,
    }
}

/// An editor's side of the connection.
struct Editor {
    models: Vec<ModelInfo>,
    outbox: Arc<FrameQueue>,
    counter: StatsCounter,
    running: Running,
}

impl Editor {
    async fn listen<R>(&mut self, mut reader: FrameReader<R, ToEditor>, token: &str) -> Result<(), PeerError>
    where
        R: AsyncRead + Unpin,
    {
        self.outbox.message(0, &FromEditor::Hello(hello(token)));
        match reader.next().await? {
            Some((_, Incoming::Message(ToEditor::Welcome(_)))) => self.tell_models(),
            Some((_, Incoming::Message(ToEditor::Refused(refused)))) => {
                return Err(PeerError::Refused(refused));
            }
            Some(_) => return Err(PeerError::OutOfTurn),
            None => return Err(PeerError::NotWelcomed),
        }
        while let Some((stream, incoming)) = reader.next().await? {
            match incoming {
                Incoming::Message(message) => self.handle(stream, message).await?,
                Incoming::IncompleteHistory => self.outbox.message(stream, &FromEditor::HistoryMissing),
                Incoming::Text(_) | Incoming::Thinking(_) => return Err(PeerError::OutOfTurn),
            }
        }
        Ok(())
    }

    async fn handle(&mut self, stream: u32, message: ToEditor) -> Result<(), PeerError> {
        match message {
            ToEditor::Chat(chat) => self.chat(stream, Arc::unwrap_or_clone(chat)),
            ToEditor::Cancel => self.running.cancel(stream).await,
            ToEditor::Pause => self.running.pause(stream, true),
            ToEditor::Resume => self.running.pause(stream, false),
            ToEditor::ListTools | ToEditor::PollTools => {
                self.outbox.message(stream, &FromEditor::Tools(Tools { tools: tools::all() }));
            }
            ToEditor::InvokeTool(asked) => {
                let writer = self.writer(stream);
                self.running.start(stream, |paused| run_request::tool(asked, writer(paused)));
            }
            // The simulated editor has no user who could answer.
            ToEditor::AskOrigin(_) => {
                let decision = OriginDecision::Unanswered;
                self.outbox.message(stream, &FromEditor::OriginAnswer(OriginAnswer { decision }));
            }
            ToEditor::RefreshModels => self.tell_models(),
            ToEditor::Ping => self.outbox.message(stream, &FromEditor::Pong),
            ToEditor::Status(_)
            | ToEditor::Log(_)
            | ToEditor::Activity(_)
            | ToEditor::Exchange(_)
            | ToEditor::Usage(_)
            | ToEditor::WriteSetting(_)
            | ToEditor::ModelCatalog(_)
            | ToEditor::BudgetNotice(_)
            | ToEditor::RunKey(_)
            | ToEditor::Superseded => {}
            ToEditor::Welcome(_) | ToEditor::Refused(_) => return Err(PeerError::OutOfTurn),
        }
        Ok(())
    }

    fn chat(&mut self, stream: u32, chat: Chat) {
        match run_request::prepare(chat, &self.models, &self.counter) {
            Ok((prepared, entry)) => {
                let writer = self.writer(stream);
                self.running.start(stream, |paused| run_request::chat(prepared, entry, writer(paused)));
            }
            Err(refusal) => self.outbox.message(stream, &FromEditor::Failed(refusal)),
        }
    }

    fn writer(&self, stream: u32) -> impl FnOnce(watch::Receiver<bool>) -> StreamWriter + use<> {
        let outbox = self.outbox.clone();
        move |paused| StreamWriter { stream, outbox, paused }
    }

    fn tell_models(&self) {
        self.outbox.message(0, &FromEditor::Models(Models { models: self.models.clone() }));
    }
}

fn hello(token: &str) -> Hello {
    Hello {
        token: token.into(),
        protocol: PROTOCOL,
        version: env!("CARGO_PKG_VERSION").into(),
        pid: std::process::id(),
        window: Window {
            focused: true,
            folders: vec![Folder { name: "pretend".into(), path: "/pretend".into() }],
        },
    }
}

#[cfg(test)]
mod tests;
