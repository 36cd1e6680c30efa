//! Copilot Proxy: a local gateway that lets every program on a machine use the models of the user's editor.

pub mod auto_mode;
pub mod blocking;
pub mod bridge;
pub mod commands;
pub mod completion;
pub mod conversation;
pub mod dialect;
pub mod failure;
pub mod http;
pub mod log;
pub mod models;
pub mod options;
pub mod request_log;
pub mod server;
pub mod simulator;
pub mod tokens;
pub mod tools;
pub mod transcript;
