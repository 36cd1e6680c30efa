//! The latest request of each conversation, in bounded memory.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use foldhash::fast::RandomState;
use parking_lot::Mutex;
use tokio::time::Instant;

use super::compare::{common, compare};
use super::fingerprint::Fingerprint;
use super::prefix_break::PrefixBreak;

/// Most conversations that are kept.
const MAX_CONVERSATIONS: usize = 200;

/// Most bytes of all fingerprints.
const MAX_MEMORY: usize = 4 * 1024 * 1024;

/// Time for which providers keep a prefix at least.
pub const CACHED_FOR: Duration = Duration::from_mins(5);

/// The latest requests; clones share them.
#[derive(Clone, Default)]
pub struct PrefixStore {
    /// Keys of the hashes, of this process only.
    pub hashing: RandomState,
    sent: Arc<Mutex<Sent>>,
}

#[derive(Default)]
struct Sent {
    /// The latest request of each conversation, oldest first, with its number.
    latest: VecDeque<(u64, Arc<SentRequest>)>,
    memory: usize,
    numbered: u64,
}

/// A request that a model has accepted, or that will be sent to one.
#[derive(Debug)]
pub struct SentRequest {
    /// Session of its client, where the client names one.
    pub session: Option<Arc<str>>,
    /// Id of its model.
    pub model: String,
    /// Tokens of its input.
    pub tokens: u64,
    /// Hashes of its parts.
    pub fingerprint: Fingerprint,
    /// Time at which it was sent.
    pub time: Instant,
}

/// Comparison of a request with the one before it in its conversation.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// Part of the shorter of both that is common, from 0 to 1.
    pub kept: f64,
    /// First change; absent where one is the beginning of the other.
    pub broken_by: Option<PrefixBreak>,
    /// Tokens at the beginning that the provider's cache is likely to have.
    pub cached_tokens: u64,
    /// Tokens that it could have had without the change.
    pub lost_tokens: u64,
    /// Number of the request before, which this one replaces in the store.
    replaces: Option<u64>,
}

impl PrefixStore {
    /// Compares a request with the one before it in its conversation; `None` if it begins one.
    pub fn compare(&self, now: &SentRequest) -> Option<Comparison> {
        let latest: Vec<_> = self.sent.lock().latest.iter().cloned().collect();
        let (number, before, is_continued) = find(&latest, now)?;
        let mut common = compare(&before.fingerprint, &now.fingerprint);
        if before.model != now.model {
            let (from, to) = (before.model.clone(), now.model.clone());
            common.kept = 0.0;
            common.broken_by = Some(PrefixBreak::ModelSwitched { from, to });
        }
        let possible = before.tokens.min(now.tokens);
        let kept = tokens(common.kept, possible);
        let is_fresh = now.time.duration_since(before.time) < CACHED_FOR;
        Some(Comparison {
            kept: common.kept,
            broken_by: common.broken_by,
            cached_tokens: if is_fresh { kept } else { 0 },
            lost_tokens: possible - kept,
            replaces: is_continued.then_some(number),
        })
    }

    /// Keeps a request that a model has accepted, in the place of the one before it.
    pub fn insert(&self, request: Arc<SentRequest>, comparison: Option<&Comparison>) {
        self.sent.lock().insert(request, comparison.and_then(|comparison| comparison.replaces));
    }
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share between 0 and 1 of a number of tokens"
)]
fn tokens(share: f64, of: u64) -> u64 {
    ((share * of as f64).round() as u64).min(of)
}

impl Sent {
    fn insert(&mut self, request: Arc<SentRequest>, replaces: Option<u64>) {
        if let Some(place) = self.latest.iter().position(|(number, _)| Some(*number) == replaces)
            && let Some((_, old)) = self.latest.remove(place)
        {
            self.memory -= old.fingerprint.memory();
        }
        self.memory += request.fingerprint.memory();
        self.numbered += 1;
        self.latest.push_back((self.numbered, request));
        while self.latest.len() > MAX_CONVERSATIONS || self.memory > MAX_MEMORY {
            let Some((_, oldest)) = self.latest.pop_front() else { return };
            self.memory -= oldest.fingerprint.memory();
        }
    }
}

/// A request before this one in its conversation, with its number, and whether this one surely continues it.
type Found<'a> = (u64, &'a SentRequest, bool);

/// Finds the latest request of a conversation: one that this request continues, else one with which it shares a response
/// of the model, else a longer one of its session with the same system text and tools.
fn find<'a>(latest: &'a [(u64, Arc<SentRequest>)], now: &SentRequest) -> Option<Found<'a>> {
    let best = |weigh: &dyn Fn(&SentRequest) -> Option<u64>| {
        let weighed = latest.iter().filter_map(|(number, request)| Some((weigh(request)?, *number, request)));
        // Of equal ones the newest, which is the last.
        let found = weighed.max_by_key(|(weight, ..)| *weight);
        found.map(|(_, number, request)| (number, request.as_ref(), true))
    };
    best(&|it| continued(it, now)).or_else(|| best(&|it| shared(it, now))).or_else(|| {
        let (number, request) = latest.iter().rev().find(|(_, request)| may_be_compacted(request, now))?;
        // It may also be another conversation of the same session: the older one stays.
        Some((*number, request, false))
    })
}

/// Weight of the common messages, if one request is the beginning of the other.
fn continued(before: &SentRequest, now: &SentRequest) -> Option<u64> {
    let (one, other) = (&before.fingerprint, &now.fingerprint);
    let same = common(&one.messages, &other.messages);
    // The only message may be a greeting.
    let is_akin =
        one.system == other.system || one.tools == other.tools || is_same_session(before, now) == Some(true);
    let is_whole = same == one.messages.len().min(other.messages.len());
    (is_whole && same > 0 && (same > 1 || is_akin))
        .then(|| other.messages.iter().take(same).map(|message| message.weight).sum())
}

/// Weight of the messages that both requests have, if the model wrote one of them: what users and agents write at the
/// beginning of conversations is often the same.
fn shared(before: &SentRequest, now: &SentRequest) -> Option<u64> {
    if is_same_session(before, now) == Some(false) {
        return None;
    }
    let known: HashSet<u64> = before.fingerprint.messages.iter().map(|message| message.hash).collect();
    let shared = || now.fingerprint.messages.iter().filter(|message| known.contains(&message.hash));
    shared().any(|message| message.is_of_model).then(|| shared().map(|message| message.weight).sum())
}

fn may_be_compacted(before: &SentRequest, now: &SentRequest) -> bool {
    let (one, other) = (&before.fingerprint, &now.fingerprint);
    is_same_session(before, now) == Some(true)
        && one.system == other.system
        && one.tools == other.tools
        && one.messages.len() > other.messages.len().max(2)
        && one.message_weight() > other.message_weight()
}

/// Whether the client says that both requests are of one session; `None` if it doesn't name them.
fn is_same_session(before: &SentRequest, now: &SentRequest) -> Option<bool> {
    Some(before.session.as_ref()? == now.session.as_ref()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prompt_prefix::fingerprint::MessageHash;

    fn request(session: Option<&str>, hashes: &[u64]) -> SentRequest {
        let message =
            |hash: &u64| MessageHash { is_of_model: hash.is_multiple_of(2), hash: *hash, weight: 10 };
        SentRequest {
            session: session.map(Into::into),
            model: "m".into(),
            tokens: 1000,
            fingerprint: Fingerprint {
                messages: hashes.iter().map(message).collect(),
                ..Fingerprint::default()
            },
            time: Instant::now(),
        }
    }

    /// Stores requests, and returns the number of the one that the last is compared with.
    fn compared_with(earlier: &[SentRequest], now: &SentRequest) -> Option<u64> {
        let latest: Vec<_> = (0..).zip(earlier.iter().map(copy).map(Arc::new)).collect();
        find(&latest, now).map(|(number, ..)| number)
    }

    fn copy(request: &SentRequest) -> SentRequest {
        let SentRequest { session, model, tokens, fingerprint, time } = request;
        SentRequest {
            session: session.clone(),
            model: model.clone(),
            tokens: *tokens,
            fingerprint: fingerprint.clone(),
            time: *time,
        }
    }

    #[test]
    fn conversation_is_found_by_its_messages() {
        let earlier = [request(None, &[1, 2, 3]), request(None, &[1, 4, 5]), request(None, &[7])];
        for (messages, expected) in [
            (&[1, 2, 3, 6, 9][..], Some(0)),
            (&[1, 4, 5, 6, 9], Some(1)),
            // Without its first message, but with a response of the model.
            (&[11, 4, 5], Some(1)),
            // The same beginning, which agents write, is no conversation.
            (&[1, 13], None),
            (&[7, 8, 9], Some(2)),
        ] {
            assert_eq!(compared_with(&earlier, &request(None, messages)), expected, "{messages:?}");
        }
    }

    #[test]
    fn session_separates_conversations_and_joins_compacted_ones() {
        let earlier = [request(Some("s"), &[1, 2, 3, 4]), request(Some("t"), &[11, 12, 13, 14])];
        for (session, messages, expected) in [
            (Some("s"), &[99][..], Some(0)),
            (Some("t"), &[99], Some(1)),
            (Some("u"), &[99], None),
            (None, &[99], None),
            (Some("t"), &[21, 2, 3, 4, 5], None),
            (Some("t"), &[1, 2, 3, 4, 5], Some(0)),
        ] {
            assert_eq!(
                compared_with(&earlier, &request(session, messages)),
                expected,
                "{session:?} {messages:?}"
            );
        }
    }

    #[test]
    fn memory_is_bounded_and_the_oldest_are_forgotten() {
        let store = PrefixStore::default();
        for number in 0..1000 {
            store.insert(Arc::new(request(None, &[number * 2 + 1])), None);
        }
        assert_eq!(store.sent.lock().latest.len(), MAX_CONVERSATIONS);
        assert_eq!(store.compare(&request(None, &[1])), None);
        assert!(store.compare(&request(None, &[1999])).is_some());
        let long: Vec<u64> = (0..10_000).map(|number| number * 2 + 1).collect();
        for number in 0..100 {
            store.insert(Arc::new(request(None, &[&[number], long.as_slice()].concat())), None);
        }
        let sent = store.sent.lock();
        let memory: usize = sent.latest.iter().map(|(_, request)| request.fingerprint.memory()).sum();
        assert!(memory == sent.memory && memory <= MAX_MEMORY && memory > MAX_MEMORY / 2, "{memory}");
    }

    #[tokio::test(start_paused = true)]
    async fn request_replaces_the_one_before_and_its_cache_expires() {
        let store = PrefixStore::default();
        store.insert(Arc::new(request(None, &[1, 2, 3])), None);
        let next = request(None, &[1, 2, 3, 4, 5]);
        let comparison = store.compare(&next).unwrap();
        assert_eq!((comparison.kept, comparison.cached_tokens, comparison.lost_tokens), (1.0, 1000, 0));
        store.insert(Arc::new(next), Some(&comparison));
        assert_eq!(store.sent.lock().latest.len(), 1);
        tokio::time::advance(CACHED_FOR).await;
        assert_eq!(store.compare(&request(None, &[1, 2, 3, 4, 5])).unwrap().cached_tokens, 0);
    }
}
