//! The HTTP side of the server, on top of actix-web.
//!
//! Begin with `routes`: one table of all endpoints, from which the rest derives. A request passes `access` (who may
//! send it), then its handler: `completion` for the endpoints that run a model, `handlers` for the others. `response`
//! writes whole and streamed responses. `listeners` opens the port, `listener` serves one address of it.
//!
//! Inside: `state` <- `error_response` <- `access`, `completion`, `handlers` <- `routes` <- `listener`.

mod access;
mod base_url;
mod caught_panic;
mod codex_error;
mod completion;
mod connection;
mod connection_limit;
mod content_coding;
mod context_management;
mod error_form;
mod error_response;
mod expect_continue;
mod handlers;
mod head_timeout;
mod idle_connection;
mod listener;
pub mod listeners;
mod openapi;
mod origin_access;
mod origin_questions;
mod peer;
mod provoked_panic;
mod random_id;
mod read_ahead;
mod request_body;
mod request_bytes;
mod request_id;
mod request_key;
mod response;
mod route_index;
mod routes;
mod state;
mod time_limit;
mod tool_access;
mod ui;
mod unread_body;
mod websocket;

pub use handlers::usage::usage_report;
pub use state::AppState;
