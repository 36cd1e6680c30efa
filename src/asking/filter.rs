//! What a filter over the events of an answer is. Plain chat and auto mode share them.

use crate::conversation::Event;

/// A pure filter over the events of one answer. `Event::Finish` comes last and flushes whatever was held back.
pub trait Filter {
    /// Takes an event, appends what goes on to `out`.
    fn event(&mut self, event: Event, out: &mut Vec<Event>) -> Flow;
}

/// Whether the model should go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// It should.
    More,
    /// The answer is complete: the filter has appended an `Event::Finish`, the model is cancelled, and no
    /// filter hears anything further.
    Enough,
}
