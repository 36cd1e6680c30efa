//! `copilot-proxy doctor`: diagnoses the installation and suggests fixes.
//!
//! `observe` collects observations, `diagnosis` turns them into findings; `environment` knows containers, WSL and proxies.

use std::io::{self, Write};

use serde::Serialize;

use super::api_client::ServerOption;

pub(super) mod diagnosis;
mod environment;
mod observe;

use diagnosis::{Finding, Severity};

/// Options of `copilot-proxy doctor`.
#[derive(Clone, Debug, clap::Args)]
pub struct DoctorOptions {
    /// Print JSON
    #[arg(long)]
    pub json: bool,

    /// Send no test request to a model, which uses a little of your quota
    #[arg(long)]
    pub no_question: bool,

    #[command(flatten)]
    pub(super) server: ServerOption,
}

/// A diagnosis, as `doctor --json` prints it.
#[derive(Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(super) struct Report {
    /// Whether no finding is an error.
    ok: bool,
    /// Version of this program.
    version: &'static str,
    /// Base URL that was examined.
    base_url: String,
    findings: Vec<Finding>,
}

/// Prints a diagnosis; returns whether no finding is an error.
pub fn doctor(options: &DoctorOptions) -> io::Result<bool> {
    let observations = observe::observe(&options.server, !options.no_question);
    let findings = diagnosis::findings(&observations);
    let is_ok = findings.iter().all(|finding| finding.status != Severity::Error);
    let mut out = io::stdout().lock();
    if options.json {
        let version = env!("CARGO_PKG_VERSION");
        let report = Report { ok: is_ok, version, base_url: observations.base, findings };
        writeln!(out, "{}", serde_json::to_string_pretty(&report)?)?;
    } else {
        for finding in &findings {
            write!(out, "{}", text(finding))?;
        }
    }
    Ok(is_ok)
}

fn text(Finding { subject, status, found, hint }: &Finding) -> String {
    let label = match status {
        Severity::Ok => "ok",
        Severity::Info => "info",
        Severity::Warning => "warning",
        Severity::Error => "ERROR",
    };
    let hint = hint.as_ref().map(|hint| format!("{:18}-> {hint}\n", "")).unwrap_or_default();
    format!("{label:<7} {subject:<9} {found}\n{hint}")
}
