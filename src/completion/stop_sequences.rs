//! Ends an answer at a stop sequence: the editor takes one at most, clients send several.

use std::ops::ControlFlow;

use super::filter::Filter;
use crate::conversation::{Event, Finish, Usage};

/// Looks for stop sequences across the borders of parts. What may be the beginning of one is held back, no more.
/// The one that is complete first ends the answer; of two that are complete together, the longer.
#[derive(Clone, Debug)]
pub struct StopSequences {
    sequences: Vec<String>,
    held: String,
}

impl StopSequences {
    /// For these sequences; empty ones would end every answer and are left out.
    pub fn at(sequences: impl IntoIterator<Item = String>) -> StopSequences {
        let sequences = sequences.into_iter().filter(|sequence| !sequence.is_empty()).collect();
        StopSequences { sequences, held: String::new() }
    }

    /// Position of the first hit in the held text, and its sequence.
    fn hit(&self) -> Option<(usize, &str)> {
        let hits = self.sequences.iter().filter_map(|sequence| {
            let start = self.held.find(sequence.as_str())?;
            Some((start, sequence.as_str()))
        });
        hits.min_by_key(|(start, sequence)| (start + sequence.len(), *start))
    }

    /// The longest end of what is held that may be the beginning of a sequence; in bytes.
    fn possible(&self) -> usize {
        let beginnings = self.sequences.iter().flat_map(|sequence| {
            sequence.char_indices().map(|(end, _)| sequence.get(..end).unwrap_or_default())
        });
        let fitting = beginnings.filter(|beginning| self.held.ends_with(beginning));
        fitting.map(str::len).max().unwrap_or(0)
    }

    /// Lets the first bytes of what is held go.
    fn release(&mut self, bytes: usize, out: &mut Vec<Event>) {
        let rest = self.held.split_off(bytes);
        let released = std::mem::replace(&mut self.held, rest);
        if !released.is_empty() {
            out.push(Event::Text(released));
        }
    }
}

impl Filter for StopSequences {
    fn event(&mut self, event: Event, out: &mut Vec<Event>) -> ControlFlow<()> {
        let Event::Text(text) = event else {
            self.release(self.held.len(), out);
            out.push(event);
            return ControlFlow::Continue(());
        };
        self.held.push_str(&text);
        if let Some((start, sequence)) = self.hit() {
            let finish = Finish::StopSequence(sequence.to_owned());
            self.release(start, out);
            out.push(Event::Finish(finish, Usage::default()));
            return ControlFlow::Break(());
        }
        self.release(self.held.len() - self.possible(), out);
        ControlFlow::Continue(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::completion::filter::tests::{
        answer, call, cut, end, finish, joined, run, sizes, text, thinking,
    };

    fn check(sequences: &[&str], events: impl IntoIterator<Item = Event>, wanted: impl Into<Vec<Event>>) {
        let mut stop = StopSequences::at(sequences.iter().map(ToString::to_string));
        assert_eq!(run(&mut stop, events), wanted.into(), "{sequences:?}");
    }

    fn stopped(sequence: &str) -> Event {
        finish(Finish::StopSequence(sequence.into()))
    }

    #[test]
    fn an_answer_ends_before_a_stop_sequence() {
        check(&["END"], [text("abcENDdef"), end()], [text("abc"), stopped("END")]);
        check(&["END"], [text("END"), end()], [stopped("END")]);
        check(&["END", "é"], [text("caféEND"), end()], [text("caf"), stopped("é")]);
        check(&["END"], [text("abc"), end()], [text("abc"), end()]);
        check(&[""], [text("abc"), end()], [text("abc"), end()]);
    }

    #[test]
    fn a_sequence_is_found_across_parts() {
        check(&["END"], [text("aE"), text("N"), text("Db"), end()], [text("a"), stopped("END")]);
        check(&["aab"], [text("a"), text("a"), text("a"), text("b"), end()], [text("a"), stopped("aab")]);
    }

    #[test]
    fn only_a_possible_beginning_is_held_back() {
        let mut stop = StopSequences::at(["END".into(), "EOF".into()]);
        for (part, wanted) in [("abc", vec![text("abc")]), ("dE", vec![text("d")]), ("xE", vec![text("Ex")])]
        {
            let mut out = Vec::new();
            assert_eq!(stop.event(text(part), &mut out), ControlFlow::Continue(()));
            assert_eq!(out, wanted, "{part}");
        }
        assert_eq!(run(&mut stop, [end()]), [text("E"), end()]);
    }

    #[test]
    fn the_sequence_that_is_complete_first_ends_the_answer() {
        check(&["abc", "b"], [text("xabcx"), end()], [text("xa"), stopped("b")]);
        check(&["b", "ab"], [text("xab"), end()], [text("x"), stopped("ab")]);
        check(&["d", "b"], [text("abcd"), end()], [text("a"), stopped("b")]);
    }

    #[test]
    fn only_text_is_searched_and_a_call_parts_it() {
        check(
            &["END"],
            [thinking("END"), text("EN"), call("1"), text("D"), end()],
            [thinking("END"), text("EN"), call("1"), text("D"), end()],
        );
    }

    proptest! {
        #[test]
        fn the_outcome_is_the_same_wherever_text_is_cut(
            sequences in proptest::collection::vec("[abé]{0,4}", 0..4),
            events in answer("[abcé]{0,12}"),
            sizes in sizes(),
        ) {
            let whole = joined(run(&mut StopSequences::at(sequences.clone()), joined(events.clone())));
            let pieces = joined(run(&mut StopSequences::at(sequences), cut(&joined(events), &sizes)));
            prop_assert_eq!(pieces, whole);
        }

        #[test]
        fn no_answer_holds_a_sequence(sequence in "[ab]{1,3}", said in "[ab]{0,20}", sizes in sizes()) {
            let events = run(&mut StopSequences::at([sequence.clone()]), cut(&[text(&said), end()], &sizes));
            let wanted = match said.split_once(&sequence) {
                Some((before, _)) => vec![text(before), stopped(&sequence)],
                None => vec![text(&said), end()],
            };
            let wanted: Vec<Event> = wanted.into_iter().filter(|event| *event != text("")).collect();
            prop_assert_eq!(joined(events), wanted);
        }
    }
}
