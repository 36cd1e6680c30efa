//! Copilot Proxy: a local gateway that lets every program on a machine use the models of the user's editor.
//!
//! In reading order: `conversation` and `failure` are what everything talks about. A `dialect` translates one HTTP
//! API to them and back. `completion` runs one model request through the `bridge` to an editor, with the help of
//! `models`, `tools`, `transcript` and `tokens`; `auto_mode` runs editor tools in between, `mcp` offers them to agents.
//! `request_log` and `usage_db` keep the account of requests, `budgets` their cost, `prefix` compares them, and `keys`
//! names their clients. `http` has the endpoints,
//! `server` holds everything together, `commands` are the program's commands. `ARCHITECTURE.md` has the whole picture.

pub mod allocator;
mod auto_mode;
mod blocking;
pub mod bridge;
mod budgets;
pub mod commands;
mod completion;
pub mod conversation;
mod dialect;
mod failure;
#[cfg(any(fuzzing, test))]
#[allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    reason = "a panic is how a fuzz target reports what it found"
)]
pub mod fuzzing;
mod http;
pub mod keys;
pub mod log;
mod mcp;
mod models;
pub mod options;
mod port_holder;
mod prompt_prefix;
mod request_log;
mod server;
mod simulator;
mod tokens;
mod tools;
mod transcript;
mod usage_db;
