//! The planned change of `setup`: shown before it is made, to a person as a diff, to a program as a line of JSON.

use std::io::{self, Write};

use serde::Serialize;

use super::diff;

/// A planned change, as `setup CLIENT --json` prints it.
#[derive(Serialize)]
#[serde(tag = "plan", rename_all = "snake_case")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(in crate::commands) enum Plan {
    /// The file is written.
    Write {
        file: String,
        /// Its content now; null if it doesn't exist.
        before: Option<String>,
        after: String,
        /// A remark for the user before they decide.
        note: Option<String>,
        /// The step that follows, as a clause.
        next: &'static str,
    },
    /// The earlier content is put back.
    Undo {
        file: String,
        before: Option<String>,
        /// Null if the file is removed.
        after: Option<String>,
        /// Whether it was changed after set-up: those changes are lost.
        changed: bool,
    },
    /// The user copies this text.
    Copy {
        /// File name that shows the text's language.
        into: &'static str,
        text: String,
    },
    /// There is nothing to do.
    Nothing { message: String },
}

impl Plan {
    /// Prints it.
    pub fn print(&self, as_json: bool) -> io::Result<()> {
        let mut out = io::stdout().lock();
        if as_json {
            writeln!(out, "{}", serde_json::to_string(self)?)
        } else {
            write!(out, "{}", self.text())
        }
    }

    /// The question before the change.
    pub fn question(&self) -> &'static str {
        match self {
            Plan::Undo { .. } => "Put this back?",
            Plan::Write { .. } | Plan::Copy { .. } | Plan::Nothing { .. } => "Write this?",
        }
    }

    fn text(&self) -> String {
        match self {
            Plan::Write { file, before, after, note, .. } => {
                let note = note.as_ref().map(|note| format!("{note}\n")).unwrap_or_default();
                note + &diff::unified(file, before.as_deref(), Some(after))
            }
            Plan::Undo { file, before, after, .. } => {
                diff::unified(file, before.as_deref(), after.as_deref())
            }
            Plan::Copy { text, .. } => text.clone(),
            Plan::Nothing { message } => format!("{message}\n"),
        }
    }
}
