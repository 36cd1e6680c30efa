//! The cost of one run of a request: it goes to the request's meter however the run ends, also if its stream is dropped.

use std::cell::Cell;
use std::ops::ControlFlow;
use std::rc::Rc;

use super::filter::Filter;
use super::filter_chain::FilterChain;
use super::price::Price;
use crate::budgets::Meter;
use crate::conversation::{Event, Usage};
use crate::failure::Failure;

/// The filters of a run, which count its output, and the meter that gets its cost.
pub(super) struct MeteredFilters {
    filters: FilterChain,
    meter: Meter,
    sent: SentRequests,
    /// Usage of a request that ends before any output: its input.
    input: Usage,
}

/// The requests of a run that editors have got; clones share it.
#[derive(Clone, Default)]
pub(super) struct SentRequests(Rc<Sent>);

#[derive(Default)]
struct Sent {
    /// Whether one runs.
    is_running: Cell<bool>,
    /// Number of those whose window closed before they had output. The provider may have read their input.
    lost: Cell<u64>,
}

impl SentRequests {
    /// Records that an editor has got the request.
    pub fn sent(&self) {
        self.0.is_running.set(true);
    }

    /// Records that the editor is gone before it sent any output.
    pub fn lost(&self) {
        if self.0.is_running.take() {
            self.0.lost.set(self.0.lost.get() + 1);
        }
    }

    /// Records that the provider has refused the request: it costs nothing.
    pub fn refused(&self) {
        self.0.is_running.set(false);
    }
}

impl MeteredFilters {
    /// Filters of a run with this many input tokens, for a model with this price.
    pub fn new(filters: FilterChain, meter: Meter, input: u64, price: Option<Price>) -> MeteredFilters {
        let input = Usage { input, ..Usage::default() };
        let input = match price {
            Some(price) => price.add_to(input),
            None => input,
        };
        meter.begin();
        MeteredFilters { filters, meter, sent: SentRequests::default(), input }
    }

    /// The requests that this run has sent.
    pub fn sent(&self) -> &SentRequests {
        &self.sent
    }

    /// Ends the run with a failure. Returns `Break`, with a finish in `out`, if the output that was held back completes
    /// the response.
    pub fn fail(&mut self, failure: &Failure, has_output: bool, out: &mut Vec<Event>) -> ControlFlow<()> {
        if !has_output && failure.is_free() {
            self.sent.refused();
        }
        match self.filters.flush(out) {
            ControlFlow::Continue(usage) => {
                self.settle(usage);
                ControlFlow::Continue(())
            }
            ControlFlow::Break(()) => {
                self.settle_finish(out);
                ControlFlow::Break(())
            }
        }
    }

    fn settle_finish(&mut self, out: &[Event]) {
        if let Some(Event::Finish(_, usage)) = out.last() {
            self.settle(usage.clone());
        }
    }

    fn settle(&mut self, usage: Usage) {
        for _ in 0..self.sent.0.lost.take() {
            self.meter.add(self.input.clone());
        }
        if self.sent.0.is_running.take() {
            self.meter.add(usage);
        }
    }
}

impl Filter for MeteredFilters {
    fn event(&mut self, event: Event, out: &mut Vec<Event>) -> ControlFlow<()> {
        let flow = self.filters.event(event, out);
        self.settle_finish(out);
        flow
    }
}

impl Drop for MeteredFilters {
    fn drop(&mut self) {
        if self.sent.0.is_running.get() {
            let mut out = Vec::new();
            match self.filters.flush(&mut out) {
                ControlFlow::Continue(usage) => self.settle(usage),
                ControlFlow::Break(()) => self.settle_finish(&out),
            }
        }
        self.settle(self.input.clone());
        self.meter.end();
    }
}
