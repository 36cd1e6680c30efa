//! Ends a response at a stop sequence, since the editor takes one at most and clients send several.

use std::ops::ControlFlow;
use std::sync::Arc;

use super::filter::Filter;
use crate::conversation::{Event, Finish, Usage};

/// Finds stop sequences across the borders of parts. Only text that can be the beginning of one is held back. The
/// sequence that is complete first ends the response; of two that are complete at once, the longer.
///
/// Each byte of text is looked at once (Knuth, Morris and Pratt), whatever the sequences and the parts are.
#[derive(Clone, Debug)]
pub struct StopSequences {
    matchers: Vec<Matcher>,
    /// Text of which the last part is held back: the longest beginning of a sequence that it ends with.
    text: String,
    /// Number of bytes of `text` that were passed on. They are removed together, since each removal moves the rest.
    passed_on: usize,
}

/// One sequence, and how much of it the text ends with.
#[derive(Clone, Debug)]
struct Matcher {
    sequence: Arc<str>,
    /// For each length of a beginning of the sequence: that of the longest shorter beginning with which it ends.
    fallbacks: Arc<[usize]>,
    /// Number of bytes of the sequence with which the text ends.
    matched: usize,
}

impl StopSequences {
    /// A filter for these sequences; empty ones would end every response and are left out.
    pub fn new(sequences: impl IntoIterator<Item = String>) -> StopSequences {
        let sequences = sequences.into_iter().filter(|sequence| !sequence.is_empty());
        StopSequences { matchers: sequences.map(Matcher::new).collect(), text: String::new(), passed_on: 0 }
    }

    /// Number of bytes that are held back.
    fn held(&self) -> usize {
        self.text.len() - self.passed_on
    }

    /// Adds text to the held text. Returns the first sequence that is complete, and its beginning in the held text.
    fn push(&mut self, text: &str) -> Option<(usize, Arc<str>)> {
        let before = self.held();
        self.text.push_str(text);
        for (position, byte) in text.bytes().enumerate() {
            let complete = self.matchers.iter_mut().filter_map(|matcher| matcher.is_complete_with(byte));
            if let Some(sequence) = complete.max_by_key(|sequence| sequence.len()) {
                return Some((before + position + 1 - sequence.len(), sequence));
            }
        }
        None
    }

    /// Length of the longest end of the held text that can be the beginning of a sequence, in bytes.
    fn undecided(&self) -> usize {
        self.matchers.iter().map(|matcher| matcher.matched).max().unwrap_or(0)
    }

    /// Passes on the first `bytes` of the held text.
    fn release(&mut self, bytes: usize, out: &mut Vec<Event>) {
        let end = self.passed_on + bytes;
        if bytes > 0 {
            out.push(Event::Text(self.text.get(self.passed_on..end).unwrap_or_default().to_owned()));
        }
        self.passed_on = end;
        if self.passed_on > self.text.len() / 2 {
            self.text.drain(..self.passed_on);
            self.passed_on = 0;
        }
    }
}

impl Matcher {
    fn new(sequence: String) -> Matcher {
        let bytes = sequence.as_bytes();
        let mut fallbacks = vec![0, 0];
        let mut length = 0;
        for byte in bytes.iter().skip(1) {
            length = longer(bytes, &fallbacks, length, *byte);
            fallbacks.push(length);
        }
        Matcher { fallbacks: fallbacks.into(), sequence: sequence.into(), matched: 0 }
    }

    /// Takes the next byte of the text; returns the sequence if it is complete with it.
    fn is_complete_with(&mut self, byte: u8) -> Option<Arc<str>> {
        self.matched = longer(self.sequence.as_bytes(), &self.fallbacks, self.matched, byte);
        (self.matched == self.sequence.len()).then(|| self.sequence.clone())
    }
}

/// Length of the longest beginning of the sequence with which a text ends that ended with one of `length` bytes and
/// goes on with `byte`.
fn longer(sequence: &[u8], fallbacks: &[usize], mut length: usize, byte: u8) -> usize {
    while length > 0 && sequence.get(length) != Some(&byte) {
        length = fallbacks.get(length).copied().unwrap_or(0);
    }
    if sequence.get(length) == Some(&byte) { length + 1 } else { 0 }
}

impl Filter for StopSequences {
    fn event(&mut self, event: Event, out: &mut Vec<Event>) -> ControlFlow<()> {
        let Event::Text(text) = event else {
            self.matchers.iter_mut().for_each(|matcher| matcher.matched = 0);
            self.release(self.held(), out);
            out.push(event);
            return ControlFlow::Continue(());
        };
        if let Some((start, sequence)) = self.push(&text) {
            self.release(start, out);
            out.push(Event::Finish(Finish::StopSequence(sequence.as_ref().to_owned()), Usage::default()));
            return ControlFlow::Break(());
        }
        self.release(self.held() - self.undecided(), out);
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

    #[test]
    fn sequence_that_overlaps_itself_is_found() {
        check(&["aabaac"], [text("aabaabaac"), end()], [text("aab"), stopped("aabaac")]);
        check(
            &["abab"],
            [text("ab"), call("1"), text("ab"), end()],
            [text("ab"), call("1"), text("ab"), end()],
        );
    }

    #[test]
    fn work_is_linear_in_the_text() {
        // Looking through all beginnings for each part took minutes.
        let length = 300_000;
        let mut stop = StopSequences::new([format!("{}b", "a".repeat(length))]);
        let mut out = Vec::new();
        for _ in 0..length {
            assert_eq!(stop.event(text("a"), &mut out), ControlFlow::Continue(()));
        }
        assert_eq!(out, []);
        assert_eq!(stop.held(), length);
        for _ in 0..length {
            assert_eq!(stop.event(text("a"), &mut out), ControlFlow::Continue(()));
        }
        assert_eq!((out.len(), stop.held()), (length, length));
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
