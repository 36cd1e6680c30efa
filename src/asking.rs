//! One question to a model: choice, legal transcript, size check, send; then the filters over its events.

pub mod filter;
