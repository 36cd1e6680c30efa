//! Panics that tests provoke from outside, with the word of `ServerOptions::panic_at`. Debug builds only: in others these
//! functions do nothing.

use crate::conversation::Event;

#[cfg(debug_assertions)]
pub(super) use in_debug_builds::{at, configure};
#[cfg(not(debug_assertions))]
pub(super) use in_other_builds::{at, configure};

/// Panics in the named place if a test asks for it with the text of an event.
pub(super) fn at_event(place: &str, event: &Event) {
    if let Event::Text(text) = event {
        at(place, text);
    }
}

#[cfg(debug_assertions)]
mod in_debug_builds {
    use std::sync::OnceLock;

    use crate::options::ServerOptions;

    static WORD: OnceLock<String> = OnceLock::new();

    /// Takes the word from the options; once for each process.
    pub fn configure(options: &ServerOptions) {
        if let Some(word) = &options.panic_at {
            WORD.get_or_init(|| word.clone());
        }
    }

    /// Panics if a text has the word followed by `-` and this place.
    pub fn at(place: &str, text: &str) {
        let Some(word) = WORD.get() else { return };
        assert!(!text.contains(&format!("{word}-{place}")), "provoked in a test place={place}");
    }
}

#[cfg(not(debug_assertions))]
mod in_other_builds {
    use crate::options::ServerOptions;

    pub const fn configure(_options: &ServerOptions) {}

    pub const fn at(_place: &str, _text: &str) {}
}
