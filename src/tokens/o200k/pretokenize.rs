//! A text in the pieces that are tokenized each for itself: words, numbers, symbols, blanks.
//!
//! OpenAI writes the rule as this expression, of which the first alternative that fits counts:
//!
//! ```text
//! [^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?
//! [^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?
//! \p{N}{1,3}
//!  ?[^\s\p{L}\p{N}]+[\r\n/]*
//! \s*[\r\n]+
//! \s+(?!\S)
//! \s+
//! ```

use unicode_general_category::{GeneralCategory as Category, get_general_category};

use Kind::{Blank, Capital, Caseless, LineEnd, Mark, Number, Small, Symbol};

/// The pieces: joined they are the text.
pub fn split(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let after = after_piece(rest)?;
        let (piece, after) = rest.split_at_checked(rest.len() - after.len())?;
        rest = after;
        Some(piece)
    })
}

/// Character classes of the expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// `\p{Lu}` and `\p{Lt}`
    Capital,
    /// `\p{Ll}`
    Small,
    /// `\p{Lm}` and `\p{Lo}`: a capital and a small letter at once.
    Caseless,
    /// `\p{M}`: both as well, and a symbol.
    Mark,
    /// `\p{N}`
    Number,
    /// `\r` and `\n`
    LineEnd,
    /// All other `\s`
    Blank,
    Symbol,
}

impl Kind {
    fn of(character: char) -> Kind {
        match character {
            'a'..='z' => Small,
            'A'..='Z' => Capital,
            '0'..='9' => Number,
            '\r' | '\n' => LineEnd,
            ' ' | '\t' | '\x0B' | '\x0C' => Blank,
            '\0'..='\x7F' => Symbol,
            _ => Kind::by_category(character),
        }
    }

    fn by_category(character: char) -> Kind {
        match get_general_category(character) {
            Category::UppercaseLetter | Category::TitlecaseLetter => Capital,
            Category::LowercaseLetter => Small,
            Category::ModifierLetter | Category::OtherLetter => Caseless,
            Category::NonspacingMark | Category::SpacingMark | Category::EnclosingMark => Mark,
            Category::DecimalNumber | Category::LetterNumber | Category::OtherNumber => Number,
            _ if character.is_whitespace() => Blank,
            _ => Symbol,
        }
    }
}

/// Rules for the rest of a text after its first piece. Each match is decided by the text that follows it.
fn after_piece(text: &str) -> Option<&str> {
    let mut characters = text.chars();
    let first = characters.next()?;
    let rest = characters.as_str();
    let after_word = match Kind::of(first) {
        Number => return Some(after_number(text)),
        Capital | Small | Caseless => Letters::of(text).either(),
        Blank | Symbol => Letters::of(rest).either(),
        // It may stand before the letters or be the first of them.
        Mark => Letters::of(rest).cased.or_else(|| Letters::of(text).cased),
        LineEnd => None,
    };
    let after = match after_word {
        Some(after) => after_contraction(after),
        None => after_symbols(if first == ' ' { rest } else { text }).unwrap_or_else(|| after_blanks(text)),
    };
    Some(after)
}

/// The letters that a text begins with, in the first two ways.
struct Letters<'a> {
    /// Any capitals, then at least one small letter and no more capitals.
    cased: Option<&'a str>,
    /// Capitals alone: what there is if nothing is `cased`.
    capitals: Option<&'a str>,
}

impl Letters<'_> {
    fn of(text: &str) -> Letters<'_> {
        let mut cased = None;
        let mut characters = text.chars();
        loop {
            let after_capitals = characters.as_str();
            match characters.next().map(Kind::of) {
                Some(Capital) => {}
                // It is the small letter, if no later one is.
                Some(Caseless | Mark) => cased = Some(characters.as_str()),
                Some(Small) => {
                    let after =
                        after_all(characters.as_str(), |kind| matches!(kind, Small | Caseless | Mark));
                    return Letters { cased: Some(after), capitals: None };
                }
                _ => {
                    let capitals = Some(after_capitals).filter(|after| after.len() < text.len());
                    return Letters { cased, capitals };
                }
            }
        }
    }
}

impl<'a> Letters<'a> {
    fn either(self) -> Option<&'a str> {
        self.cased.or(self.capitals)
    }
}

/// After `'s`, `'t`, `'re`, `'ve`, `'m`, `'ll` or `'d`. A long s is an s.
fn after_contraction(text: &str) -> &str {
    let mut characters = text.chars();
    if characters.next() != Some('\'') {
        return text;
    }
    let one = characters.next().map(|character| character.to_ascii_lowercase());
    if let Some('s' | 'ſ' | 't' | 'm' | 'd') = one {
        return characters.as_str();
    }
    match (one, characters.next().map(|character| character.to_ascii_lowercase())) {
        (Some('r' | 'v'), Some('e')) | (Some('l'), Some('l')) => characters.as_str(),
        _ => text,
    }
}

fn after_number(text: &str) -> &str {
    let end = text.char_indices().take(3).take_while(|(_, digit)| Kind::of(*digit) == Number);
    let end = end.last().map_or(0, |(at, digit)| at + digit.len_utf8());
    text.get(end..).unwrap_or_default()
}

/// Symbols, and line ends and slashes after them.
fn after_symbols(text: &str) -> Option<&str> {
    let after = after_all(text, |kind| matches!(kind, Symbol | Mark));
    (after.len() < text.len()).then(|| after.trim_start_matches(['\r', '\n', '/']))
}

/// All blanks as far as the last line end. Without one all of them, but the last stays with the word that follows.
fn after_blanks(text: &str) -> &str {
    let after = after_all(text, |kind| matches!(kind, Blank | LineEnd));
    let blanks = text.get(..text.len() - after.len()).unwrap_or_default();
    if let Some(line_end) = blanks.rfind(['\r', '\n']) {
        return text.get(line_end + 1..).unwrap_or_default();
    }
    match blanks.char_indices().next_back() {
        Some((last, _)) if last > 0 && !after.is_empty() => text.get(last..).unwrap_or_default(),
        _ => after,
    }
}

fn after_all(text: &str, wanted: impl Fn(Kind) -> bool) -> &str {
    text.trim_start_matches(|character| wanted(Kind::of(character)))
}
