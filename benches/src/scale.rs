//! Growth: what one request, stream or window costs when there are few and when there are many. Each dimension is measured
//! from its smallest to its largest value on one start of each target, and shown as a picture (`chart`).

use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use tokio::time::timeout;

use crate::Result;
use crate::checks::Parts;
use crate::http::{Connection, order, question_with_tools};
use crate::loads::{Body, memory, microseconds, run_paced};
use crate::report::{machine, shown};
use crate::statistics::median;
use crate::target::{Cost, Programs, Running, Target};

mod chart;

/// No dimension takes so long: what hangs fails.
const TIMEOUT: Duration = Duration::from_mins(5);

/// Figures at one value of a dimension.
struct Point {
    value: f64,
    /// Of one request or part, in milliseconds.
    time: f64,
    /// Of one request or part, in microseconds: of the extension host, and of all.
    cpu: Cost,
    /// Of all processes, in MB.
    memory: f64,
}

/// The quantity that grows.
#[derive(Clone, Copy, Debug)]
enum Dimension {
    Streams,
    History,
    Tools,
    Windows,
    Turns,
}

const DIMENSIONS: [Dimension; 5] =
    [Dimension::Streams, Dimension::History, Dimension::Tools, Dimension::Windows, Dimension::Turns];

impl Dimension {
    /// Its values, from few to many.
    fn values(self, smoke: bool) -> &'static [usize] {
        let all: &[usize] = match self {
            Dimension::Streams => &[1, 4, 16, 64, 128, 256, 512],
            Dimension::History => &[1_000, 10_000, 100_000, 300_000, 1_000_000, 3_000_000, 9_900_000],
            Dimension::Tools => &[1, 4, 16, 64, 128],
            Dimension::Windows => &[1, 2, 5, 10, 20],
            Dimension::Turns => &[1, 2, 5, 10, 20, 50, 100],
        };
        if smoke { &all[..2] } else { all }
    }

    fn targets(self) -> &'static [Target] {
        match self {
            // A server within the extension host has one window.
            Dimension::Windows => &[Target::Ours],
            _ => &[Target::Ours, Target::Inproc],
        }
    }

    /// Name of its picture.
    fn file(self) -> &'static str {
        match self {
            Dimension::Streams => "streams",
            Dimension::History => "history",
            Dimension::Tools => "tools",
            Dimension::Windows => "windows",
            Dimension::Turns => "turns",
        }
    }

    fn title(self) -> &'static str {
        match self {
            Dimension::Streams => "Streams at once, each with a part every 50 ms",
            Dimension::History => "Bytes of a new history",
            Dimension::Tools => "Tools of a short request, the same each time",
            Dimension::Windows => "Windows attached, short requests",
            Dimension::Turns => "Turns of a session that grows by 16 KB each",
        }
    }

    /// Name of the time that is measured.
    fn time(self) -> &'static str {
        match self {
            Dimension::Streams => "delay of a part p50, ms",
            _ => "response p50, ms",
        }
    }

    async fn measure(self, target: Target, programs: &Programs, smoke: bool) -> Result<Vec<Point>> {
        let mut running = target.start(programs).await?;
        warm_up(&running).await?;
        let mut points = Vec::new();
        let mut done = 0;
        for &value in self.values(smoke) {
            let (time, cpu) = match self {
                Dimension::Streams => streams(&running, value).await?,
                Dimension::History => history(&running, value).await?,
                Dimension::Tools => requests(&running, &tools(value)).await?,
                Dimension::Windows => {
                    while running.windows() < value {
                        running.add_window(programs)?;
                    }
                    running.wait_for_windows(value).await?;
                    requests(&running, &order(false, "parts 3 1")).await?
                }
                Dimension::Turns => turns(&running, done..value).await?,
            };
            done = value;
            points.push(Point { value: value as f64, time, cpu, memory: memory(&running)? / 1024.0 });
        }
        Ok(points)
    }
}

/// Measures all dimensions, and writes their pictures and a page with their figures.
pub async fn document(programs: &Programs, folder: &Path, smoke: bool) -> Result<()> {
    std::fs::create_dir_all(folder)?;
    let mut page = format!(
        "# Growth\n\n\
         The last result of `make performance` on {}: one run, so the lines have the noise of a single measurement. *CPU* is\n\
         that of a request, or of a part of a stream; `inproc` is the smallest server within the extension host (`benches/README.md`).\n\
         A line is flat where it costs the same however many there are, and *bends* where doubling the value begins to cost\n\
         more than half as much again.\n",
        machine()
    );
    for dimension in DIMENSIONS {
        eprintln!("growth: {dimension:?}");
        let mut lines = Vec::new();
        for &target in dimension.targets() {
            let measured = timeout(TIMEOUT, dimension.measure(target, programs, smoke)).await;
            let points = measured.map_err(Into::into).flatten();
            lines.push((target, points.map_err(|fault| format!("{dimension:?}, {target:?}: {fault}"))?));
        }
        let file = format!("{}.svg", dimension.file());
        chart::draw(&folder.join(&file), dimension, &lines)?;
        write_section(&mut page, dimension, &file, &lines)?;
    }
    std::fs::write(folder.join("README.md"), page)?;
    Ok(())
}

fn write_section(
    page: &mut String,
    dimension: Dimension,
    file: &str,
    lines: &[(Target, Vec<Point>)],
) -> std::fmt::Result {
    write!(page, "\n## {}\n\n![{}]({file})\n\n", dimension.title(), dimension.title())?;
    let time = dimension.time();
    writeln!(
        page,
        "|  | {time} | CPU, us | of it node | memory, MB | inproc: {time} | CPU, us | memory, MB |"
    )?;
    writeln!(page, "| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")?;
    let Some(((_, ours), others)) = lines.split_first() else { return Ok(()) };
    for (number, Point { value, time, cpu, memory }) in ours.iter().enumerate() {
        let [time, all, node, memory] = [*time, cpu.all, cpu.node, *memory].map(shown);
        let inproc = others.first().and_then(|(_, points)| points.get(number));
        let [their_time, their_cpu, their_memory] = inproc
            .map_or_else(Default::default, |point| [point.time, point.cpu.all, point.memory].map(shown));
        writeln!(
            page,
            "| {value} | {time} | {all} | {node} | {memory} | {their_time} | {their_cpu} | {their_memory} |"
        )?;
    }
    let bend = |of: fn(&Point) -> f64| match bend(ours, of) {
        Some(value) => format!("bends at {value}"),
        None => "does not bend".to_owned(),
    };
    writeln!(
        page,
        "\nOur time {}, our CPU {}, our memory {}.",
        bend(|point| point.time),
        bend(|point| point.cpu.all),
        bend(|point| point.memory)
    )
}

/// The value from which a line grows with at least the power 0.58: doubling costs half as much again.
fn bend(points: &[Point], of: fn(&Point) -> f64) -> Option<f64> {
    let power = |pair: &[Point]| match pair {
        [before, after] => (of(after) / of(before)).ln() / (after.value / before.value).ln(),
        _ => 0.0,
    };
    points.windows(2).find(|pair| power(pair) > 0.58).and_then(|pair| pair.first()).map(|point| point.value)
}

async fn warm_up(running: &Running) -> Result<()> {
    requests(running, &order(false, "parts 3 1")).await?;
    run_paced(running, 4, 20, 10).await.map(drop)
}

async fn streams(running: &Running, count: usize) -> Result<(f64, Cost)> {
    const PARTS: usize = 40;
    let before = running.begin()?;
    let mut late = run_paced(running, count, PARTS, 50).await?;
    Ok((median(&mut late) / 1e3, running.cost(&before)?.each(count * PARTS)))
}

async fn history(running: &Running, bytes: usize) -> Result<(f64, Cost)> {
    let bodies: Vec<Body> = (0..5).map(|number| Body::of(bytes, number)).collect();
    ask_each(running, &bodies).await
}

/// The turns of one session after the first ones, each of the whole conversation so far.
async fn turns(running: &Running, turns: std::ops::Range<usize>) -> Result<(f64, Cost)> {
    let bodies: Vec<Body> = turns.map(|turn| Body::of((turn + 1) * 16 * 1024 + 2048, 7)).collect();
    ask_each(running, &bodies).await
}

async fn ask_each(running: &Running, bodies: &[Body]) -> Result<(f64, Cost)> {
    let mut client = Connection::open(running.port).await?;
    let mut times = Vec::new();
    let before = running.begin()?;
    for body in bodies {
        let asked = Instant::now();
        body.ask(&mut client).await?;
        times.push(microseconds(asked.elapsed()) / 1e3);
    }
    Ok((median(&mut times), running.cost(&before)?.each(bodies.len())))
}

async fn requests(running: &Running, request: &[u8]) -> Result<(f64, Cost)> {
    const REQUESTS: usize = 100;
    let mut client = Connection::open(running.port).await?;
    let mut times = Vec::new();
    let before = running.begin()?;
    for _ in 0..REQUESTS {
        let asked = Instant::now();
        let text = client.whole_text(request).await?;
        if text != Parts::text(3) {
            return Err(format!("answered {text:?}").into());
        }
        times.push(microseconds(asked.elapsed()) / 1e3);
    }
    Ok((median(&mut times), running.cost(&before)?.each(REQUESTS)))
}

/// A request with so many tools, each of about 400 bytes as agents' tools are.
fn tools(count: usize) -> Vec<u8> {
    let about =
        "Reads a part of a file of the workspace. Give the lines that are needed, not the whole file.";
    let tool = |number: usize| {
        format!(
            r#"{{"type":"function","function":{{"name":"tool_{number}","description":"{about}","parameters":{{"type":"object","properties":{{"path":{{"type":"string","description":"{about}"}},"first":{{"type":"integer"}},"last":{{"type":"integer"}}}},"required":["path"]}}}}}}"#
        )
    };
    let tools: Vec<String> = (0..count).map(tool).collect();
    question_with_tools(false, r#"{"role":"user","content":"parts 3 1"}"#, &tools.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_bends_where_it_begins_to_grow() {
        let point = |value, time| Point { value, time, cpu: Cost { node: 0.0, all: 0.0 }, memory: 1.0 };
        let points = [point(1.0, 5.0), point(10.0, 6.0), point(100.0, 40.0), point(1000.0, 400.0)];
        assert_eq!(
            (bend(&points, |point| point.time), bend(&points, |point| point.memory)),
            (Some(10.0), None)
        );
    }
}
