//! Copilot Proxy: a local gateway that lets every program on a machine use the models of the user's editor.

pub mod actors;
pub mod asking;
pub mod bridge;
pub mod commands;
pub mod conversation;
pub mod dialect;
pub mod failure;
pub mod http;
pub mod ledger;
pub mod log;
pub mod models;
pub mod server;
pub mod settings;
pub mod simulator;
pub mod threads;
pub mod tokens;
pub mod tools;
pub mod transcript;
