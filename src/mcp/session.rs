//! Sessions of clients before 2026-07-28: their running requests, and the list of tools that they know.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use parking_lot::Mutex;
use tokio::sync::{oneshot, watch};

use super::message::RequestId;

/// Most sessions that are kept. Clients that forget theirs leave them behind, so the one unused longest goes first.
const MAX_SESSIONS: usize = 500;

/// All sessions of the server.
#[derive(Default)]
pub struct Sessions(Mutex<HashMap<String, Arc<Session>>>);

/// A session of one client.
pub struct Session {
    state: Mutex<SessionState>,
    /// Number of the stream that is open; a later stream takes the place of an earlier one, none follows the end.
    stream: watch::Sender<u64>,
}

struct SessionState {
    used: Instant,
    /// Requests that can be cancelled, each with its number in the session.
    running: HashMap<RequestId, (u64, oneshot::Sender<()>)>,
    next_number: u64,
    /// Hash of the tools that the client has listed or was told about.
    known_tools: Option<u64>,
}

impl Sessions {
    /// Begins a session; returns its id.
    pub fn begin(&self) -> String {
        let id = uuid::Uuid::new_v4().simple().to_string();
        self.insert(id.clone(), Arc::new(Session::new()));
        id
    }

    /// Keeps a session, in place of an old one if there are too many.
    fn insert(&self, id: String, session: Arc<Session>) {
        let mut sessions = self.0.lock();
        if sessions.len() >= MAX_SESSIONS {
            let oldest = sessions.iter().min_by_key(|(_, session)| session.rank()).map(|(id, _)| id.clone());
            if let Some(session) = oldest.and_then(|oldest| sessions.remove(&oldest)) {
                session.end();
            }
        }
        sessions.insert(id, session);
    }

    /// The requests without a session of a client that names itself, so that it can cancel them: it has one connection for
    /// all of them.
    pub fn of_connection(&self, name: &str) -> Arc<Session> {
        let key = format!("connection {name}");
        if let Some(session) = self.get(&key) {
            return session;
        }
        let session = Arc::new(Session::new());
        self.insert(key, session.clone());
        session
    }

    /// Finds a session.
    pub fn get(&self, id: &str) -> Option<Arc<Session>> {
        let session = self.0.lock().get(id).cloned()?;
        session.state.lock().used = Instant::now();
        Some(session)
    }

    /// Ends a session; returns whether there was one.
    pub fn end(&self, id: &str) -> bool {
        let session = self.0.lock().remove(id);
        session.as_ref().inspect(|session| session.end()).is_some()
    }
}

impl Session {
    fn new() -> Session {
        let state =
            SessionState { used: Instant::now(), running: HashMap::new(), next_number: 0, known_tools: None };
        Session { state: Mutex::new(state), stream: watch::Sender::new(0) }
    }

    /// Sessions with the lowest rank go first.
    fn rank(&self) -> (bool, Instant) {
        let state = self.state.lock();
        (self.stream.receiver_count() > 0 || !state.running.is_empty(), state.used)
    }

    /// Cancels its requests and ends its stream.
    fn end(&self) {
        self.state.lock().running.clear();
        self.stream.send_modify(|number| *number += 1);
    }

    /// Registers a request that can be cancelled; `None` if its id is in use.
    pub fn start(self: &Arc<Session>, id: &RequestId) -> Option<RunningRequest> {
        let mut state = self.state.lock();
        if state.running.contains_key(id) {
            return None;
        }
        let (cancel, cancelled) = oneshot::channel();
        let number = state.next_number;
        state.next_number += 1;
        state.running.insert(id.clone(), (number, cancel));
        drop(state);
        Some(RunningRequest { session: self.clone(), id: id.clone(), number, cancelled })
    }

    /// Cancels a request, if it is running.
    pub fn cancel(&self, id: &RequestId) {
        let cancel = self.state.lock().running.remove(id);
        if let Some((_, cancel)) = cancel {
            // Its response may be on the way.
            let _ = cancel.send(());
        }
    }

    /// Opens the stream for notifications, in place of an earlier one.
    pub fn open_stream(&self) -> SessionStream {
        self.stream.send_modify(|number| *number += 1);
        let number = self.stream.subscribe();
        let own = *number.borrow();
        SessionStream { own, number }
    }

    /// Notes the tools that the client knows; returns whether it had known others.
    pub fn learn_tools(&self, hash: u64) -> bool {
        let known = self.state.lock().known_tools.replace(hash);
        known.is_some_and(|known| known != hash)
    }
}

/// A running request of a session.
pub struct RunningRequest {
    session: Arc<Session>,
    id: RequestId,
    number: u64,
    cancelled: oneshot::Receiver<()>,
}

impl RunningRequest {
    /// Waits until the client cancels it or the session ends.
    pub async fn cancelled(&mut self) {
        // The sender is dropped with the session.
        let _ = (&mut self.cancelled).await;
    }
}

impl Drop for RunningRequest {
    fn drop(&mut self) {
        let mut state = self.session.state.lock();
        // A later request may have its id, if this one was cancelled.
        if state.running.get(&self.id).is_some_and(|(number, _)| *number == self.number) {
            state.running.remove(&self.id);
        }
    }
}

/// The open stream of a session.
pub struct SessionStream {
    own: u64,
    number: watch::Receiver<u64>,
}

impl SessionStream {
    /// Waits until another stream takes its place or the session ends.
    pub async fn ended(&mut self) {
        let own = self.own;
        // The sender is dropped with the session.
        let _ = self.number.wait_for(|number| *number != own).await;
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    fn id(number: i32) -> RequestId {
        RequestId::Number(number.into())
    }

    #[test]
    fn cancelled_request_frees_its_id() {
        let sessions = Sessions::default();
        let session = sessions.get(&sessions.begin()).unwrap();
        let mut first = session.start(&id(1)).unwrap();
        assert!(session.start(&id(1)).is_none());
        assert_eq!(first.cancelled().now_or_never(), None);
        session.cancel(&id(2));
        session.cancel(&id(1));
        assert_eq!(first.cancelled().now_or_never(), Some(()));
        let mut second = session.start(&id(1)).unwrap();
        // The end of the first request must not end the second.
        drop(first);
        assert_eq!(second.cancelled().now_or_never(), None);
        assert!(session.start(&id(1)).is_none());
        drop(second);
        assert!(session.start(&id(1)).is_some());
    }

    #[test]
    fn end_of_a_session_ends_its_requests_and_its_stream() {
        let sessions = Sessions::default();
        let name = sessions.begin();
        let session = sessions.get(&name).unwrap();
        let mut request = session.start(&id(1)).unwrap();
        let mut replaced = session.open_stream();
        assert_eq!(replaced.ended().now_or_never(), None);
        let mut stream = session.open_stream();
        assert_eq!(replaced.ended().now_or_never(), Some(()));
        assert_eq!(stream.ended().now_or_never(), None);
        assert!(sessions.end(&name));
        assert_eq!(request.cancelled().now_or_never(), Some(()));
        assert_eq!(stream.ended().now_or_never(), Some(()));
        assert!(!sessions.end(&name));
        assert!(sessions.get(&name).is_none());
    }

    #[test]
    fn idle_session_unused_longest_makes_room() {
        let sessions = Sessions::default();
        let names: Vec<String> = (0..MAX_SESSIONS).map(|_| sessions.begin()).collect();
        let listening = sessions.get(&names[0]).unwrap().open_stream();
        sessions.get(&names[1]).unwrap();
        sessions.begin();
        assert_eq!(sessions.0.lock().len(), MAX_SESSIONS);
        let is_kept = |number: usize| sessions.0.lock().contains_key(&names[number]);
        assert_eq!([is_kept(0), is_kept(1), is_kept(2)], [true, true, false]);
        drop(listening);
    }

    #[test]
    fn client_learns_of_tools_once() {
        let session = Session::new();
        assert!(!session.learn_tools(1));
        assert!(!session.learn_tools(1));
        assert!(session.learn_tools(2));
    }
}
