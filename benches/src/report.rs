//! The table of the results, for a terminal and as a document.

use crate::metrics::{Goal, Row};
use crate::statistics::median;

/// Median and range of the rounds, the reference's beside ours.
pub fn table(rows: &[Row]) -> String {
    let lines = lines(rows);
    let mut widths = [0; 6];
    for line in &lines {
        for (width, cell) in widths.iter_mut().zip(line) {
            *width = cell.len().max(*width);
        }
    }
    let padded = |line: &[String; 6]| {
        let cells = line.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    lines.iter().map(padded).collect::<Vec<_>>().join("\n")
}

/// The same as a page of Markdown.
pub fn document(rows: &[Row], rounds: usize) -> String {
    let mut lines = lines(rows).into_iter().map(|line| format!("| {} |\n", line.join(" | ")));
    let head = lines.next().unwrap_or_default();
    let rest: String = lines.collect();
    format!(
        "# Performance\n\n\
         The last result of `make performance`: medians of {rounds} rounds, with `[least .. most]`, on {}.\n\
         `benches/README.md` says what each line measures. Only ratios hold on another machine, and a wide range means that\n\
         this one was busy.\n\n\
         {head}| --- | ---: | ---: | ---: | ---: | --- |\n{rest}",
        machine()
    )
}

/// Processors and system.
pub fn machine() -> String {
    let cpus = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpus.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or_default();
    let count = std::thread::available_parallelism().map_or(0, usize::from);
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let model = model.trim_start_matches([' ', '\t', ':']);
    format!("{count} processors ({model}), Linux {}", kernel.trim())
}

fn lines(rows: &[Row]) -> Vec<[String; 6]> {
    let mut lines = vec![["", "ours", "reference", "ratio", "goal", ""].map(str::to_owned)];
    for row in rows {
        let reference = row.reference.as_ref();
        lines.push([
            row.name.to_owned(),
            spread(&row.ours),
            reference.map(|(whose, series)| format!("{whose} {}", spread(series))).unwrap_or_default(),
            row.ratios().as_deref().map(spread).unwrap_or_default(),
            match row.goal {
                Goal::AtMost(most) => format!("<= {}", shown(most)),
                Goal::AtLeast(least) => format!(">= {}", shown(least)),
                Goal::None => String::new(),
            },
            row.is_met().map(|met| if met { "met" } else { "NOT MET" }).unwrap_or_default().to_owned(),
        ]);
    }
    lines
}

pub fn spread(series: &[f64]) -> String {
    let mut sorted = series.to_vec();
    let middle = median(&mut sorted);
    match sorted.as_slice() {
        [] => "-".to_owned(),
        [only] => shown(*only),
        [least, .., most] => format!("{} [{} .. {}]", shown(middle), shown(*least), shown(*most)),
    }
}

/// Three digits tell enough.
pub fn shown(value: f64) -> String {
    match value.abs() {
        large if large >= 999.5e3 => format!("{:.2} M", value / 1e6),
        large if large >= 9999.5 => format!("{:.0} k", value / 1e3),
        large if large >= 99.95 => format!("{value:.0}"),
        large if large >= 9.995 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}
