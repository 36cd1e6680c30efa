//! Tests of the real binary over real sockets, with scripted editors and a simulated model with scripted responses.
//!
//! `server`, `client`, `editor`, `openai`, `gemini_form`, `recordings` and `terminal` are helpers; every other file tests a subject.

// Panics are how tests fail.
#![allow(
    clippy::pedantic,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stderr
)]

mod activity;
mod auto;
mod auto_model;
mod base_url;
mod blocks;
mod budgets;
mod chat;
mod client;
mod client_tools;
mod compaction;
mod compatibility;
mod content_coding;
mod context_management;
mod costs;
mod directory;
mod disconnects;
mod doctor;
mod documents;
mod editor;
mod editor_availability;
mod fallbacks;
mod faults;
mod floods;
mod gemini;
mod gemini_form;
mod health;
mod history;
mod http_common;
mod idle_connections;
mod images;
mod json_schema;
mod keys;
mod lifecycle;
mod limits;
mod mcp;
mod mcp_stdio;
mod messages;
mod metrics;
mod models;
mod multi_window;
mod odd_histories;
mod odd_requests;
mod ollama;
mod openai;
mod openapi;
mod origins;
mod panics;
mod prefix;
mod prefix_cache;
mod provider_rules;
mod recordings;
mod response_filters;
mod responses;
mod run;
mod server;
mod setup;
mod setup_json;
mod smuggling;
mod speed;
mod suspend;
mod terminal;
mod terminal_commands;
mod thinking;
mod tidy;
mod tool_choice;
mod tools;
mod ui;
mod usage;
mod wait;
mod web_search;

/// Reports that a test can't run on this machine. Output of `println!` is shown for failed tests only.
fn skipped(why: &str) {
    use std::io::Write as _;
    let thread = std::thread::current();
    let test = thread.name().unwrap_or("a test");
    let _ = writeln!(std::io::stderr(), "skipped: {test}: {why}");
}
