//! Counts are OpenAI's: on known texts, and on any against the rules as OpenAI writes them.

use std::sync::LazyLock;

use fancy_regex::Regex;
use proptest::prelude::*;

use super::*;
use crate::tokens::pretokens::tests::tricky;

/// A text, how often it is said, and the tokens of it all as another implementation counts them (GitHub's `bpe-openai`
/// 0.3, which is tested against tiktoken).
type Known = (String, usize, u64);

#[test]
fn counts_equal_those_of_the_reference_library() {
    let known: Vec<Known> = serde_json::from_str(include_str!("counts.json")).unwrap();
    assert!(known.len() > 200);
    for (text, times, tokens) in known {
        let whole = text.repeat(times);
        assert_eq!(count(&whole), tokens, "{text:?} {times} times");
        let said: u64 = split(&whole).map(|piece| lengths(piece).len() as u64).sum();
        assert_eq!(said, tokens, "{text:?} {times} times");
    }
}

/// The expression as OpenAI writes it.
static EXPRESSION: LazyLock<Regex> = LazyLock::new(|| {
    let alternatives = [
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
        r"\p{N}{1,3}",
        r" ?[^\s\p{L}\p{N}]+[\r\n/]*",
        r"\s*[\r\n]+",
        r"\s+(?!\S)",
        r"\s+",
    ];
    Regex::new(&alternatives.join("|")).unwrap()
});

fn check_split(text: &str) {
    let wanted: Vec<&str> = EXPRESSION.find_iter(text).map(|found| found.unwrap().as_str()).collect();
    assert_eq!(split(text).collect::<Vec<_>>(), wanted, "{text:?}");
}

proptest! {
    #[test]
    fn pretokens_equal_those_of_the_expression(text in tricky(), any in "\\PC{0,20}", words in "[a-cA-Cʰ漢\u{301} '\nstſ]{0,20}") {
        check_split(&text);
        check_split(&any);
        check_split(&words);
    }
}

/// Merges bytes by the rule itself: the first of the unions that rank lowest, until there is none.
fn merged_plainly(bytes: &[u8]) -> Vec<u8> {
    let mut borders: Vec<usize> = (0..=bytes.len()).collect();
    loop {
        let unions = borders.windows(3).zip(1..);
        let ranks = unions.filter_map(|(parts, at)| Some((VOCABULARY.rank(&bytes[parts[0]..parts[2]])?, at)));
        match ranks.min() {
            Some((_, at)) => borders.remove(at),
            None => break,
        };
    }
    borders.windows(2).map(|token| u8::try_from(token[1] - token[0]).unwrap()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    /// The longer ones fill several windows.
    #[test]
    fn tokens_equal_those_of_plain_bpe(short in "\\PC{1,40}", long in prop_oneof![
        "[ab]{500,900}",
        "[a-h]{500,900}",
        "[a-zA-Z]{500,900}",
        "[-=]{500,900}",
        "[的一是不了]{170,300}",
        "(the|and|tion|ing){150,250}",
        "a{500,900}",
    ]) {
        for piece in [short, long] {
            prop_assert_eq!(lengths(&piece), merged_plainly(piece.as_bytes()));
        }
    }
}
