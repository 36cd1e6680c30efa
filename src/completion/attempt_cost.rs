//! The cost of one run of a request: it goes to the request's meter however the run ends, also if its stream is dropped.

use std::cell::{Cell, RefCell};
use std::ops::ControlFlow;
use std::rc::Rc;

use super::filter::Filter;
use super::filter_chain::FilterChain;
use super::price::Price;
use crate::budgets::{AttemptId, Meter};
use crate::conversation::{Event, Usage, UsageSource};
use crate::failure::Failure;

/// The filters of a run, which count its output, and the meter that gets its cost.
pub(super) struct MeteredFilters {
    filters: FilterChain,
    sent: SentRequests,
}

/// The requests of a run that editors have got, one at a time; clones share it.
#[derive(Clone)]
pub(super) struct SentRequests(Rc<Sent>);

struct Sent {
    meter: Meter,
    /// The one that runs.
    running: Cell<Option<AttemptId>>,
    /// Usage that the provider has reported for it.
    reported: RefCell<Option<Usage>>,
    /// Usage of a request that ends before any output: its input.
    input: Usage,
    price: Option<Price>,
}

impl SentRequests {
    /// Records that an editor has got the request.
    pub fn sent(&self) {
        self.0.running.set(Some(self.0.meter.begin_attempt(self.0.input.clone())));
    }

    /// Records that the editor is gone before it sent any output. The provider may have read the input.
    pub fn lost(&self) {
        self.end(Some(self.0.input.clone()));
    }

    /// Records that the provider has refused the request: it costs nothing.
    pub fn refused(&self) {
        self.end(None);
    }

    /// Records the usage that the provider has reported: it holds however the request ends.
    pub fn reported(&self, usage: &Usage) {
        let Some(running) = self.0.running.get() else { return };
        let usage = match &self.0.price {
            Some(price) => price.add_to(usage.clone()),
            None => usage.clone(),
        };
        self.0.meter.update_attempt(running, usage.clone());
        self.0.reported.replace(Some(usage));
    }

    fn end(&self, usage: Option<Usage>) {
        let reported = self.0.reported.take();
        if let Some(running) = self.0.running.take() {
            let usage = match (usage, reported) {
                (Some(counted), Some(reported)) if counted.source == UsageSource::Counted => Some(reported),
                (usage, _) => usage,
            };
            self.0.meter.end_attempt(running, usage);
        }
    }
}

impl MeteredFilters {
    /// Filters of a run with this many input tokens, for a model with this price.
    pub fn new(filters: FilterChain, meter: Meter, input: u64, price: Option<Price>) -> MeteredFilters {
        let input = Usage { input, ..Usage::default() };
        let input = match &price {
            Some(price) => price.add_to(input),
            None => input,
        };
        meter.begin();
        let sent = Sent { meter, running: Cell::default(), reported: RefCell::default(), input, price };
        MeteredFilters { filters, sent: SentRequests(Rc::new(sent)) }
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
                self.sent.end(Some(usage));
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
            self.sent.end(Some(usage.clone()));
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
        if self.sent.0.running.get().is_some() {
            let mut out = Vec::new();
            match self.filters.flush(&mut out) {
                ControlFlow::Continue(usage) => self.sent.end(Some(usage)),
                ControlFlow::Break(()) => self.settle_finish(&out),
            }
        }
        self.sent.0.meter.end();
    }
}
