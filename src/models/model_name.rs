//! Parses a model's name to words, a version, a date and qualifiers. Pure.
//!
//! `claude-3.5-sonnet`, `claude-sonnet-4-20250514` and `us.anthropic.claude-sonnet-4-5-v1:0` differ in form only.
//! The parser goes by the form of the tokens and knows no model, so that it can read the names of future models.

use std::collections::BTreeSet;

/// Words for a release stage or a mode. They don't tell models apart, except between otherwise equal names.
const QUALIFIERS: [&str; 10] =
    ["latest", "preview", "beta", "exp", "experimental", "stable", "thinking", "thought", "instruct", "chat"];

/// Words that providers use for their smaller models.
const SMALL: [&str; 11] =
    ["mini", "nano", "micro", "tiny", "small", "lite", "light", "flash", "fast", "instant", "haiku"];

/// Words that providers use for their larger models.
const LARGE: [&str; 7] = ["large", "plus", "pro", "max", "ultra", "heavy", "opus"];

/// A parsed name of a model.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ModelName {
    /// Words for the provider and the tier: `claude`, `sonnet`.
    pub words: BTreeSet<String>,
    /// Version numbers, `[4, 5]` for `4.5`; empty if the name has none.
    pub version: Vec<u32>,
    /// Tokens that matter only between otherwise equal names: `preview`, the `o` of `4o`, the `1m` of `[1m]`.
    pub qualifiers: BTreeSet<String>,
    /// Date as a number: `20250514`, `1106`; 0 if the name has none.
    pub date: u32,
}

/// Size of a model, as the words of its name suggest it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Size {
    /// A small model: `haiku`, `mini`, `flash`.
    Small = 0,
    /// A model whose name has no word for its size.
    Medium = 1,
    /// A large model: `opus`, `pro`.
    Large = 2,
}

impl Size {
    /// Difference of two sizes: 0 for the same, 2 for small and large.
    pub fn distance(self, other: Size) -> u8 {
        (self as u8).abs_diff(other as u8)
    }
}

impl ModelName {
    /// Parses a name. Every text is a name, if only one without tokens.
    pub fn parse(name: &str) -> ModelName {
        let name = name.to_ascii_lowercase();
        let mut parsed = ModelName::default();
        for token in tokens(without_namespace(&name)) {
            parsed.add(&token);
        }
        parsed
    }

    /// Whether the name is that of an embedding model, which can't replace a chat model or be replaced by one.
    pub fn is_embedding(&self) -> bool {
        self.words.iter().any(|word| word.starts_with("embed"))
    }

    /// Size that the words suggest. A word for small has priority over one for large (`codex-max-mini`).
    pub fn size(&self) -> Size {
        let has = |sizes: &[&str]| sizes.iter().any(|size| self.words.contains(*size));
        match (has(&SMALL), has(&LARGE)) {
            (true, _) => Size::Small,
            (false, true) => Size::Large,
            (false, false) => Size::Medium,
        }
    }

    fn add(&mut self, token: &Token) {
        match token {
            Token::Word(word) if QUALIFIERS.contains(&word.as_str()) => {
                self.qualifiers.insert(word.clone());
            }
            Token::Word(word) => {
                self.words.insert(word.clone());
            }
            Token::Qualifier(qualifier) => {
                self.qualifiers.insert(qualifier.clone());
            }
            Token::Date(date) => self.date = *date,
            // Later groups of numbers are a provider's revisions: the `1:0` of `-v1:0`.
            Token::Version(version) if self.version.is_empty() => self.version.clone_from(version),
            Token::Version(_) => {}
        }
    }
}

/// A token of a name.
enum Token {
    Word(String),
    Qualifier(String),
    Version(Vec<u32>),
    Date(u32),
}

/// Removes namespaces: `openai/gpt-4o` -> `gpt-4o`, `us.anthropic.claude-opus-4` -> `claude-opus-4`, `copilot-gpt-4o`
/// -> `gpt-4o`.
fn without_namespace(name: &str) -> &str {
    let name = name.rsplit('/').next().unwrap_or(name);
    let dot_between_letters = name.match_indices('.').map(|(at, _)| at).rfind(|&at| {
        let letter = |c: Option<char>| c.is_some_and(char::is_alphabetic);
        letter(name[..at].chars().next_back()) && letter(name[at + 1..].chars().next())
    });
    let name = dot_between_letters.map_or(name, |at| &name[at + 1..]);
    name.strip_prefix("copilot-").unwrap_or(name)
}

/// Splits a name into tokens; groups of numbers become versions and dates.
fn tokens(name: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut numbers: Vec<&str> = Vec::new();
    for piece in name.split(|c: char| !c.is_alphanumeric()).filter(|piece| !piece.is_empty()) {
        let mut rest = piece;
        while !rest.is_empty() {
            let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
            let (number, after) = rest.split_at(digits);
            let letters = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
            let (word, after) = after.split_at(letters);
            rest = after;
            // `1m`, `70b`: size of the context or of the model.
            if !number.is_empty() && matches!(word, "k" | "m" | "b") {
                tokens.push(Token::Qualifier(format!("{number}{word}")));
                continue;
            }
            if !number.is_empty() {
                numbers.push(number);
            }
            if !word.is_empty() {
                tokens.append(&mut take_numbers(&mut numbers));
                match word {
                    "v" => {}
                    _ if number.is_empty() => tokens.push(Token::Word(word.into())),
                    _ => tokens.push(Token::Qualifier(word.into())),
                }
            }
        }
    }
    tokens.append(&mut take_numbers(&mut numbers));
    tokens
}

/// Empties a group of adjacent numbers into a version of the small ones and a date of the rest.
fn take_numbers(numbers: &mut Vec<&str>) -> Vec<Token> {
    let date_from = numbers.iter().position(|number| number.len() >= 4).unwrap_or(numbers.len());
    let date: String = numbers.split_off(date_from).concat();
    // Two digits with a leading zero are a month or a day: the `05-06` of `preview-05-06`.
    let version: Vec<u32> = std::mem::take(numbers)
        .into_iter()
        .take_while(|number| number.len() == 1 || !number.starts_with('0'))
        .filter_map(|number| number.parse().ok())
        .collect();
    let mut tokens = Vec::new();
    if !version.is_empty() {
        tokens.push(Token::Version(version));
    }
    if !date.is_empty() {
        tokens.push(Token::Date(date.parse().unwrap_or(0)));
    }
    tokens
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, words: &[&str], version: &[u32], qualifiers: &[&str], date: u32) {
        let set = |words: &[&str]| words.iter().map(ToString::to_string).collect();
        let expected =
            ModelName { words: set(words), version: version.into(), qualifiers: set(qualifiers), date };
        assert_eq!(ModelName::parse(name), expected, "{name}");
    }

    #[test]
    fn name_is_parsed_by_its_form() {
        check("claude", &["claude"], &[], &[], 0);
        check("claude-3.5-sonnet", &["claude", "sonnet"], &[3, 5], &[], 0);
        check("copilot-claude-3.5-sonnet", &["claude", "sonnet"], &[3, 5], &[], 0);
        check("claude-3-5-sonnet-latest", &["claude", "sonnet"], &[3, 5], &["latest"], 0);
        check("claude-sonnet-4-20250514", &["claude", "sonnet"], &[4], &[], 20_250_514);
        check("claude-sonnet-4@20250514", &["claude", "sonnet"], &[4], &[], 20_250_514);
        check("claude-haiku-4-5-20251001[1m]", &["claude", "haiku"], &[4, 5], &["1m"], 20_251_001);
        check("us.anthropic.claude-opus-4-6-20260101-v1:0", &["claude", "opus"], &[4, 6], &[], 20_260_101);
        check("anthropic/claude-opus-4.6", &["claude", "opus"], &[4, 6], &[], 0);
        check("Claude Sonnet 4.5 (Preview)", &["claude", "sonnet"], &[4, 5], &["preview"], 0);
        check("gpt-4o", &["gpt"], &[4], &["o"], 0);
        check("gpt-4o-mini-2024-07-18", &["gpt", "mini"], &[4], &["o"], 20_240_718);
        check("gpt-3.5-turbo-0125", &["gpt", "turbo"], &[3, 5], &[], 125);
        check("gpt-5.1-codex-max", &["gpt", "codex", "max"], &[5, 1], &[], 0);
        check("o3-mini", &["o", "mini"], &[3], &[], 0);
        check("gemini-2.5-pro-preview-05-06", &["gemini", "pro"], &[2, 5], &["preview"], 0);
        check("grok-code-fast-1", &["grok", "code", "fast"], &[1], &[], 0);
        check("qwen2.5-coder:7b", &["qwen", "coder"], &[2, 5], &["7b"], 0);
        check("deepseek-v3", &["deepseek"], &[3], &[], 0);
        check("text-embedding-3-small", &["text", "embedding", "small"], &[3], &[], 0);
        check("", &[], &[], &[], 0);
        check("99999999999999999999", &[], &[], &[], 0);
    }

    #[test]
    fn words_suggest_a_size() {
        for (name, size) in [
            ("claude-haiku-4.5", Size::Small),
            ("gpt-5-mini", Size::Small),
            ("gpt-5.1-codex-max-mini", Size::Small),
            ("claude-sonnet-4", Size::Medium),
            ("gpt-5", Size::Medium),
            ("claude-opus-4.6", Size::Large),
            ("gemini-2.5-pro", Size::Large),
        ] {
            assert_eq!(ModelName::parse(name).size(), size, "{name}");
        }
    }

    #[test]
    fn embedding_model_is_recognized_by_its_name() {
        for name in ["text-embedding-3-small", "nomic-embed-text", "copilot/embeddings"] {
            assert!(ModelName::parse(name).is_embedding(), "{name}");
        }
        assert!(!ModelName::parse("gpt-4o").is_embedding());
    }

    proptest::proptest! {
        #[test]
        fn every_name_is_parsed_without_panic(name in "\\PC*") {
            ModelName::parse(&name);
        }
    }
}
