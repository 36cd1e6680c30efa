//! What is about to be done: told before it is, to a person as a diff, to a program as a line of JSON.

use std::io::{self, Write};

use serde::Serialize;

use super::diff;

/// What is about to be done.
#[derive(Serialize)]
#[serde(tag = "plan", rename_all = "snake_case")]
pub(super) enum Plan {
    /// The file is written.
    Write {
        file: String,
        /// What it holds; null if it isn't there.
        before: Option<String>,
        after: String,
        /// Worth knowing beforehand.
        note: Option<String>,
        /// What to do afterwards.
        next: &'static str,
    },
    /// What was there before is put back.
    Undo {
        file: String,
        before: Option<String>,
        /// Null if the file goes.
        after: Option<String>,
        /// It was changed after it was set up: that is lost.
        changed: bool,
    },
    /// The person does it, with this text.
    Copy {
        /// The name of a file that holds the like.
        into: &'static str,
        text: String,
    },
    /// There is nothing to do.
    Nothing { says: String },
}

impl Plan {
    pub fn tell(&self, as_json: bool) -> io::Result<()> {
        let mut out = io::stdout().lock();
        if as_json {
            writeln!(out, "{}", serde_json::to_string(self)?)
        } else {
            write!(out, "{}", self.told())
        }
    }

    /// What the person is asked.
    pub fn question(&self) -> &'static str {
        match self {
            Plan::Undo { .. } => "Put this back?",
            _ => "Write this?",
        }
    }

    fn told(&self) -> String {
        match self {
            Plan::Write { file, before, after, note, .. } => {
                let note = note.as_ref().map(|note| format!("{note}\n")).unwrap_or_default();
                note + &diff::told(file, before.as_deref(), Some(after))
            }
            Plan::Undo { file, before, after, .. } => diff::told(file, before.as_deref(), after.as_deref()),
            Plan::Copy { text, .. } => text.clone(),
            Plan::Nothing { says } => format!("{says}\n"),
        }
    }
}
