//! The server as clients and editors meet it: the real binary, real sockets, and a model whose every word is
//! known beforehand.
//!
//! `server`, `client` and `editor` are the three parties, `openai` is what the clients say; every other file is
//! a subject.

// What is a lapse in the server is here how a test fails.
#![allow(
    clippy::pedantic,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stderr
)]

mod answers;
mod arrivals;
mod auto;
mod chat;
mod client;
mod doctor;
mod editor;
mod faults;
mod health;
mod http_common;
mod hub;
mod lifecycle;
mod limits;
mod messages;
mod metrics;
mod models;
mod ollama;
mod openai;
mod panel;
mod responses;
mod run;
mod server;
mod setup;
mod setup_json;
mod speed;
mod terminal;
mod tidy;
mod tools;
mod wait;

/// Says that a test could not be run here, and why. What is printed by macros is only shown of tests that fail.
fn skipped(why: &str) {
    use std::io::Write as _;
    let thread = std::thread::current();
    let test = thread.name().unwrap_or("a test");
    let _ = writeln!(std::io::stderr(), "skipped: {test}: {why}");
}
