//! The models on offer: scripted ones for tests, and look-alikes so that examples run word for word.

use crate::bridge::protocol::ModelInfo;

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

/// All of them.
pub fn all() -> Vec<ModelInfo> {
    let scripted = [
        model("scripted-1", "scripted", 200_000),
        ModelInfo { images: Some(false), ..model("scripted-mini", "scripted-mini", 16_384) },
        ModelInfo { reports_usage: true, ..model("scripted-usage", "scripted-usage", 200_000) },
    ];
    scripted.into_iter().chain(LOOK_ALIKES.map(|(id, tokens)| model(id, id, tokens))).collect()
}

/// Reply to a conversation without a directive.
pub fn idle(model: &ModelInfo) -> &'static str {
    if model.id.starts_with("scripted") { LOREM_IPSUM } else { FRIENDLY }
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
    fn the_scripted_models_are_as_the_language_says() {
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
    fn all_say_demo_and_only_look_alikes_are_friendly() {
        let friendly: Vec<_> =
            all().into_iter().filter(|model| idle(model) == FRIENDLY).map(|model| model.id).collect();
        assert_eq!(friendly, LOOK_ALIKES.map(|(id, _)| id));
        assert!(all().iter().all(|model| model.vendor == "demo"));
    }
}
