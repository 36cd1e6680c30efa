//! Makes `max_tokens` a true limit: providers forget it, or count otherwise.

use std::ops::ControlFlow;

use super::filter::Filter;
use crate::conversation::{Event, Finish, Thinking, Usage};
use crate::tokens;
use crate::tokens::pretokens;

/// Lets so many tokens through, thoughts and calls included, and cuts the answer at the border of a token. A call
/// that does not fit is left out whole.
///
/// Text goes on at once as long as it is sure to fit: no token is shorter than a byte. Only the last few words
/// before the limit wait until their tokens are certain.
#[derive(Clone, Debug)]
pub struct MaxTokens {
    /// Tokens left after all that is settled.
    left: u64,
    kind: Kind,
    /// Text of this kind that is not settled yet.
    pending: String,
    /// Of this, the bytes that have gone on.
    sent: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    Text,
    Thinking { id: Option<String> },
}

/// The limit has been reached.
struct Reached;

impl MaxTokens {
    /// Lets this many tokens through.
    pub fn to(tokens: u64) -> MaxTokens {
        MaxTokens { left: tokens, kind: Kind::Text, pending: String::new(), sent: 0 }
    }

    fn more(&mut self, kind: Kind, text: &str, out: &mut Vec<Event>) -> Result<(), Reached> {
        if kind != self.kind {
            self.settle_all(out)?;
            self.kind = kind;
        }
        self.pending.push_str(text);
        let room = usize::try_from(self.left).unwrap_or(usize::MAX);
        if self.pending.len() > room.min(pretokens::LONG) {
            self.settle(false, out)?;
        }
        let room = usize::try_from(self.left).unwrap_or(usize::MAX);
        self.send(pretokens::at_most(&self.pending, room).len(), out);
        Ok(())
    }

    fn settle_all(&mut self, out: &mut Vec<Event>) -> Result<(), Reached> {
        self.settle(true, out)?;
        self.send(self.pending.len(), out);
        self.pending.clear();
        self.sent = 0;
        Ok(())
    }

    /// Takes off the tokens of all pieces, or of those that stay as they are whatever comes.
    fn settle(&mut self, all: bool, out: &mut Vec<Event>) -> Result<(), Reached> {
        let all_pieces = all.then(|| pretokens::of(&self.pending)).into_iter().flatten();
        let settled = (!all).then(|| pretokens::settled(&self.pending)).into_iter().flatten();
        let mut done = 0;
        let mut cut = None;
        for piece in all_pieces.chain(settled) {
            let Some(left) = self.left.checked_sub(pretokens::count_piece(piece)) else {
                cut = Some(done + pretokens::beginning(piece, self.left).len());
                break;
            };
            self.left = left;
            done += piece.len();
        }
        self.send(cut.unwrap_or(done), out);
        if cut.is_some() {
            return Err(Reached);
        }
        self.pending.drain(..done);
        self.sent = self.sent.saturating_sub(done);
        Ok(())
    }

    /// Lets what is pending go on as far as these bytes.
    fn send(&mut self, end: usize, out: &mut Vec<Event>) {
        let Some(text) = self.pending.get(self.sent..end).filter(|text| !text.is_empty()) else { return };
        out.push(match &self.kind {
            Kind::Text => Event::Text(text.into()),
            Kind::Thinking { id } => Event::Thinking(Thinking { text: text.into(), id: id.clone() }),
        });
        self.sent = end;
    }

    fn take(&mut self, event: Event, out: &mut Vec<Event>) -> Result<(), Reached> {
        match event {
            Event::Text(text) => return self.more(Kind::Text, &text, out),
            Event::Thinking(Thinking { text, id }) if !text.is_empty() => {
                return self.more(Kind::Thinking { id }, &text, out);
            }
            Event::ToolCall(call) => {
                self.settle_all(out)?;
                let tokens = tokens::count_call(&call.name, &call.input);
                self.left = self.left.checked_sub(tokens).ok_or(Reached)?;
                out.push(Event::ToolCall(call));
            }
            other => {
                self.settle_all(out)?;
                out.push(other);
            }
        }
        Ok(())
    }
}

impl Filter for MaxTokens {
    fn event(&mut self, event: Event, out: &mut Vec<Event>) -> ControlFlow<()> {
        let taken = self.take(event, out);
        if let Err(Reached) = taken {
            out.push(Event::Finish(Finish::Length, Usage::default()));
            return ControlFlow::Break(());
        }
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

    fn check(tokens: u64, events: impl IntoIterator<Item = Event>, wanted: impl Into<Vec<Event>>) {
        assert_eq!(joined(run(&mut MaxTokens::to(tokens), events)), wanted.into(), "{tokens}");
    }

    fn length() -> Event {
        finish(Finish::Length)
    }

    #[test]
    fn an_answer_is_cut_after_so_many_tokens() {
        let said = || [text("one two three four"), end()];
        check(0, said(), [length()]);
        check(2, said(), [text("one two"), length()]);
        check(3, said(), [text("one two three"), length()]);
        check(4, said(), said());
        check(1, [text("internationalization"), end()], [text("international"), length()]);
    }

    #[test]
    fn an_answer_that_just_fits_is_whole() {
        check(0, [end()], [end()]);
        check(2, [text("one"), text(" two"), end()], [text("one two"), end()]);
    }

    #[test]
    fn thoughts_and_calls_count() {
        check(
            3,
            [thinking("one two"), text("three four"), end()],
            [thinking("one two"), text("three"), length()],
        );
        let tokens = tokens::count_call("read", &serde_json::json!({}));
        check(tokens, [call("1"), end()], [call("1"), end()]);
        check(tokens, [text("one"), call("1"), end()], [text("one"), length()]);
    }

    #[test]
    fn far_from_the_limit_nothing_waits() {
        let mut limit = MaxTokens::to(100);
        for word in ["one", " t", "wo", " three"] {
            assert_eq!(run(&mut limit, [text(word)]), [text(word)]);
        }
    }

    proptest! {
        #[test]
        fn the_outcome_is_the_same_wherever_text_is_cut(
            tokens in 0u64..40,
            events in answer("([a-zA-Z ]|[0-9'é\n日]|'re){0,40}"),
            sizes in sizes(),
        ) {
            let events = joined(events);
            let whole = joined(run(&mut MaxTokens::to(tokens), events.clone()));
            let pieces = joined(run(&mut MaxTokens::to(tokens), cut(&events, &sizes)));
            prop_assert_eq!(pieces, whole);
        }

        #[test]
        fn what_fits_is_whole_and_what_does_not_is_cut(said in "([a-z ]|[0-9é日\n]){0,60}", tokens in 0u64..40) {
            let events = run(&mut MaxTokens::to(tokens), [text(&said), end()]);
            let fits = tokens::count_text(&said) <= tokens;
            prop_assert_eq!(events.last(), Some(&if fits { end() } else { length() }));
            let heard: String = events.iter().filter_map(|event| match event {
                Event::Text(text) => Some(text.as_str()),
                _ => None,
            }).collect();
            prop_assert!(said.starts_with(&heard));
            prop_assert_eq!(fits, heard == said);
        }
    }

    #[test]
    fn a_long_answer_is_counted_as_it_comes() {
        let said = "The quick brown fox didn't jump, 12345 times.\n\n".repeat(100);
        let tokens = tokens::count_text(&said);
        for sizes in [[1, 1], [2, 5], [7, 70]] {
            let events = cut(&[text(&said), end()], &sizes);
            check(tokens, events.clone(), [text(&said), end()]);
            let cut_short = joined(run(&mut MaxTokens::to(tokens - 1), events));
            assert_eq!(cut_short.last(), Some(&length()));
        }
    }
}
