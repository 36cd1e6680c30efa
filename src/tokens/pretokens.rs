//! Text in the pieces that are tokenized each for itself, for what has to be counted or cut while it comes in.

use super::o200k;
pub use super::o200k::{count, count_piece, split as of};

/// The beginning of a piece that so many tokens say. A character that lies across the end is left out.
pub fn beginning(piece: &str, tokens: u64) -> &str {
    let tokens = usize::try_from(tokens).unwrap_or(usize::MAX);
    at_most(piece, o200k::lengths(piece).into_iter().take(tokens).map(usize::from).sum())
}

/// As much of a text as so many bytes hold.
pub fn at_most(text: &str, bytes: usize) -> &str {
    let end = (0..=bytes.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    text.get(..end).unwrap_or(text)
}

/// The pieces at the beginning of a text that stay as they are, whatever comes after.
///
/// Later text can lengthen the last piece, join the last two (`don` and `'` of `don't`) or part of the last white
/// space; it never reaches further back than the last four.
pub fn stable_pieces(text: &str) -> impl Iterator<Item = &str> {
    let mut ahead = of(text).skip(4);
    of(text).take_while(move |_| ahead.next().is_some())
}

/// Pending bytes at which the stable pieces are counted: few enough that little memory is kept, enough that each byte
/// is scanned about once.
pub const LONG: usize = 2048;

/// Counts a text that arrives in pieces; the result is that of the whole text.
#[derive(Clone, Debug, Default)]
pub struct IncrementalCounter {
    counted: u64,
    pending: String,
}

impl IncrementalCounter {
    /// Adds a piece of text.
    pub fn push(&mut self, text: &str) {
        self.pending.push_str(text);
        if self.pending.len() >= LONG {
            let mut done = 0;
            for piece in stable_pieces(&self.pending) {
                self.counted += count_piece(piece);
                done += piece.len();
            }
            self.pending.drain(..done);
        }
    }

    /// Tokens of the text so far.
    pub fn count(&self) -> u64 {
        self.counted + count(&self.pending)
    }
}

#[cfg(test)]
pub mod tests {
    //! Generators of texts that are hard to split; other tests use them too.

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn prefix_ends_at_a_token_and_a_character() {
        assert_eq!(beginning("internationalization", 0), "");
        assert_eq!(beginning("internationalization", 1), "international");
        assert_eq!(beginning("internationalization", 9), "internationalization");
        assert_eq!(beginning("𒀀", 1), "");
    }

    #[test]
    fn at_most_keeps_characters_whole() {
        assert_eq!(at_most("aé", 1), "a");
        assert_eq!(at_most("aé", 2), "a");
        assert_eq!(at_most("aé", 3), "aé");
        assert_eq!(at_most("aé", 9), "aé");
    }

    /// Texts of what meets at the borders of pieces.
    pub fn tricky() -> impl Strategy<Value = String> {
        let word = prop_oneof![
            "[a-zA-Z]{1,6}",
            "[0-9]{1,5}",
            "[ ]{1,4}",
            "[\r\n]{1,2}",
            "[ \n\t]{1,5}",
            "'(s|t|re|ve|m|ll|d|LL)",
            "[.,!/\\-]{1,3}",
            "[日本語é́]{1,3}",
            "[😀👍]",
            "\\PC{0,3}"
        ];
        proptest::collection::vec(word, 0..30).prop_map(|words| words.concat())
    }

    proptest! {
        #[test]
        fn stable_pretokens_do_not_change_with_later_text(text in tricky(), more in tricky()) {
            let whole = format!("{text}{more}");
            let before: Vec<&str> = stable_pieces(&text).collect();
            let (beginning, rest): (Vec<&str>, Vec<&str>) = {
                let mut pieces = of(&whole);
                (pieces.by_ref().take(before.len()).collect(), pieces.collect())
            };
            prop_assert_eq!(&beginning, &before);
            let done = before.concat().len();
            prop_assert_eq!(of(&whole[done..]).collect::<Vec<_>>(), rest);
        }

        #[test]
        fn count_does_not_depend_on_chunk_borders(text in tricky(), sizes in proptest::collection::vec(1usize..9, 1..9)) {
            let text = text.repeat(40);
            let mut meter = IncrementalCounter::default();
            let mut rest = text.as_str();
            for size in sizes.iter().cycle() {
                if rest.is_empty() { break; }
                let bit = rest.chars().take(*size).map(char::len_utf8).sum();
                meter.push(&rest[..bit]);
                rest = &rest[bit..];
            }
            prop_assert_eq!(meter.count(), count(&text));
        }
    }
}
