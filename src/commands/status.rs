//! The command `status`: whether a server runs, and what it serves.

use std::io::{self, Write};

use serde::Deserialize;
use serde_json::Value;

use super::api_client::{ApiClient, ServerError, ServerOption};
use super::terminal::{self, cut};

/// Options of `copilot-proxy status`.
#[derive(Clone, Debug, clap::Args)]
pub struct StatusOptions {
    #[command(flatten)]
    server: ServerOption,

    /// Print what `GET /health` returns
    #[arg(long)]
    json: bool,
}

/// The fields of `GET /health` that are shown.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Health {
    version: String,
    /// In seconds.
    uptime: u64,
    models_available: u64,
    editors: u64,
    /// Names of the workspace folders of each window.
    windows: Vec<Vec<String>>,
}

/// Prints the state of the server; fails if none answers.
pub fn status(options: &StatusOptions) -> Result<(), ServerError> {
    let client = ApiClient::new(options.server.base());
    let health = client.get_json("/health")?;
    terminal::print(|out| write_status(out, &client.base, health, options.json), ServerError::as_io)
}

fn write_status(out: &mut dyn Write, base: &str, health: Value, json: bool) -> Result<(), ServerError> {
    if json {
        serde_json::to_writer_pretty(&mut *out, &health).map_err(io::Error::from)?;
        return Ok(writeln!(out)?);
    }
    let health: Health = serde_json::from_value(health).unwrap_or_default();
    writeln!(out, "Copilot Proxy {} on {base}, up {}", cut(&health.version, 40), duration(health.uptime))?;
    let names = health.windows.iter().map(|folders| match folders.as_slice() {
        [] => "(no folder)".to_owned(),
        folders => cut(&folders.join(" + "), 60),
    });
    let names = names.collect::<Vec<_>>().join(", ");
    writeln!(
        out,
        "  windows  {}{}",
        health.editors,
        if names.is_empty() { names } else { format!(": {names}") }
    )?;
    writeln!(out, "  models   {}", health.models_available)?;
    Ok(())
}

/// Seconds as the two largest units: `2 h 3 min`.
fn duration(seconds: u64) -> String {
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn written(health: Value) -> String {
        let mut out = Vec::new();
        write_status(&mut out, "http://127.0.0.1:8080", health, false).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn windows_are_named_by_their_folders() {
        let health = json!({
            "version": "1.2.3", "uptime": 7384, "models_available": 34, "editors": 3,
            "windows": [["web"], ["api", "db"], []]
        });
        assert_eq!(
            written(health),
            "Copilot Proxy 1.2.3 on http://127.0.0.1:8080, up 2 h 3 min\n  windows  3: web, api + db, (no folder)\n  models   34\n"
        );
    }

    #[test]
    fn server_without_windows_has_none() {
        let health =
            json!({ "version": "1.2.3", "uptime": 75, "models_available": 0, "editors": 0, "windows": [] });
        assert!(written(health).ends_with("up 1 min 15 s\n  windows  0\n  models   0\n"));
    }
}
