//! Edits of a conversation that the client asks for, before the model reads it: old results and thinking are cleared,
//! or a summary takes the place of old turns.

use super::Usage;

/// An edit that a request asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ContextEdit {
    /// Clears the results of old tool calls.
    ClearToolUses(ClearToolUses),
    /// Removes the thinking of old turns.
    ClearThinking {
        /// Number of the latest turns with thinking that keep it.
        keep: usize,
    },
    /// Replaces old turns by a summary.
    Compact {
        /// Tokens of the input from which on it happens.
        trigger: u64,
        /// Instructions for the summary, instead of the usual ones.
        instructions: Option<String>,
        /// Whether the response ends with the summary.
        pauses: bool,
    },
}

/// Rules of clearing tool results.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClearToolUses {
    /// Size from which on it happens.
    pub trigger: Trigger,
    /// Number of the latest results that stay.
    pub keep: usize,
    /// Tokens that must be freed, or nothing is cleared.
    pub clear_at_least: u64,
    /// Tools whose results stay.
    pub exclude: Vec<String>,
    /// Calls whose input is cleared, too.
    pub inputs: ClearedInputs,
}

/// Size from which on an edit is applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trigger {
    /// Tokens of the input.
    InputTokens(u64),
    /// Number of tool calls.
    ToolUses(u64),
}

/// Calls whose input is cleared with their result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClearedInputs {
    /// None.
    None,
    /// Those of all tools.
    All,
    /// Those of these tools.
    Of(Vec<String>),
}

/// A change of the conversation that the server has made for a response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ContextChange {
    /// Edits that were applied; none if no trigger was reached.
    Edited(Vec<AppliedEdit>),
    /// A summary took the place of the conversation so far.
    Compacted {
        /// Text of the summary.
        summary: String,
        /// Cost of the request that made it, a part of the response's.
        usage: Usage,
    },
}

/// An edit that was applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AppliedEdit {
    /// Results of tool calls were cleared.
    ToolUses {
        /// Number of results.
        cleared: u64,
        /// Tokens that this freed.
        tokens: u64,
    },
    /// Thinking was removed.
    Thinking {
        /// Number of turns.
        cleared: u64,
        /// Tokens that this freed.
        tokens: u64,
    },
}
