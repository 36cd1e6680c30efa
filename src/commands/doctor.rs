//! `copilot-proxy doctor`: says what is well and what is not, and what to do about each.
//!
//! `examination` looks, `diagnosis` makes findings of what it saw; `surroundings` is where all this happens.

use std::io::{self, Write};

use serde_json::json;

use super::api_client::ServerOption;

mod diagnosis;
mod environment;
mod examination;

use diagnosis::{Finding, Verdict};

/// What a person says after `copilot-proxy doctor`.
#[derive(Clone, Debug, clap::Args)]
pub struct DoctorOptions {
    /// Say it as JSON
    #[arg(long)]
    pub json: bool,

    /// Ask no model: a question uses a little of your quota
    #[arg(long)]
    pub no_question: bool,

    #[command(flatten)]
    pub(super) server: ServerOption,
}

/// Tells how things stand; true if nothing is wrong.
pub fn doctor(options: &DoctorOptions) -> io::Result<bool> {
    let seen = examination::examine(&options.server, !options.no_question);
    let findings = diagnosis::findings(&seen);
    let is_well = findings.iter().all(|finding| finding.verdict != Verdict::Wrong);
    let mut out = io::stdout().lock();
    if options.json {
        let report = json!({
            "ok": is_well,
            "version": env!("CARGO_PKG_VERSION"),
            "base_url": seen.base,
            "findings": findings,
        });
        writeln!(out, "{report:#}")?;
    } else {
        for finding in &findings {
            write!(out, "{}", told(finding))?;
        }
    }
    Ok(is_well)
}

fn told(Finding { subject, verdict, found, advice }: &Finding) -> String {
    let mark = match verdict {
        Verdict::Well => "ok",
        Verdict::Note => "note",
        Verdict::Wrong => "WRONG",
    };
    let advice = advice.as_ref().map(|advice| format!("{:17}-> {advice}\n", "")).unwrap_or_default();
    format!("{mark:<6} {subject:<9} {found}\n{advice}")
}
