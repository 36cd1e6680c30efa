//! The simulated editor: a peer on the bridge like any other, whose models answer from scripts.
//!
//! `demo` and `simulate` attach one, so that everything works without VS Code and each reply is known beforehand.
//! It obeys the rules of GitHub Copilot's provider, so that whoever passes here passes there.

pub mod cue;
pub mod dump;
pub mod ledger;
pub mod models;
pub mod perform;
pub mod rules;
pub mod script;
pub mod tools;
pub mod tree;
pub mod usage;
