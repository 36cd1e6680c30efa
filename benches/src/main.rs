//! Measures Copilot Proxy against its goals: `make bench`. See `benches/README.md`.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use tokio::time::timeout;

use loads::{Load, Sizes};
use metrics::Samples;
use target::Programs;

mod checks;
mod http;
mod loads;
mod metrics;
mod peer_report;
mod process;
mod report;
mod scale;
mod statistics;
mod target;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// No load takes so long: what hangs fails.
const TIMEOUT: Duration = Duration::from_mins(2);

/// Runs each load against each target, in turn, and holds the medians against the goals.
#[derive(Parser)]
struct Options {
    /// Only these loads
    only: Vec<Load>,

    /// Number of rounds, each with processes started afresh
    #[arg(long, default_value_t = 5)]
    rounds: usize,

    /// A little of everything: shows that it works and that all answers are right, measures nothing
    #[arg(long)]
    smoke: bool,

    /// Write the results to this file, too, as Markdown
    #[arg(long)]
    document: Option<PathBuf>,

    /// Measure how costs grow instead, and write pictures and figures to this folder
    #[arg(long)]
    growth: Option<PathBuf>,

    /// Measure other gateways beside instead, and write the results to this file
    #[arg(long)]
    peers: Option<PathBuf>,

    /// LiteLLM's program, for `--peers`
    #[arg(long, default_value = "litellm")]
    litellm: PathBuf,

    /// The program of the server
    #[arg(long, default_value = "target/dist/copilot-proxy")]
    server: PathBuf,

    /// The folder of the extension
    #[arg(long, default_value = "vscode-host")]
    extension: PathBuf,
}

fn main() -> ExitCode {
    let options = Options::parse();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let measured = runtime.map_err(Into::into).and_then(|runtime| runtime.block_on(measure(&options)));
    match measured {
        Ok(_) if options.growth.is_some() || options.peers.is_some() => {}
        Ok(samples) if options.smoke => drop(samples),
        Ok(samples) => {
            let rows = samples.rows();
            println!("{}", report::table(&rows));
            let document = report::document(&rows, options.rounds);
            if let Some(path) = &options.document
                && let Err(error) = std::fs::write(path, document)
            {
                eprintln!("bench: {}: {error}", path.display());
                return ExitCode::FAILURE;
            }
        }
        Err(error) => {
            eprintln!("bench: {error}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

async fn measure(options: &Options) -> Result<Samples> {
    let programs = Programs {
        server: options.server.clone(),
        extension: options.extension.clone(),
        litellm: options.litellm.clone(),
    };
    if let Some(path) = &options.peers {
        peer_report::write(&programs, options.rounds, path).await?;
        return Ok(Samples::default());
    }
    if let Some(folder) = &options.growth {
        scale::document(&programs, folder, options.smoke).await?;
        return Ok(Samples::default());
    }
    let (rounds, sizes) = if options.smoke { (1, Sizes::SMOKE) } else { (options.rounds, Sizes::FULL) };
    let loads = if options.only.is_empty() { Load::value_variants() } else { &options.only };
    let mut samples = Samples::default();
    for round in 0..rounds {
        for load in loads {
            eprintln!("round {} of {rounds}: {load:?}", round + 1);
            let targets = load.targets();
            for turn in 0..targets.len() {
                // The first target has the cooler machine, so the order alternates.
                let target = targets[(turn + round) % targets.len()];
                let run = timeout(TIMEOUT, load.run(target, &programs, sizes)).await;
                let measured = run.map_err(Into::into).flatten();
                let measured = measured.map_err(|fault| format!("{load:?}, {target:?}: {fault}"))?;
                samples.add(target, measured);
            }
        }
    }
    Ok(samples)
}
