//! The inspector in a browser, at `/ui`: its page, its data below `/ui/api/`, and the log-in where keys are required.
//!
//! The page is that of VS Code's panel; `vscode-host/webview` has its source, and `npm run build` there writes the files
//! that this module includes. `access` decides about requests, `events` streams what the page shows, `api` has the rest.

pub(super) mod access;
pub(super) mod api;
pub(super) mod docs;
pub(super) mod events;
pub(super) mod login;
pub(super) mod page;
mod secured;
pub(super) mod welcome;
