//! The valid keys of all kinds, as SHA-256 hashes. A request's key is compared with all of them in constant time; the text of a key is
//! never stored.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Mutex, RwLock};
use subtle::ConstantTimeEq;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, timeout, timeout_at};

use super::identity::ClientIdentity;
use super::key::Key;
use super::setup_keys::SetupKeys;
use super::text::{Hash, RUN_PREFIX, SETUP_PREFIX, cookie, hash};

/// All valid keys.
pub struct KeyRing {
    /// Whether the user's keys are known.
    knowledge: watch::Sender<Knowledge>,
    /// Dropped if keys turn out to be necessary: the requests without one that came before end then.
    early: Mutex<Option<watch::Sender<()>>>,
    /// The keys that the user made in VS Code. While there are any, each request must carry a valid key.
    person: RwLock<Vec<Entry>>,
    /// The keys of programs that `copilot-proxy run` started.
    run: RwLock<Vec<Entry>>,
    /// Notified when a program gets its key.
    run_added: Notify,
    /// The keys of clients that `copilot-proxy setup` configured, from the file in which it records them.
    setup: RwLock<Vec<Entry>>,
    /// That file; absent where no data is kept.
    setup_file: Option<Mutex<SetupKeys>>,
}

/// Whether the user's keys are known. They are in VS Code: the first window that attaches to a new server sends them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Knowledge {
    /// A window is expected to send them until this time.
    ExpectedUntil(Instant),
    Known,
}

/// A valid key. Dropping it revokes the key: its running requests end.
struct Entry {
    hash: Hash,
    key: Arc<Key>,
    validity: watch::Sender<()>,
}

impl Default for KeyRing {
    /// A ring without keys, of a user who has none.
    fn default() -> KeyRing {
        KeyRing {
            knowledge: watch::channel(Knowledge::Known).0,
            early: Mutex::default(),
            person: RwLock::default(),
            run: RwLock::default(),
            run_added: Notify::default(),
            setup: RwLock::default(),
            setup_file: None,
        }
    }
}

impl KeyRing {
    /// A ring that expects the keys of the user for this time; those of `setup` are read from this directory, also when
    /// they change.
    pub fn new(state_directory: Option<PathBuf>, expected_for: Duration) -> KeyRing {
        let setup_file = state_directory.map(|directory| Mutex::new(SetupKeys::watched(&directory)));
        let knowledge = watch::channel(Knowledge::ExpectedUntil(Instant::now() + expected_for)).0;
        KeyRing { knowledge, setup_file, ..KeyRing::default() }
    }

    /// Expects the keys of the user for this time from now, unless they are known: a window has attached.
    pub fn expect_person_keys(&self, time: Duration) {
        self.knowledge.send_if_modified(|knowledge| match knowledge {
            Knowledge::Known => false,
            Knowledge::ExpectedUntil(until) => {
                *until = Instant::now() + time;
                true
            }
        });
    }

    /// Records that the keys are known: a window sends them first, also if there are none.
    pub fn person_keys_are_known(&self) {
        let before = self.knowledge.send_replace(Knowledge::Known);
        if before != Knowledge::Known && self.is_required() {
            self.early.lock().take();
        }
    }

    /// Waits until the keys of the user are known, or are no longer expected.
    pub async fn wait_for_person_keys(&self) {
        let mut knowledge = self.knowledge.subscribe();
        loop {
            let Knowledge::ExpectedUntil(until) = *knowledge.borrow_and_update() else { return };
            if until <= Instant::now() {
                return;
            }
            log::info!("request waits for a window and its keys");
            // Looks again after either: the time may have been prolonged.
            let _ = timeout_at(until, knowledge.changed()).await;
        }
    }

    /// A client without a valid key. Before the keys of the user are known its requests run on trial: they end when keys
    /// turn out to be necessary.
    pub fn anonymous(&self) -> ClientIdentity {
        if *self.knowledge.borrow() == Knowledge::Known {
            return ClientIdentity::default();
        }
        let mut early = self.early.lock();
        ClientIdentity::on_trial(early.get_or_insert_with(|| watch::channel(()).0).subscribe())
    }

    /// Whether a request must carry a valid key.
    pub fn is_required(&self) -> bool {
        !self.person.read().is_empty()
    }

    /// Replaces the keys that the user made in VS Code, each given with its text. A key whose text is no longer among
    /// them is revoked. Empty texts are no keys.
    pub fn set_person_keys(&self, keys: Vec<(Key, String)>) {
        let keys = keys.into_iter().filter(|(_, text)| !text.is_empty());
        replace(&mut self.person.write(), keys.map(|(key, text)| (key, hash(text.as_bytes()))));
        self.person_keys_are_known();
    }

    /// Adds the key of a program that `run` started; valid until `remove_run_key`.
    pub fn add_run_key(&self, key: Key, text: &str) {
        let entry = Entry::new(key, hash(text.as_bytes()));
        let mut entries = self.run.write();
        entries.retain(|other| other.hash != entry.hash);
        entries.push(entry);
        drop(entries);
        self.run_added.notify_waiters();
    }

    /// Revokes the key of a program that has ended.
    pub fn remove_run_key(&self, name: &str) {
        self.run.write().retain(|entry| entry.key.name != name);
    }

    /// The client that one of these texts, all of one request, names.
    pub fn identify(&self, texts: &[&[u8]]) -> Option<ClientIdentity> {
        texts.iter().find_map(|text| {
            let hash = hash(text);
            if text.starts_with(SETUP_PREFIX.as_bytes()) {
                self.read_setup_keys();
            }
            find(&self.person.read(), &hash)
                .or_else(|| find(&self.run.read(), &hash))
                .or_else(|| find(&self.setup.read(), &hash))
        })
    }

    /// The value of the cookie that stands for a key in a browser.
    pub fn cookie(secret: &str, text: &str) -> String {
        cookie(secret, &hash(text.as_bytes()))
    }

    /// Whether a cookie's value stands for a key that is still valid and unrestricted.
    pub fn is_valid_cookie(&self, secret: &str, value: &str) -> bool {
        let stands_for = |entry: &Entry| {
            let matches = bool::from(cookie(secret, &entry.hash).as_bytes().ct_eq(value.as_bytes()));
            matches && entry.identity().is_unrestricted()
        };
        [&self.person, &self.setup].into_iter().any(|entries| entries.read().iter().any(stands_for))
    }

    /// Whether one of these texts looks like the key of a program that `run` started. Such a request is never served
    /// without its key, since the key may limit what the program spends.
    pub fn has_run_key(texts: &[&[u8]]) -> bool {
        texts.iter().any(|text| text.starts_with(RUN_PREFIX.as_bytes()))
    }

    /// Waits for the key of a program that `run` started: after a restart of the server, `run` makes it known again.
    pub async fn wait_for_run_key(&self, texts: &[&[u8]], limit: Duration) -> Option<ClientIdentity> {
        let wait = async {
            loop {
                let added = self.run_added.notified();
                if let Some(client) = self.identify(texts) {
                    return client;
                }
                added.await;
            }
        };
        timeout(limit, wait).await.ok()
    }

    /// Reads the keys of `setup` again if their file has changed.
    fn read_setup_keys(&self) {
        let Some(file) = &self.setup_file else { return };
        if let Some(keys) = file.lock().changed() {
            replace(&mut self.setup.write(), keys.into_iter());
        }
    }
}

impl Entry {
    fn new(key: Key, hash: Hash) -> Entry {
        Entry { hash, key: Arc::new(key), validity: watch::channel(()).0 }
    }

    /// A client that uses the key.
    fn identity(&self) -> ClientIdentity {
        ClientIdentity::while_valid(self.key.clone(), self.validity.subscribe())
    }
}

/// Replaces all entries. A key that stays, perhaps under another name or with other limits, isn't revoked: its running
/// requests go on.
fn replace(entries: &mut Vec<Entry>, keys: impl Iterator<Item = (Key, Hash)>) {
    let mut before = std::mem::take(entries);
    for (key, hash) in keys {
        if entries.iter().any(|entry| entry.hash == hash) {
            continue;
        }
        let entry = Entry::new(key, hash);
        let known = before.iter().position(|other| other.hash == hash).map(|index| before.swap_remove(index));
        entries.push(match known {
            Some(known) => Entry { validity: known.validity, ..entry },
            None => entry,
        });
    }
}

/// Compares with each entry, so that the time says nothing about the keys.
fn find(entries: &[Entry], hash: &Hash) -> Option<ClientIdentity> {
    let mut found = None;
    for entry in entries {
        if bool::from(entry.hash.ct_eq(hash)) {
            found = Some(entry);
        }
    }
    found.map(Entry::identity)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use futures_util::FutureExt;

    use super::*;
    use crate::keys::{KeyKind, KeyLimits};

    fn key(name: &str, text: &str) -> (Key, String) {
        let key = Key {
            name: name.into(),
            kind: KeyKind::Person,
            models: Vec::new(),
            may_use_tools: true,
            limits: KeyLimits::default(),
        };
        (key, text.into())
    }

    fn name(ring: &KeyRing, texts: &[&str]) -> Option<String> {
        let texts: Vec<&[u8]> = texts.iter().map(|text| text.as_bytes()).collect();
        let client = ring.identify(&texts)?;
        client.key_name().map(str::to_owned)
    }

    #[test]
    fn key_is_found_by_its_whole_text() {
        let ring = KeyRing::default();
        assert!(!ring.is_required());
        ring.set_person_keys(vec![key("a", "sesame"), key("b", "other"), key("none", "")]);
        assert!(ring.is_required());
        for (texts, found) in [
            (&["sesame"][..], Some("a")),
            (&["other"], Some("b")),
            (&["wrong", "other"], Some("b")),
            (&["sesam"], None),
            (&["Sesame"], None),
            (&[""], None),
            (&[], None),
        ] {
            assert_eq!(name(&ring, texts).as_deref(), found, "{texts:?}");
        }
        ring.set_person_keys(Vec::new());
        assert!(!ring.is_required());
    }

    #[tokio::test]
    async fn revoked_key_ends_the_requests_that_carry_it() {
        let ring = KeyRing::default();
        ring.set_person_keys(vec![key("a", "one"), key("b", "two")]);
        let client = |text: &str| ring.identify(&[text.as_bytes()]).unwrap();
        let (renamed, revoked) = (client("one"), client("two"));
        ring.set_person_keys(vec![key("c", "one")]);
        assert_eq!(renamed.revoked().now_or_never(), None);
        assert_eq!(revoked.revoked().now_or_never(), Some(()));
        assert_eq!(ClientIdentity::default().revoked().now_or_never(), None);
        assert_eq!(name(&ring, &["one"]).as_deref(), Some("c"));
    }

    #[tokio::test(start_paused = true)]
    async fn requests_before_the_keys_are_known_end_when_keys_are_necessary() {
        let second = Duration::from_secs(1);
        for (keys, ends) in [(vec![key("a", "one")], true), (Vec::new(), false)] {
            let ring = KeyRing::new(None, second);
            let early = ring.anonymous();
            assert_eq!(ring.wait_for_person_keys().now_or_never(), None);
            ring.set_person_keys(keys);
            assert_eq!(ring.wait_for_person_keys().now_or_never(), Some(()));
            assert_eq!(early.revoked().now_or_never().is_some(), ends);
            ring.set_person_keys(vec![key("b", "two")]);
            assert_eq!(early.revoked().now_or_never().is_some(), ends, "only the first keys matter");
            assert_eq!(ring.anonymous().revoked().now_or_never(), None);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn keys_are_expected_for_some_time_from_the_start_and_from_each_window() {
        let second = Duration::from_secs(1);
        let ring = KeyRing::new(None, second);
        let start = Instant::now();
        tokio::join!(ring.wait_for_person_keys(), async {
            tokio::time::sleep(second / 2).await;
            ring.expect_person_keys(second);
        });
        assert_eq!(start.elapsed(), second + second / 2);
        ring.expect_person_keys(second);
        tokio::join!(ring.wait_for_person_keys(), async { ring.person_keys_are_known() });
        assert_eq!(start.elapsed(), second + second / 2);
    }

    #[tokio::test]
    async fn key_of_a_program_is_valid_until_it_is_removed() {
        let ring = KeyRing::default();
        let run = Key { kind: KeyKind::Run, ..key("run-x", "").0 };
        let text: &[&[u8]] = &[b"cp-run-1"];
        let limit = Duration::from_mins(1);
        assert!(KeyRing::has_run_key(text));
        let (client, ()) = tokio::join!(ring.wait_for_run_key(text, limit), async {
            ring.add_run_key(run, "cp-run-1");
        });
        let client = client.unwrap();
        assert_eq!((client.key_name(), client.session()), (Some("run-x"), Some("run-x")));
        assert!(!ring.is_required());
        ring.remove_run_key("run-x");
        assert_eq!(client.revoked().now_or_never(), Some(()));
        assert!(ring.identify(text).is_none());
        assert!(ring.wait_for_run_key(text, Duration::ZERO).await.is_none());
    }

    #[test]
    fn keys_of_setup_are_read_again_when_their_file_changes() {
        let directory = tempfile::tempdir().unwrap();
        let ring = KeyRing::new(Some(directory.path().to_owned()), Duration::ZERO);
        let text = SetupKeys::make().unwrap();
        let mut file = SetupKeys::open(directory.path()).unwrap();
        assert_eq!(name(&ring, &[&text]), None);
        file.add("codex", Path::new("/a"), &text).unwrap();
        assert_eq!(name(&ring, &[&text]).as_deref(), Some("codex"));
        file.remove(Path::new("/a")).unwrap();
        assert_eq!(name(&ring, &[&text]), None);
    }
}
