//! API keys: those that the user made in VS Code, and those of programs that `copilot-proxy run` starts.

use std::fmt;

use serde::{Deserialize, Serialize};

/// All keys of the user. While there are any, each HTTP request must carry one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Keys {
    /// The valid keys: one that is no longer among them is revoked at once.
    pub keys: Vec<PersonKey>,
}

/// A key of the user: its text and what it permits.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct PersonKey {
    /// Name in the log, the panel and the usage database.
    pub name: String,
    /// Text that clients send.
    pub key: String,
    /// Patterns (`*`, `?`) of the models that it may use; empty for all.
    #[serde(default)]
    pub models: Vec<String>,
    /// Whether it may see and run the editor's tools.
    #[serde(default = "yes")]
    pub tools: bool,
    /// Credits that it may spend in a day; absent for no limit, as below.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub per_day: Option<f64>,
    /// Credits that it may spend in a month.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub per_month: Option<f64>,
    /// Credits that it may spend in all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub total: Option<f64>,
}

/// Credentials of `copilot-proxy run`, which asks for a key for the program that it starts. The key is valid while the
/// connection lasts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Run {
    /// Token from `server.json`.
    pub token: String,
    /// `PROTOCOL` of the program.
    pub protocol: u32,
    /// Version of the program.
    pub version: String,
    /// Process id of `run`.
    pub pid: u32,
    /// The program that it starts: `codex`.
    pub program: String,
    /// Credits that the program may spend in all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub max_credits: Option<f64>,
    /// The key that an earlier server made, so that it stays valid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub earlier: Option<RunKey>,
}

/// Key of a program that `copilot-proxy run` starts.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct RunKey {
    /// Name of the key, and of the program's session where it names none.
    pub name: String,
    /// Text that the program sends.
    pub key: String,
}

/// Without the key's text.
impl fmt::Debug for RunKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("RunKey").field("name", &self.name).finish_non_exhaustive()
    }
}

fn yes() -> bool {
    true
}

/// Without the key's text, so that no log line can have it.
impl fmt::Debug for PersonKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("PersonKey").field("name", &self.name).finish_non_exhaustive()
    }
}
