//! The loads: the traffic to a target and its measurement. Each load checks every response and fails with the harness if
//! one is wrong.

use std::time::{Duration, Instant};

use clap::ValueEnum;
use futures_util::future::{try_join, try_join_all};

use crate::Result;
use crate::checks::{Paced, Parts};
use crate::http::{Connection, order};
use crate::metrics::Metric;
use crate::process::Process;
use crate::statistics::{median, percentile};
use crate::target::{Cost, Programs, Running, Target};

mod bodies;
mod hop;

pub use bodies::Body;

/// Milliseconds between the parts of a quick model.
const PACE: u64 = 10;

/// Targets that are measured together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Load {
    First,
    Request,
    Paced,
    Burst,
    Body,
    Mixed,
    Idle,
    Start,
}

/// Scale of the loads.
#[derive(Clone, Copy)]
pub struct Sizes {
    pub answers: usize,
    pub throughput: Duration,
    pub streams: usize,
    pub paced: usize,
    /// Parts of a long answer.
    pub burst: usize,
    pub bodies: usize,
    /// Of a large body and of a very large one, in bytes.
    pub body: [usize; 2],
    pub held: usize,
    pub starts: usize,
}

impl Sizes {
    pub const FULL: Sizes = Sizes {
        answers: 400,
        throughput: Duration::from_millis(1500),
        streams: 64,
        paced: 200,
        burst: 2500,
        bodies: 6,
        body: [1024 * 1024, 9 * 1024 * 1024],
        held: 1000,
        starts: 11,
    };
    /// Less, since some of them are slow.
    pub const PEERS: Sizes = Sizes { answers: 100, held: 100, ..Sizes::FULL };
    /// Enough to see that everything works.
    pub const SMOKE: Sizes = Sizes {
        answers: 5,
        throughput: Duration::from_millis(20),
        streams: 4,
        paced: 10,
        burst: 50,
        bodies: 1,
        body: [50 * 1024, 600 * 1024],
        held: 20,
        starts: 1,
    };
}

pub type Measured = Vec<(Metric, f64)>;

impl Load {
    pub fn targets(self) -> &'static [Target] {
        match self {
            Load::Body | Load::Mixed => &[Target::Ours, Target::Inproc],
            Load::Start => &[Target::Ours, Target::Floor],
            _ => &[Target::Ours, Target::Inproc, Target::Floor],
        }
    }

    pub async fn run(self, target: Target, programs: &Programs, sizes: Sizes) -> Result<Measured> {
        if self == Load::Start {
            return start(target, programs, sizes).await;
        }
        let mut running = target.start(programs).await?;
        match self {
            Load::First => first(&mut running, target, sizes).await,
            Load::Request => request(&running, sizes).await,
            Load::Paced => paced(&running, sizes).await,
            Load::Burst => burst(&running, target, sizes).await,
            Load::Body => bodies::alone(&mut running, sizes).await,
            Load::Mixed => bodies::beside_streams(&running, sizes).await,
            Load::Idle | Load::Start => idle(&mut running, target, sizes).await,
        }
    }
}

/// Time to the first part on an idle machine.
async fn first(running: &mut Running, target: Target, sizes: Sizes) -> Result<Measured> {
    let mut client = Connection::open(running.port).await?;
    let order = order(true, "parts 2 2");
    let mut times = Vec::new();
    for _ in 0..sizes.answers * 2 {
        let mut parts = Parts::new(2);
        let asked = Instant::now();
        let mut stream = client.stream(&order).await?;
        while !parts.begun() {
            stream.more(|text| parts.check(text)).await?;
        }
        times.push(microseconds(asked.elapsed()));
        stream.rest(|text| parts.check(text)).await?;
        parts.end()?;
    }
    let times = &mut times[sizes.answers..]; // the earlier ones are for warm-up
    let mut measured = vec![
        (Metric::FirstMedian, median(times)),
        (Metric::First99, percentile(times, 99.0)),
        (Metric::Newcomer, newcomer(running, sizes).await?),
    ];
    if target == Target::Ours {
        measured.push((Metric::Hop, hop::round_trip(running, sizes.answers).await?));
    }
    Ok(measured)
}

/// Time of a short response over a new connection, as with curl.
async fn newcomer(running: &Running, sizes: Sizes) -> Result<f64> {
    let order = order(false, "parts 2 1");
    let mut times = Vec::new();
    for _ in 0..sizes.answers.div_ceil(4) {
        let came = Instant::now();
        let text = Connection::open(running.port).await?.whole_text(&order).await?;
        times.push(microseconds(came.elapsed()));
        if text != Parts::text(2) {
            return Err(format!("answered {text:?}").into());
        }
    }
    Ok(median(&mut times))
}

/// Short whole answers, one after the other and 32 at a time.
async fn request(running: &Running, sizes: Sizes) -> Result<Measured> {
    let order = order(false, "parts 3 1");
    let wanted = Parts::text(3);
    let ask = async |client: &mut Connection| -> Result<()> {
        let text = client.whole_text(&order).await?;
        if text == wanted { Ok(()) } else { Err(format!("answered {text:?}").into()) }
    };
    let crowd = async |time: Duration| -> Result<usize> {
        let until = Instant::now() + time;
        let asking = (0..32).map(async |_| -> Result<usize> {
            let mut client = Connection::open(running.port).await?;
            let mut answers = 0;
            while Instant::now() < until {
                ask(&mut client).await?;
                answers += 1;
            }
            Ok(answers)
        });
        Ok(try_join_all(asking).await?.iter().sum())
    };
    crowd(sizes.throughput / 3).await?;
    let mut client = Connection::open(running.port).await?;
    let mut times = Vec::new();
    let before = running.begin()?;
    for _ in 0..sizes.answers {
        let asked = Instant::now();
        ask(&mut client).await?;
        times.push(microseconds(asked.elapsed()));
    }
    let alone = running.cost(&before)?.each(sizes.answers);
    let (before, began) = (running.begin()?, Instant::now());
    let answers = crowd(sizes.throughput).await?;
    let cost = running.cost(&before)?.each(answers);
    Ok(vec![
        (Metric::Request, median(&mut times)),
        (Metric::RequestAloneNode, alone.node),
        (Metric::RequestAloneAll, alone.all),
        (Metric::RequestRate, answers as f64 / began.elapsed().as_secs_f64()),
        (Metric::RequestNode, cost.node),
        (Metric::RequestAll, cost.all),
    ])
}

/// Many answers at the pace of a quick model: a part each ten milliseconds.
async fn paced(running: &Running, sizes: Sizes) -> Result<Measured> {
    run_paced(running, sizes.streams, sizes.paced / 4, PACE).await?;
    let before = running.begin()?;
    run_paced(running, sizes.streams, sizes.paced, PACE).await?;
    let Cost { node, all } = running.cost(&before)?.each(sizes.streams * sizes.paced);
    Ok(vec![(Metric::PacedNode, node), (Metric::PacedAll, all)])
}

/// Streams with a part each `every` milliseconds; returns the delay of each part since it was due, in microseconds.
pub async fn run_paced(running: &Running, streams: usize, count: usize, every: u64) -> Result<Vec<f64>> {
    let order = order(true, &format!("paced {count} {every}"));
    let streams_running = (0..streams).map(async |number| -> Result<Vec<f64>> {
        // Spreads the starts of the streams over one interval.
        tokio::time::sleep(Duration::from_micros(number as u64 * 1000 * every / streams as u64)).await;
        let mut paced = Paced::new(count, every * 1000);
        let mut client = Connection::open(running.port).await?;
        client.stream(&order).await?.rest(|text| paced.check(text)).await?;
        paced.end()
    });
    Ok(try_join_all(streams_running).await?.concat())
}

/// Many long answers as fast as the model can: a part a turn of the event loop, in each of them.
async fn burst(running: &Running, target: Target, sizes: Sizes) -> Result<Measured> {
    // This target joins parts and is fast, so it needs more responses for a measurable time.
    let answers = if target == Target::Ours { 4 } else { 1 };
    run_burst(running, sizes, 1).await?;
    let (before, began) = (running.begin()?, Instant::now());
    run_burst(running, sizes, answers).await?;
    let time = began.elapsed();
    let parts = sizes.streams * sizes.burst * answers;
    let Cost { node, all } = running.cost(&before)?.each(parts);
    let rate = parts as f64 / time.as_secs_f64();
    Ok(vec![(Metric::BurstRate, rate), (Metric::BurstNode, node), (Metric::BurstAll, all)])
}

/// So many answers one after the other, on each of the connections.
async fn run_burst(running: &Running, sizes: Sizes, answers: usize) -> Result<()> {
    let order = order(true, &format!("parts {0} {0}", sizes.burst));
    let streams_running = (0..sizes.streams).map(async |_| -> Result<()> {
        let mut client = Connection::open(running.port).await?;
        for _ in 0..answers {
            let mut parts = Parts::new(sizes.burst);
            client.stream(&order).await?.rest(|text| parts.check(text)).await?;
            parts.end()?;
        }
        Ok(())
    });
    try_join_all(streams_running).await.map(drop)
}

/// Memory of the processes at rest, and for each stream that is open while its model is silent.
async fn idle(running: &mut Running, target: Target, sizes: Sizes) -> Result<Measured> {
    let (port, order) = (running.port, order(true, "hold"));
    let hold = async |count: usize| -> Result<Vec<Connection>> {
        let mut clients = Vec::new();
        for _ in 0..count {
            let mut client = Connection::open(port).await?;
            let mut parts = Parts::new(2);
            let mut stream = client.stream(&order).await?;
            while !parts.begun() {
                stream.more(|text| parts.check(text)).await?;
            }
            clients.push(client);
        }
        Ok(clients)
    };
    let alone = match &running.server {
        Some(server) => server.memory()? / 1024.0,
        None => memory(running)? / 1024.0,
    };
    drop(hold(sizes.held / 10).await?);
    collect(running)?;
    let before = [memory(running)?, of_node(running)?];
    let open = try_join(hold(sizes.held / 2), hold(sizes.held / 2)).await?;
    collect(running)?;
    let [each, node] =
        [memory(running)? - before[0], of_node(running)? - before[1]].map(|all| all / sizes.held as f64);
    drop(open);
    let mut measured =
        vec![(Metric::IdleStream, each), (Metric::IdleNode, node), (Metric::IdleMemory, alone)];
    if target == Target::Ours {
        measured.push((Metric::Activation, running.activation));
    }
    Ok(measured)
}

async fn start(target: Target, programs: &Programs, sizes: Sizes) -> Result<Measured> {
    let mut times = Vec::new();
    for _ in 0..sizes.starts {
        times.push(microseconds(target.cold_start(programs).await?) / 1e3);
    }
    let size = std::fs::metadata(target.program(programs)?)?.len() as f64 / 1e6;
    Ok(vec![(Metric::Start, median(&mut times)), (Metric::Binary, size)])
}

pub fn microseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

/// Of all its processes together, in KB.
pub fn memory(running: &Running) -> Result<f64> {
    running.processes().map(Process::memory).sum()
}

fn of_node(running: &Running) -> Result<f64> {
    running.node.as_ref().map_or(Ok(0.0), Process::memory)
}

/// Collects garbage first, since memory that node has not freed yet is no cost of a stream.
fn collect(running: &mut Running) -> Result<()> {
    running.node.as_mut().map_or(Ok(()), |node| node.ask("collect").map(drop))
}
