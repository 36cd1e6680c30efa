//! Token counts of the simulated models, and their usage parts, in the form of Copilot's. Pure.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use crate::bridge::protocol::ModelInfo;
use crate::conversation::{Data, Message, Part};
use crate::simulator::models::default_context_size;
use crate::simulator::script::UsageCounts;
use crate::simulator::select_phase::result_text;

/// Four characters are a token, rounded up.
fn tokens(characters: usize) -> u64 {
    characters.div_ceil(4) as u64
}

/// Number of characters of a response so far.
#[derive(Clone, Copy, Debug, Default)]
pub struct ResponseLength {
    all: usize,
    thought: usize,
}

impl ResponseLength {
    /// Adds the characters of a part.
    pub fn add(&mut self, part: &Part) {
        match part {
            Part::Text { text } => self.all += text.chars().count(),
            Part::Thinking(thinking) => {
                let characters = thinking.text.chars().count();
                self.all += characters;
                self.thought += characters;
            }
            Part::ToolCall(call) => self.all += call.input.to_string().chars().count(),
            Part::Data(_) | Part::ToolResult(_) => {}
        }
    }

    /// The whole answer is one counted string; of the prompt each text is.
    pub fn counts(self, prompt: &[Message]) -> UsageCounts {
        let texts = prompt.iter().flat_map(|message| &message.parts).map(|part| match part {
            Part::Text { text } => tokens(text.chars().count()),
            Part::Thinking(thinking) => tokens(thinking.text.chars().count()),
            Part::ToolResult(result) => tokens(result_text(result).chars().count()),
            Part::Data(_) | Part::ToolCall(_) => 0,
        });
        let (completion, reasoning) = (tokens(self.all), tokens(self.thought));
        UsageCounts { prompt: texts.sum(), completion, cached: 0, reasoning }
    }
}

/// The part that ends an answer, with its cost in billionths of a credit if the model has one.
pub fn part(counts: UsageCounts, cost: Option<u64>) -> Part {
    let mut json = json!({
        "prompt_tokens": counts.prompt,
        "completion_tokens": counts.completion,
        "total_tokens": counts.prompt.saturating_add(counts.completion),
        "prompt_tokens_details": {"cached_tokens": counts.cached},
        "completion_tokens_details": {"reasoning_tokens": counts.reasoning},
    });
    if let (Some(nano), Some(json)) = (cost, json.as_object_mut()) {
        let cost = json!({"total_nano_aiu": nano, "token_details": []});
        json.insert("copilot_usage".into(), cost);
    }
    data("usage", json.to_string())
}

/// The part that names the model which `auto` was routed to, as the Responses API sends it.
pub fn stateful_marker(model: &str) -> Part {
    data("stateful_marker", format!("{model}\\resp-1"))
}

fn data(mime: &str, bytes: String) -> Part {
    Part::Data(Data { mime: mime.into(), base64: STANDARD.encode(bytes) })
}

/// The cost of an answer at the model's prices, in billionths of a credit; `None` for a model without prices.
pub fn cost(counts: UsageCounts, model: &ModelInfo) -> Option<u64> {
    let is_long = default_context_size(model).is_some_and(|size| counts.prompt > size);
    // Credits per million tokens are 1000 billionths per token.
    let price = |name: &str, long: &str| {
        let name = if is_long { long } else { name };
        Some(model.extra.get(name)?.as_u64()?.saturating_mul(1000))
    };
    let fresh = counts.prompt.saturating_sub(counts.cached);
    let input = fresh.saturating_mul(price("inputCost", "longContextInputCost")?);
    let cached = counts.cached.saturating_mul(price("cacheCost", "longContextCacheCost")?);
    let output = counts.completion.saturating_mul(price("outputCost", "longContextOutputCost")?);
    Some(input.saturating_add(cached).saturating_add(output))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conversation::{Content, Role, Thinking, ToolCall, ToolResult};

    #[test]
    fn prompt_texts_are_rounded_up_separately_and_the_response_once() {
        let result = ToolResult {
            id: "c".into(),
            content: vec![Content::Text { text: "12345".into() }],
            is_error: false,
        };
        let call = ToolCall { id: "c".into(), name: "get".into(), input: json!({"a": 1}) };
        let thinking = Thinking::text("éé");
        let parts = vec![Part::text("1"), Part::text("12345"), Part::ToolResult(result)];
        let prompt = [Message { role: Role::User, name: None, parts }];
        let mut said = ResponseLength::default();
        for part in [Part::text("12"), Part::Thinking(thinking), Part::ToolCall(call)] {
            said.add(&part);
        }
        assert_eq!(said.counts(&prompt), UsageCounts { prompt: 5, completion: 3, cached: 0, reasoning: 1 });
    }

    #[test]
    fn usage_has_copilots_form() {
        let Part::Data(data) = part(UsageCounts { prompt: 7, completion: 5, cached: 3, reasoning: 1 }, None)
        else {
            panic!("no data")
        };
        assert_eq!(data.mime, "usage");
        assert_eq!(
            String::from_utf8(STANDARD.decode(data.base64).unwrap()).unwrap(),
            concat!(
                r#"{"prompt_tokens":7,"completion_tokens":5,"total_tokens":12,"#,
                r#""prompt_tokens_details":{"cached_tokens":3},"completion_tokens_details":{"reasoning_tokens":1}}"#
            )
        );
    }

    #[test]
    fn cost_follows_the_prices_and_doubles_in_a_long_context() {
        let long =
            crate::simulator::models::all().into_iter().find(|model| model.id == "scripted-long").unwrap();
        let counts = |prompt| UsageCounts { prompt, completion: 10, cached: 100, reasoning: 0 };
        assert_eq!(cost(counts(1_100), &long), Some(1_000 * 300_000 + 100 * 30_000 + 10 * 1_500_000));
        assert_eq!(cost(counts(40_100), &long), Some(40_000 * 600_000 + 100 * 60_000 + 10 * 2_250_000));
        assert_eq!(cost(counts(1), &ModelInfo::default()), None);
    }
}
