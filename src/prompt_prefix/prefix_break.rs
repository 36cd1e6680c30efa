//! Changes that end the common prefix of two requests.

use std::fmt;

/// The first change between two requests of a conversation. Its text is `kind: place`, which the usage database groups by;
/// numbers count from 1, the system text aside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PrefixBreak {
    /// Another model was asked, whose cache has nothing of it.
    ModelSwitched {
        /// Model of the request before.
        from: String,
        /// Model of this request.
        to: String,
    },
    /// The list of tools or one of them is another.
    Tool {
        /// Name of the tool.
        name: String,
        /// Kind of the change.
        change: ToolChange,
    },
    /// The system text is another from about this character on.
    SystemText {
        /// Number of the first character of the block that changed.
        character: usize,
    },
    /// One message is another.
    MessageEdited {
        /// Its number.
        number: usize,
    },
    /// A message is missing.
    MessageRemoved {
        /// Its number in the request before.
        number: usize,
    },
    /// A message is new among older ones.
    MessageInserted {
        /// Its number.
        number: usize,
    },
    /// The messages from one on have become fewer: a summary replaces them, or the user went back.
    Compaction {
        /// Number of the first that was replaced.
        first: usize,
        /// Number of the last that was replaced.
        last: usize,
        /// Number of messages that replace them.
        by: usize,
    },
}

/// Kinds of changes of tools.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ToolChange {
    /// It is new.
    Added,
    /// It is missing.
    Removed,
    /// It has another place in the list.
    Moved,
    /// Its description is another.
    Description,
    /// The JSON Schema of its arguments is another, be it in the order of its keys.
    Parameters,
}

impl fmt::Display for PrefixBreak {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PrefixBreak::ModelSwitched { from, to } => write!(out, "model switched: {from} -> {to}"),
            PrefixBreak::Tool { name, change } => write!(out, "tool {change}: {name}"),
            PrefixBreak::SystemText { character } => {
                write!(out, "system text changed: near character {character}")
            }
            PrefixBreak::MessageEdited { number } => write!(out, "message edited: {number}"),
            PrefixBreak::MessageRemoved { number } => write!(out, "message removed: {number}"),
            PrefixBreak::MessageInserted { number } => write!(out, "message inserted: {number}"),
            PrefixBreak::Compaction { first, last, by } => {
                write!(out, "compaction: messages {first} to {last} became {by}")
            }
        }
    }
}

impl fmt::Display for ToolChange {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            ToolChange::Added => "added",
            ToolChange::Removed => "removed",
            ToolChange::Moved => "moved",
            ToolChange::Description => "description changed",
            ToolChange::Parameters => "parameters changed",
        })
    }
}
