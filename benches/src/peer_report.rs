//! The same loads on us and on other gateways, as a page.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::Path;

use tokio::time::timeout;

use crate::loads::{Load, Sizes};
use crate::metrics::Metric;
use crate::report::{machine, spread};
use crate::target::{Programs, Target};
use crate::{Result, TIMEOUT};

const PEERS: [(Target, &str); 4] = [
    (Target::Ours, "Copilot Proxy"),
    (Target::Inproc, "within the extension host"),
    (Target::Nginx, "nginx"),
    (Target::LiteLlm, "LiteLLM"),
];

const FIGURES: [(Metric, &str); 6] = [
    (Metric::FirstMedian, "first part p50, us"),
    (Metric::Request, "short response p50, us"),
    (Metric::RequestAloneAll, "CPU of it, us"),
    (Metric::RequestRate, "responses/s, 32 at once"),
    (Metric::RequestAll, "CPU of each, us"),
    (Metric::IdleMemory, "memory at rest, MB"),
];

/// Measures all peers in each round, one after the other, and writes the page.
pub async fn write(programs: &Programs, rounds: usize, path: &Path) -> Result<()> {
    let mut figures: HashMap<(Target, Metric), Vec<f64>> = HashMap::new();
    for round in 0..rounds {
        for turn in 0..PEERS.len() {
            let (target, name) = PEERS[(turn + round) % PEERS.len()];
            for load in [Load::First, Load::Request, Load::Idle] {
                eprintln!("round {} of {rounds}: {load:?}, {name}", round + 1);
                let measured = timeout(TIMEOUT, load.run(target, programs, Sizes::PEERS)).await;
                let measured = measured.map_err(Into::into).flatten();
                for (metric, value) in measured.map_err(|fault| format!("{load:?}, {name}: {fault}"))? {
                    figures.entry((target, metric)).or_default().push(value);
                }
            }
        }
    }
    let mut page = format!(
        "# Beside other gateways\n\n\
         The last result of `make bench-peers`: medians of {rounds} rounds, with `[least .. most]`, on {}. Each target has one\n\
         process for HTTP. Ours runs the model in an extension host, whose CPU counts; the others pass requests on to a bare server,\n\
         whose CPU doesn't count. Only ratios hold on another machine.\n\n|  |",
        machine()
    );
    PEERS.iter().try_for_each(|(_, name)| write!(page, " {name} |"))?;
    write!(page, "\n| --- |{}\n", " ---: |".repeat(PEERS.len()))?;
    for (metric, name) in FIGURES {
        write!(page, "| {name} |")?;
        for (target, _) in PEERS {
            write!(
                page,
                " {} |",
                figures.get(&(target, metric)).map(|series| spread(series)).unwrap_or_default()
            )?;
        }
        page.push('\n');
    }
    println!("{page}");
    Ok(std::fs::write(path, page)?)
}
