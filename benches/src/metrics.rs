//! The measured metrics and their goals. Ratios are computed per round, so that a drift of the machine's speed affects
//! both sides.

use std::collections::HashMap;

use crate::loads::Measured;
use crate::statistics::median;
use crate::target::Target;
use crate::target::Target::{Floor, Inproc, Ours};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Metric {
    FirstMedian,
    First99,
    Hop,
    Newcomer,
    Request,
    RequestAloneNode,
    RequestAloneAll,
    RequestRate,
    RequestNode,
    RequestAll,
    PacedNode,
    PacedAll,
    BurstRate,
    BurstNode,
    BurstAll,
    Body1Node,
    Body1All,
    Body1AgainNode,
    Body1AgainAll,
    Body9Node,
    Body9All,
    Body9AgainNode,
    Body9AgainAll,
    Body9Peak,
    Delay,
    MixedMedian,
    Mixed99,
    IdleStream,
    IdleNode,
    IdleMemory,
    Activation,
    Start,
    Binary,
}

/// The metric of each round.
type Series = Vec<f64>;

/// All that was measured.
#[derive(Default)]
pub struct Samples(HashMap<(Metric, Target), Series>);

/// A line of the report.
pub struct Row {
    pub name: &'static str,
    pub ours: Series,
    /// With whose it is.
    pub reference: Option<(&'static str, Series)>,
    pub goal: Goal,
}

/// Of the ratio to the reference where there is one, else of the metric itself.
#[derive(Clone, Copy)]
pub enum Goal {
    AtMost(f64),
    AtLeast(f64),
    /// Good to know.
    None,
}

impl Samples {
    pub fn add(&mut self, target: Target, measured: Measured) {
        for (metric, value) in measured {
            self.0.entry((metric, target)).or_default().push(value);
        }
    }

    fn of(&self, metric: Metric, target: Target) -> Series {
        self.0.get(&(metric, target)).cloned().unwrap_or_default()
    }

    fn row(&self, name: &'static str, metric: Metric, to: Target, goal: Goal) -> Row {
        let whose = if to == Floor { "floor" } else { "inproc" };
        let reference = Some((whose, self.of(metric, to)));
        Row { name, ours: self.of(metric, Ours), reference, goal }
    }

    fn alone(&self, name: &'static str, metric: Metric, goal: Goal) -> Row {
        Row { name, ours: self.of(metric, Ours), reference: None, goal }
    }

    /// A turn of a conversation beside its first one.
    fn later_turn(&self, name: &'static str, later: Metric, first: Metric, goal: Goal) -> Row {
        let reference = Some(("first turn", self.of(first, Ours)));
        Row { name, ours: self.of(later, Ours), reference, goal }
    }

    /// The cost of the way through the extension host, beside the bare round trip.
    fn first_beyond_floor(&self) -> Row {
        let (ours, floor) = (self.of(Metric::FirstMedian, Ours), self.of(Metric::FirstMedian, Floor));
        let beyond = ours.iter().zip(floor).map(|(ours, floor)| ours - floor).collect();
        let reference = Some(("hop", self.of(Metric::Hop, Ours)));
        let goal = Goal::AtMost(0.9);
        Row { name: "first chunk p50 beyond floor, us", ours: beyond, reference, goal }
    }

    /// The report, from top to bottom; without the lines that nothing was measured for.
    pub fn rows(&self) -> Vec<Row> {
        use Goal::{AtLeast, AtMost};
        use Metric as F;
        let rows = vec![
            self.alone("first chunk p50, us", F::FirstMedian, AtMost(1000.0)),
            self.first_beyond_floor(),
            self.row("first chunk p50, us", F::FirstMedian, Inproc, Goal::None),
            self.row("first chunk p99, us", F::First99, Inproc, Goal::None),
            self.row("request on a new connection p50, us", F::Newcomer, Inproc, AtMost(1.5)),
            self.row("request p50, us", F::Request, Inproc, AtMost(1.15)),
            self.row("request: CPU of node, us", F::RequestAloneNode, Inproc, AtMost(0.5)),
            self.row("request: CPU of all, us", F::RequestAloneAll, Inproc, AtMost(1.2)),
            self.row("32 at once: requests/s", F::RequestRate, Inproc, AtLeast(1.25)),
            self.row("32 at once: CPU of node, us", F::RequestNode, Inproc, AtMost(0.5)),
            self.row("32 at once: CPU of all, us", F::RequestAll, Inproc, Goal::None),
            self.row("64 paced: CPU/chunk of node, us", F::PacedNode, Inproc, AtMost(0.4)),
            self.row("64 paced: CPU/chunk of all, us", F::PacedAll, Inproc, AtMost(0.75)),
            self.row("64 bursts: chunks/s", F::BurstRate, Floor, AtLeast(5.0)),
            self.row("64 bursts: chunks/s", F::BurstRate, Inproc, AtLeast(9.0)),
            self.row("64 bursts: CPU/chunk of node, us", F::BurstNode, Inproc, AtMost(0.1)),
            self.row("64 bursts: CPU/chunk of all, us", F::BurstAll, Inproc, AtMost(0.16)),
            self.row("history of 1 MB: CPU of node, ms", F::Body1Node, Inproc, AtMost(0.5)),
            self.row("history of 1 MB: CPU of all, ms", F::Body1All, Inproc, AtMost(1.0)),
            self.later_turn("its next turn: CPU of node, ms", F::Body1AgainNode, F::Body1Node, AtMost(0.2)),
            self.row("its next turn: CPU of node, ms", F::Body1AgainNode, Inproc, Goal::None),
            self.row("its next turn: CPU of all, ms", F::Body1AgainAll, Inproc, Goal::None),
            self.row("history of 9 MB: CPU of node, ms", F::Body9Node, Inproc, AtMost(0.6)),
            self.row("history of 9 MB: CPU of all, ms", F::Body9All, Inproc, Goal::None),
            self.later_turn("its next turn: CPU of node, ms", F::Body9AgainNode, F::Body9Node, AtMost(0.2)),
            self.row("its next turn: CPU of node, ms", F::Body9AgainNode, Inproc, Goal::None),
            self.row("its next turn: CPU of all, ms", F::Body9AgainAll, Inproc, Goal::None),
            self.row("history of 9 MB: peak memory, MB", F::Body9Peak, Inproc, Goal::None),
            self.row("history of 9 MB: node held up, max ms", F::Delay, Inproc, AtMost(1.0 / 3.0)),
            self.row("paced beside 9 MB: late p50, ms", F::MixedMedian, Inproc, AtMost(0.125)),
            self.row("paced beside 9 MB: late p99, ms", F::Mixed99, Inproc, AtMost(1.0 / 3.0)),
            self.row("memory of an open stream, KB", F::IdleStream, Floor, AtMost(2.0)),
            self.row("memory of an open stream, KB", F::IdleStream, Inproc, AtMost(1.0)),
            self.row("of it node, KB", F::IdleNode, Inproc, Goal::None),
            self.alone("memory of the server, MB", F::IdleMemory, AtMost(6.0)),
            self.alone("start of the extension, ms", F::Activation, AtMost(20.0)),
            self.row("start of the server, ms", F::Start, Floor, AtMost(2.0)),
            self.alone("program of the server, MB", F::Binary, AtMost(6.0)),
        ];
        rows.into_iter().filter(|row| !row.ours.is_empty()).collect()
    }
}

impl Row {
    /// Round by round.
    pub fn ratios(&self) -> Option<Series> {
        let (_, reference) = self.reference.as_ref()?;
        Some(self.ours.iter().zip(reference).map(|(ours, reference)| ours / reference).collect())
    }

    /// Whether the goal is reached; none where there is none.
    pub fn is_met(&self) -> Option<bool> {
        let held = median(&mut self.ratios().unwrap_or_else(|| self.ours.clone()));
        match self.goal {
            Goal::AtMost(most) => Some(held <= most),
            Goal::AtLeast(least) => Some(held >= least),
            Goal::None => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goal_is_checked_against_the_ratios_of_the_rounds() {
        let mut samples = Samples::default();
        // The machine was twice as slow in the second round, and the target was slow once in the third.
        for (ours, inproc) in [(5.0, 10.0), (10.0, 20.0), (30.0, 10.0)] {
            samples.add(Ours, vec![(Metric::Request, ours)]);
            samples.add(Inproc, vec![(Metric::Request, inproc)]);
        }
        let rows = samples.rows();
        let [row] = rows.as_slice() else { panic!("{} rows", rows.len()) };
        assert_eq!((row.ratios(), row.is_met()), (Some(vec![0.5, 0.5, 3.0]), Some(true)));
    }
}
