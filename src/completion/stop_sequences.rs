//! Ends a response at a stop sequence, since the editor takes one at most and clients send several.

use std::ops::ControlFlow;

use super::filter::Filter;
use crate::conversation::{Event, Finish, Usage};

/// Finds stop sequences across the borders of parts. Only text that can be the beginning of one is held back. The
/// sequence that is complete first ends the response; of two that are complete at once, the longer.
#[derive(Clone, Debug)]
pub struct StopSequences {
    sequences: Vec<String>,
    /// Text that is held back.
    held: String,
}

impl StopSequences {
    /// A filter for these sequences; empty ones would end every response and are left out.
    pub fn new(sequences: impl IntoIterator<Item = String>) -> StopSequences {
        let sequences = sequences.into_iter().filter(|sequence| !sequence.is_empty()).collect();
        StopSequences { sequences, held: String::new() }
    }

    /// Position of the first stop sequence in the held text, in bytes, and the sequence.
    fn find(&self) -> Option<(usize, &str)> {
        let found = self.sequences.iter().filter_map(|sequence| {
            let start = self.held.find(sequence.as_str())?;
            Some((start, sequence.as_str()))
        });
        found.min_by_key(|(start, sequence)| (start + sequence.len(), *start))
    }

    /// Length of the longest end of the held text that can be the beginning of a sequence, in bytes.
    fn undecided(&self) -> usize {
        let beginnings = self.sequences.iter().flat_map(|sequence| {
            sequence.char_indices().map(|(end, _)| sequence.get(..end).unwrap_or_default())
        });
        let matches = beginnings.filter(|beginning| self.held.ends_with(beginning));
        matches.map(str::len).max().unwrap_or(0)
    }

    /// Passes on the first `bytes` of the held text.
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
        if let Some((start, sequence)) = self.find() {
            let finish = Finish::StopSequence(sequence.to_owned());
            self.release(start, out);
            out.push(Event::Finish(finish, Usage::default()));
            return ControlFlow::Break(());
        }
        self.release(self.held.len() - self.undecided(), out);
        ControlFlow::Continue(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::completion::filter::tests::{
        call, cut, end, finish, joined, response, run, sizes, text, thinking,
    };

    fn check(sequences: &[&str], events: impl IntoIterator<Item = Event>, expected: impl Into<Vec<Event>>) {
        let mut stop = StopSequences::new(sequences.iter().map(ToString::to_string));
        assert_eq!(run(&mut stop, events), expected.into(), "{sequences:?}");
    }

    fn stopped(sequence: &str) -> Event {
        finish(Finish::StopSequence(sequence.into()))
    }

    #[test]
    fn response_ends_before_a_stop_sequence() {
        check(&["END"], [text("abcENDdef"), end()], [text("abc"), stopped("END")]);
        check(&["END"], [text("END"), end()], [stopped("END")]);
        check(&["END", "é"], [text("caféEND"), end()], [text("caf"), stopped("é")]);
        check(&["END"], [text("abc"), end()], [text("abc"), end()]);
        check(&[""], [text("abc"), end()], [text("abc"), end()]);
    }

    #[test]
    fn sequence_is_found_across_parts() {
        check(&["END"], [text("aE"), text("N"), text("Db"), end()], [text("a"), stopped("END")]);
        check(&["aab"], [text("a"), text("a"), text("a"), text("b"), end()], [text("a"), stopped("aab")]);
    }

    #[test]
    fn only_a_possible_beginning_is_held_back() {
        let mut stop = StopSequences::new(["END".into(), "EOF".into()]);
        for (part, expected) in
            [("abc", vec![text("abc")]), ("dE", vec![text("d")]), ("xE", vec![text("Ex")])]
        {
            let mut out = Vec::new();
            assert_eq!(stop.event(text(part), &mut out), ControlFlow::Continue(()));
            assert_eq!(out, expected, "{part}");
        }
        assert_eq!(run(&mut stop, [end()]), [text("E"), end()]);
    }

    #[test]
    fn sequence_that_is_complete_first_ends_the_response() {
        check(&["abc", "b"], [text("xabcx"), end()], [text("xa"), stopped("b")]);
        check(&["b", "ab"], [text("xab"), end()], [text("x"), stopped("ab")]);
        check(&["d", "b"], [text("abcd"), end()], [text("a"), stopped("b")]);
    }

    #[test]
    fn thinking_is_not_searched_and_a_call_separates_text() {
        check(
            &["END"],
            [thinking("END"), text("EN"), call("1"), text("D"), end()],
            [thinking("END"), text("EN"), call("1"), text("D"), end()],
        );
    }

    proptest! {
        #[test]
        fn outcome_does_not_depend_on_part_borders(
            sequences in proptest::collection::vec("[abé]{0,4}", 0..4),
            events in response("[abcé]{0,12}"),
            sizes in sizes(),
        ) {
            let at_once = joined(run(&mut StopSequences::new(sequences.clone()), joined(events.clone())));
            let in_pieces = joined(run(&mut StopSequences::new(sequences), cut(&joined(events), &sizes)));
            prop_assert_eq!(in_pieces, at_once);
        }

        #[test]
        fn no_response_contains_a_sequence(sequence in "[ab]{1,3}", whole in "[ab]{0,20}", sizes in sizes()) {
            let events = run(&mut StopSequences::new([sequence.clone()]), cut(&[text(&whole), end()], &sizes));
            let expected = match whole.split_once(&sequence) {
                Some((before, _)) => vec![text(before), stopped(&sequence)],
                None => vec![text(&whole), end()],
            };
            let expected: Vec<Event> = expected.into_iter().filter(|event| *event != text("")).collect();
            prop_assert_eq!(joined(events), expected);
        }
    }
}
