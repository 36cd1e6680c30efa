//! The planned change of `setup`: shown before it is made, to a person as a diff, to a program as a line of JSON.

use std::io::{self, Write};

use serde::Serialize;

use super::diff;

/// A planned change, as `setup CLIENT --json` prints it.
#[derive(Serialize)]
#[serde(tag = "plan", rename_all = "snake_case")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(in crate::commands) enum Plan {
    /// The files are written.
    Write {
        changes: Vec<FileChange>,
        /// A remark for the user before they decide.
        note: Option<String>,
        /// The step that follows, as a clause.
        next: &'static str,
        /// A sentence for people: the set-up works while VS Code is open.
        without_vscode: String,
    },
    /// The earlier contents are put back.
    Undo {
        changes: Vec<FileChange>,
        /// Whether one was changed after set-up: those changes are lost.
        changed: bool,
    },
    /// The user copies this text.
    Copy {
        /// File name that shows the text's language.
        into: String,
        text: String,
    },
    /// There is nothing to do.
    Nothing { message: String },
}

/// A change of one file.
#[derive(Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(in crate::commands) struct FileChange {
    pub file: String,
    /// Its content now; null if it doesn't exist.
    pub before: Option<String>,
    /// Null if the file is removed.
    pub after: Option<String>,
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
            Plan::Write { changes, note, without_vscode, .. } => {
                let note = note.as_ref().map(|note| format!("{note}\n")).unwrap_or_default();
                format!("{note}{}{without_vscode}\n", diffs(changes))
            }
            Plan::Undo { changes, .. } => diffs(changes),
            Plan::Copy { text, .. } => text.clone(),
            Plan::Nothing { message } => format!("{message}\n"),
        }
    }
}

fn diffs(changes: &[FileChange]) -> String {
    let diff =
        |change: &FileChange| diff::unified(&change.file, change.before.as_deref(), change.after.as_deref());
    changes.iter().map(diff).collect()
}
