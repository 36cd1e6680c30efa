//! The requests that are being answered, by stream. Letting go of one stops it at once.

use std::collections::HashMap;

use tokio::sync::watch;
use tokio::task::JoinHandle;

/// All of them.
#[derive(Debug, Default)]
pub struct Running(HashMap<u32, Request>);

#[derive(Debug)]
struct Request {
    task: JoinHandle<()>,
    paused: watch::Sender<bool>,
}

impl Drop for Request {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Running {
    /// Starts a response, which gets the signal to pause.
    pub fn start<F>(&mut self, stream: u32, answer: impl FnOnce(watch::Receiver<bool>) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.0.retain(|_, request| !request.task.is_finished());
        let (paused, listening) = watch::channel(false);
        let task = tokio::spawn(answer(listening));
        self.0.insert(stream, Request { task, paused });
    }

    /// Pauses or resumes a response.
    pub fn pause(&self, stream: u32, paused: bool) {
        if let Some(request) = self.0.get(&stream) {
            request.paused.send_replace(paused);
        }
    }

    /// Stops a response; nothing of it is sent after this returns.
    pub async fn cancel(&mut self, stream: u32) {
        if let Some(mut request) = self.0.remove(&stream) {
            request.task.abort();
            // The error is that of an aborted request, as intended.
            let _ = (&mut request.task).await;
        }
    }
}
