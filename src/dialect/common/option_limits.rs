//! Options that several requests share: numbers that have a range, and what no model here can honour.

use std::num::NonZeroU8;
use std::ops::RangeInclusive;

use serde_json::{Map, Value};

use crate::conversation::ThinkingMode;
use crate::failure::Failure;

/// As many answers to one question as OpenAI gives.
const MOST_CHOICES: u64 = 128;

/// Error for `logprobs` and its like.
pub const NO_PROBABILITIES: &str = "VS Code's models tell no token probabilities";

/// Error for `suffix`.
pub const NO_MIDDLE: &str = "VS Code's models can't fill in the middle of a text";

/// A number of this range, both ends included.
pub fn within(at: &str, number: Option<f64>, range: RangeInclusive<f64>) -> Result<Option<f64>, Failure> {
    match number {
        Some(number) if !range.contains(&number) => Err(Failure::invalid(
            at,
            format!("{number} is out of range, expected {} to {}", range.start(), range.end()),
        )),
        number => Ok(number),
    }
}

/// The nearest number of this range, for an API that knows no bounds where the models behind VS Code have some.
pub fn clamped(number: Option<f64>, range: RangeInclusive<f64>) -> Option<f64> {
    number.map(|number| number.clamp(*range.start(), *range.end()))
}

/// A number of tokens, for an API that answers 400 to a limit that allows none.
pub fn tokens(at: &str, number: Option<u64>) -> Result<Option<u64>, Failure> {
    match number {
        Some(0) => Err(Failure::invalid(at, "0 is too small, expected at least 1")),
        number => Ok(number),
    }
}

/// Reads the number of choices.
pub fn choices(at: &str, number: Option<u64>) -> Result<Option<NonZeroU8>, Failure> {
    let Some(number) = number else { return Ok(None) };
    match u8::try_from(number).ok().and_then(NonZeroU8::new) {
        Some(choices) if number <= MOST_CHOICES => Ok(Some(choices)),
        _ => Err(Failure::invalid(at, format!("{number} is out of range, expected 1 to {MOST_CHOICES}"))),
    }
}

/// Most stop sequences of a request: far more than the four that OpenAI takes, and few enough to look for all of them in
/// each piece of text.
const MOST_STOP_SEQUENCES: usize = 400;

/// Checks the stop sequences of field `at`. Empty ones are left out: they would end every response before it begins.
pub fn stop(at: &str, sequences: Vec<String>) -> Result<Vec<String>, Failure> {
    let found = sequences.len();
    if found > MOST_STOP_SEQUENCES {
        let message =
            format!("found {found} stop sequences, a request can have at most {MOST_STOP_SEQUENCES}");
        return Err(Failure::invalid(at, message));
    }
    Ok(sequences.into_iter().filter(|sequence| !sequence.is_empty()).collect())
}

/// Meaning of a `reasoning_effort`: any but `none` switches thinking on.
pub fn thinking(effort: Option<&str>) -> ThinkingMode {
    match effort {
        None => ThinkingMode::Unset,
        Some("none") => ThinkingMode::Off,
        Some(_) => ThinkingMode::On,
    }
}

/// Largest budgets, in tokens of thinking, of a low and of a medium effort; docs/thinking.md has this table. The models behind
/// VS Code take a word, not a number. Agents send 4,000, 10,000 and 32,000 for "think", "think hard", "think hardest".
const LOW_BUDGET: u64 = 4_096;
const MEDIUM_BUDGET: u64 = 16_384;

/// The effort of a budget in tokens of thinking.
pub fn effort_of_budget(budget: u64) -> &'static str {
    match budget {
        budget if budget <= LOW_BUDGET => "low",
        budget if budget <= MEDIUM_BUDGET => "medium",
        _ => "high",
    }
}

/// Refuses `logit_bias`, unless it is empty.
pub fn no_bias(bias: Option<&Map<String, Value>>) -> Result<(), Failure> {
    match bias {
        Some(bias) if !bias.is_empty() => {
            Err(Failure::unsupported("logit_bias", "VS Code's models take no bias on tokens"))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_inclusive() {
        assert_eq!(within("temperature", Some(2.0), 0.0..=2.0), Ok(Some(2.0)));
        assert_eq!(within("temperature", None, 0.0..=2.0), Ok(None));
        assert_eq!(
            within("temperature", Some(2.1), 0.0..=2.0).unwrap_err().to_string(),
            "temperature: 2.1 is out of range, expected 0 to 2"
        );
        assert_eq!(
            [-1.0, 0.5, 2.5].map(|number| clamped(Some(number), 0.0..=2.0)),
            [0.0, 0.5, 2.0].map(Some)
        );
        assert_eq!(choices("n", Some(128)), Ok(NonZeroU8::new(128)));
        for number in [0, 129, 256, 257, u64::MAX] {
            assert_eq!(
                choices("n", Some(number)).unwrap_err().to_string(),
                format!("n: {number} is out of range, expected 1 to 128")
            );
        }
        assert_eq!(
            tokens("max_tokens", Some(0)).unwrap_err().to_string(),
            "max_tokens: 0 is too small, expected at least 1"
        );
    }
}
