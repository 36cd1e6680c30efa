//! Enforces `max_tokens`, since providers ignore it or count differently.

use std::ops::ControlFlow;
use std::sync::Arc;

use super::filter::Filter;
use crate::conversation::{Event, Finish, Thinking, Usage};
use crate::tokens;
use crate::tokens::pretokens;

/// Passes on a number of tokens, with thinking and calls, then ends the response at the border of a token. A call that
/// doesn't fit is left out.
///
/// Text that is certain to fit is passed on at once: no token is shorter than a byte. Only the last few words before
/// the limit wait until it is certain which tokens they make.
#[derive(Clone, Debug)]
pub struct MaxTokens {
    /// Tokens that remain after all counted text.
    remaining: u64,
    /// Kind of the pending text.
    kind: Kind,
    /// Text that is not counted yet, since later text can change its tokens.
    pending: String,
    /// Bytes of the pending text that were passed on.
    sent: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    Text,
    Thinking { id: Option<String>, model: Option<Arc<str>> },
}

/// Error: the limit is reached.
struct LimitReached;

impl MaxTokens {
    /// A filter that passes on this many tokens.
    pub fn new(tokens: u64) -> MaxTokens {
        MaxTokens { remaining: tokens, kind: Kind::Text, pending: String::new(), sent: 0 }
    }

    fn append(&mut self, kind: Kind, text: &str, out: &mut Vec<Event>) -> Result<(), LimitReached> {
        if kind != self.kind {
            self.count_all(out)?;
            self.kind = kind;
        }
        self.pending.push_str(text);
        let sure = usize::try_from(self.remaining).unwrap_or(usize::MAX);
        if self.pending.len() > sure.min(pretokens::LONG) {
            self.count(false, out)?;
        }
        let sure = usize::try_from(self.remaining).unwrap_or(usize::MAX);
        self.send(pretokens::at_most(&self.pending, sure).len(), out);
        Ok(())
    }

    fn count_all(&mut self, out: &mut Vec<Event>) -> Result<(), LimitReached> {
        self.count(true, out)?;
        self.send(self.pending.len(), out);
        self.pending.clear();
        self.sent = 0;
        Ok(())
    }

    /// Subtracts the tokens of all pending pieces, or only of those that later text can't change.
    fn count(&mut self, all: bool, out: &mut Vec<Event>) -> Result<(), LimitReached> {
        let all_pieces = all.then(|| pretokens::of(&self.pending)).into_iter().flatten();
        let certain_pieces = (!all).then(|| pretokens::stable_pieces(&self.pending)).into_iter().flatten();
        let mut counted = 0;
        let mut cut = None;
        for piece in all_pieces.chain(certain_pieces) {
            let Some(remaining) = self.remaining.checked_sub(pretokens::count_piece(piece)) else {
                cut = Some(counted + pretokens::beginning(piece, self.remaining).len());
                break;
            };
            self.remaining = remaining;
            counted += piece.len();
        }
        self.send(cut.unwrap_or(counted), out);
        if cut.is_some() {
            return Err(LimitReached);
        }
        self.pending.drain(..counted);
        self.sent = self.sent.saturating_sub(counted);
        Ok(())
    }

    /// Passes on the pending text up to byte `end`.
    fn send(&mut self, end: usize, out: &mut Vec<Event>) {
        let Some(text) = self.pending.get(self.sent..end).filter(|text| !text.is_empty()) else { return };
        out.push(match &self.kind {
            Kind::Text => Event::Text(text.into()),
            Kind::Thinking { id, model } => {
                Event::Thinking(Thinking { id: id.clone(), model: model.clone(), ..Thinking::text(text) })
            }
        });
        self.sent = end;
    }

    fn try_event(&mut self, event: Event, out: &mut Vec<Event>) -> Result<(), LimitReached> {
        match event {
            Event::Text(text) => return self.append(Kind::Text, &text, out),
            Event::Thinking(mut thinking) if !thinking.text.is_empty() => {
                let kind = Kind::Thinking { id: thinking.id.clone(), model: thinking.model.clone() };
                self.append(kind, &std::mem::take(&mut thinking.text), out)?;
                if thinking.metadata.is_some() {
                    self.count_all(out)?;
                    out.push(Event::Thinking(thinking));
                }
            }
            Event::ToolCall(call) => {
                self.count_all(out)?;
                let tokens = tokens::count_call(&call.name, &call.input);
                self.remaining = self.remaining.checked_sub(tokens).ok_or(LimitReached)?;
                out.push(Event::ToolCall(call));
            }
            other => {
                self.count_all(out)?;
                out.push(other);
            }
        }
        Ok(())
    }
}

impl Filter for MaxTokens {
    fn event(&mut self, event: Event, out: &mut Vec<Event>) -> ControlFlow<()> {
        if let Err(LimitReached) = self.try_event(event, out) {
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
        call, cut, end, finish, joined, response, run, sizes, text, thinking,
    };

    fn check(tokens: u64, events: impl IntoIterator<Item = Event>, expected: impl Into<Vec<Event>>) {
        assert_eq!(joined(run(&mut MaxTokens::new(tokens), events)), expected.into(), "{tokens}");
    }

    fn length() -> Event {
        finish(Finish::Length)
    }

    #[test]
    fn response_ends_after_max_tokens() {
        let events = || [text("one two three four"), end()];
        check(0, events(), [length()]);
        check(2, events(), [text("one two"), length()]);
        check(3, events(), [text("one two three"), length()]);
        check(4, events(), events());
        check(1, [text("internationalization"), end()], [text("international"), length()]);
    }

    #[test]
    fn response_ends_with_the_text_that_reaches_the_limit() {
        let (mut filter, mut out) = (MaxTokens::new(2), Vec::new());
        let flow = filter.event(text("one two three four five six seven"), &mut out);
        assert_eq!(flow, ControlFlow::Break(()));
        assert_eq!(joined(out), [text("one two"), length()]);
    }

    #[test]
    fn response_of_exactly_max_tokens_is_whole() {
        check(0, [end()], [end()]);
        check(2, [text("one"), text(" two"), end()], [text("one two"), end()]);
    }

    #[test]
    fn thinking_and_calls_count() {
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
    fn text_far_from_the_limit_is_sent_at_once() {
        let mut limit = MaxTokens::new(100);
        for word in ["one", " t", "wo", " three"] {
            assert_eq!(run(&mut limit, [text(word)]), [text(word)]);
        }
    }

    proptest! {
        #[test]
        fn outcome_does_not_depend_on_part_borders(
            tokens in 0u64..40,
            events in response("([a-zA-Z ]|[0-9'é\n日]|'re){0,40}"),
            sizes in sizes(),
        ) {
            let events = joined(events);
            let at_once = joined(run(&mut MaxTokens::new(tokens), events.clone()));
            let in_pieces = joined(run(&mut MaxTokens::new(tokens), cut(&events, &sizes)));
            prop_assert_eq!(in_pieces, at_once);
        }

        #[test]
        fn only_text_that_does_not_fit_is_cut(whole in "([a-z ]|[0-9é日\n]){0,60}", tokens in 0u64..40) {
            let events = run(&mut MaxTokens::new(tokens), [text(&whole), end()]);
            let fits = tokens::count_text(&whole) <= tokens;
            prop_assert_eq!(events.last(), Some(&if fits { end() } else { length() }));
            let sent: String = events.iter().filter_map(|event| match event {
                Event::Text(text) => Some(text.as_str()),
                _ => None,
            }).collect();
            prop_assert!(whole.starts_with(&sent));
            prop_assert_eq!(fits, sent == whole);
        }
    }

    #[test]
    fn long_response_is_counted_while_it_streams() {
        let whole = "The quick brown fox didn't jump, 12345 times.\n\n".repeat(100);
        let tokens = tokens::count_text(&whole);
        for sizes in [[1, 1], [2, 5], [7, 70]] {
            let events = cut(&[text(&whole), end()], &sizes);
            check(tokens, events.clone(), [text(&whole), end()]);
            let truncated = joined(run(&mut MaxTokens::new(tokens - 1), events));
            assert_eq!(truncated.last(), Some(&length()));
        }
    }
}
