//! The models on offer: scripted ones for tests, and look-alikes so that examples run word for word.

use serde_json::{Map, json};

use crate::bridge::protocol::ModelInfo;
use crate::simulator::script::Directive;

/// The vendor of all of them, so that they are never mistaken for real models.
pub const VENDOR: &str = "demo";

const LOREM_IPSUM: &str = "Lorem ipsum dolor sit amet, consectetur adipiscing elit.";

const FRIENDLY: &str = "Hello from the Copilot Proxy demo: this is a stand-in and not the real model, which answers \
                        here once VS Code runs with GitHub Copilot signed in and the Copilot Proxy extension installed.";

/// Id and tokens of input of each look-alike.
const LOOK_ALIKES: [(&str, u64); 7] = [
    ("gpt-4o", 64_000),
    ("gpt-5-mini", 128_000),
    ("claude-3.5-sonnet", 90_000),
    ("claude-sonnet-4", 128_000),
    ("claude-opus-4.6", 128_000),
    ("claude-haiku-4.5", 128_000),
    ("gemini-2.5-pro", 128_000),
];

/// Context size that Copilot takes for `scripted-long` if the request names none: its long-context price begins there.
const DEFAULT_CONTEXT_SIZE: u64 = 32_000;

/// Kinds of services behind Copilot's models. Each has its own API and its own limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// `/chat/completions`.
    Chat,
    /// OpenAI's `/responses`.
    Responses,
    /// Anthropic's `/v1/messages`.
    Messages,
}

impl Service {
    /// Service behind a model of this id.
    pub fn of(model_id: &str) -> Service {
        if model_id.starts_with("claude") {
            Service::Messages
        } else if model_id.starts_with("gpt-5") {
            Service::Responses
        } else {
            Service::Chat
        }
    }
}

impl Service {
    /// Name that Copilot gives the API in the metadata of thinking.
    pub fn api_name(self) -> &'static str {
        match self {
            Service::Chat => "chatCompletions",
            Service::Responses => "responses",
            Service::Messages => "messages",
        }
    }
}

/// Context size of requests that don't name one; absent where it is the whole window.
pub fn default_context_size(model: &ModelInfo) -> Option<u64> {
    model.extra.contains_key("longContextInputCost").then_some(DEFAULT_CONTEXT_SIZE)
}

/// All of them.
pub fn all() -> Vec<ModelInfo> {
    let scripted = [
        model("scripted-1", "scripted", 200_000),
        ModelInfo { images: Some(false), ..model("scripted-mini", "scripted-mini", 16_384) },
        ModelInfo { reports_usage: true, ..model("scripted-usage", "scripted-usage", 200_000) },
    ];
    let look_alikes = LOOK_ALIKES.map(|(id, tokens)| model(id, id, tokens));
    let auto = ModelInfo { reports_usage: true, ..model("auto", "gpt-5-mini", 200_000) };
    let long = ModelInfo {
        reports_usage: true,
        extra: prices(),
        ..model("scripted-long", "scripted-long", 200_000)
    };
    scripted.into_iter().chain(look_alikes).chain([auto, long]).collect()
}

/// Prices in credits per million tokens, as Copilot's models show them.
fn prices() -> Map<String, serde_json::Value> {
    let prices = [
        ("inputCost", 300),
        ("outputCost", 1500),
        ("cacheCost", 30),
        ("cacheWriteCost", 375),
        ("longContextInputCost", 600),
        ("longContextOutputCost", 2250),
        ("longContextCacheCost", 60),
        ("longContextCacheWriteCost", 750),
    ];
    let text = [("pricing", "In: 300 · Out: 1500 AICs/1M tokens"), ("priceCategory", "high")];
    let prices = prices.map(|(name, credits)| (name.to_owned(), json!(credits)));
    prices.into_iter().chain(text.map(|(name, text)| (name.to_owned(), json!(text)))).collect()
}

/// Reply to a conversation without a directive.
pub fn idle(model: &ModelInfo) -> Directive {
    if model.id.starts_with("scripted") {
        Directive::Say(LOREM_IPSUM.into())
    } else {
        Directive::Friendly(FRIENDLY.into())
    }
}

fn model(id: &str, family: &str, max_input_tokens: u64) -> ModelInfo {
    ModelInfo {
        vendor: VENDOR.into(),
        id: id.into(),
        family: family.into(),
        version: format!("{id}-2026-01-01"),
        name: format!("{id} (demo)"),
        max_input_tokens,
        tools: Some(true),
        images: Some(true),
        ..ModelInfo::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripted_models_have_the_documented_properties() {
        let mut models = all();
        models.truncate(3);
        let facts = |model: &ModelInfo| {
            let ModelInfo { id, family, tools, images, max_input_tokens, reports_usage, .. } = model.clone();
            (id, family, tools, images, max_input_tokens, reports_usage)
        };
        let yes = Some(true);
        assert_eq!(
            models.iter().map(facts).collect::<Vec<_>>(),
            [
                ("scripted-1".into(), "scripted".into(), yes, yes, 200_000, false),
                ("scripted-mini".into(), "scripted-mini".into(), yes, Some(false), 16_384, false),
                ("scripted-usage".into(), "scripted-usage".into(), yes, yes, 200_000, true),
            ]
        );
    }

    #[test]
    fn models_have_the_vendor_demo_and_look_alikes_are_friendly() {
        let friendly: Vec<_> = all()
            .into_iter()
            .filter(|model| matches!(idle(model), Directive::Friendly(_)))
            .map(|model| model.id)
            .collect();
        assert_eq!(friendly[..7], LOOK_ALIKES.map(|(id, _)| id));
        assert_eq!(friendly[7..], ["auto"]);
        assert!(all().iter().all(|model| model.vendor == "demo"));
    }
}
