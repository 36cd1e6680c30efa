//! Resolves the model name of a request to one of the models that the editors offer. Pure.
//!
//! It knows no model: names are compared by id, by family, then by the words and versions in them (`model_name.rs`).

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::auto;
use super::model_name::ModelName;
use crate::bridge::protocol::ModelInfo;

/// Tag that Ollama's clients append to a name without one.
const LATEST: &str = ":latest";

/// A model in the list that clients see.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelEntry {
    /// The provider's id, or `vendor/id` if an earlier model in the list has the same id.
    pub id: String,
    /// The editor's description of the model.
    pub model: Arc<ModelInfo>,
}

/// Merges the models of all editors into one list, Copilot's first, without models that extensions can't use.
pub fn merge_lists<'a>(editors: impl IntoIterator<Item = &'a [Arc<ModelInfo>]>) -> Vec<ModelEntry> {
    let mut models: Vec<&Arc<ModelInfo>> =
        editors.into_iter().flatten().filter(|model| is_usable(model)).collect();
    // The plain id must go to the same model in whichever order the windows attached.
    models.sort_by_key(|model| model.vendor != "copilot");
    let mut entries: Vec<ModelEntry> = Vec::new();
    let mut vendors: HashMap<&str, HashSet<&str>> = HashMap::new();
    for model in models {
        let vendors = vendors.entry(&model.id).or_default();
        let id = if vendors.is_empty() { model.id.clone() } else { full_id(model) };
        if !vendors.insert(&model.vendor) {
            continue;
        }
        entries.push(ModelEntry { id, model: model.clone() });
    }
    entries
}

/// Finds the model that a name means; `None` for an unknown name. An absent name means `default_model`, else the first
/// chat model.
pub fn resolve<'a>(
    requested: Option<&str>,
    default_model: &str,
    models: &'a [ModelEntry],
) -> Option<&'a ModelEntry> {
    match requested.map(str::trim).filter(|requested| !requested.is_empty()) {
        Some(requested) => by_name(requested, models),
        None => {
            user_default(default_model, models).or_else(|| models.iter().find(|model| is_chat_model(model)))
        }
    }
}

/// Like `resolve`, for clients with fixed model names: an unknown name means the default model, else the most similar
/// one. Only an unknown embedding model gives `None`.
pub fn resolve_to_nearest<'a>(
    requested: Option<&str>,
    default_model: &str,
    models: &'a [ModelEntry],
) -> Option<&'a ModelEntry> {
    resolve(requested, default_model, models).or_else(|| {
        let requested = ModelName::parse(requested?);
        if requested.is_embedding() {
            return None;
        }
        user_default(default_model, models).or_else(|| most_similar(&requested, models))
    })
}

/// Finds model `auto` for a name that chooses its tier, such as `auto:efficiency`; the entry's id keeps the tier. `None`
/// for any other name.
pub fn with_tier(requested: Option<&str>, default_model: &str, models: &[ModelEntry]) -> Option<ModelEntry> {
    let requested = requested.filter(|requested| !requested.trim().is_empty());
    let (name, tier) = auto::split_tier(requested.unwrap_or(default_model))?;
    let entry = by_id(name, models).filter(|entry| auto::is_auto(&entry.model))?;
    Some(ModelEntry { id: format!("{}:{tier}", entry.id), model: entry.model.clone() })
}

/// Whether extensions can use a model. VS Code also lists models for its own features, which reject extensions or send
/// nothing.
fn is_usable(model: &ModelInfo) -> bool {
    model.max_input_tokens > 0
        && model.vendor != "copilotcli"
        && !model.id.starts_with("copilot-utility")
        && !model.id.contains("dictation")
}

fn is_chat_model(entry: &ModelEntry) -> bool {
    !ModelName::parse(&entry.model.id).is_embedding()
}

fn full_id(model: &ModelInfo) -> String {
    format!("{}/{}", model.vendor, model.id)
}

/// Finds the user's default model; `None` if it isn't set or not in the list.
fn user_default<'a>(default_model: &str, models: &'a [ModelEntry]) -> Option<&'a ModelEntry> {
    let default_model = default_model.trim();
    if default_model.is_empty() { None } else { by_name(default_model, models) }
}

/// Finds the model that a name means, by the most exact rule that gives one.
fn by_name<'a>(requested: &str, models: &'a [ModelEntry]) -> Option<&'a ModelEntry> {
    let without_tag = requested.strip_suffix(LATEST).unwrap_or(requested);
    by_id(requested, models)
        .or_else(|| by_id(without_tag, models))
        .or_else(|| by_family(without_tag, models))
        .or_else(|| by_words(without_tag, models))
}

fn by_id<'a>(requested: &str, models: &'a [ModelEntry]) -> Option<&'a ModelEntry> {
    let id = models.iter().find(|entry| entry.id.eq_ignore_ascii_case(requested));
    id.or_else(|| models.iter().find(|entry| full_id(&entry.model).eq_ignore_ascii_case(requested)))
}

/// Finds the newest model of a family.
fn by_family<'a>(requested: &str, models: &'a [ModelEntry]) -> Option<&'a ModelEntry> {
    // `auto` has the family of another model.
    let own_family = models.iter().filter(|entry| !auto::is_auto(&entry.model));
    let family = own_family.filter(|entry| entry.model.family.eq_ignore_ascii_case(requested));
    family.min_by_key(|entry| {
        let name = ModelName::parse(&entry.model.id);
        (Reverse(name.version), Reverse(name.date))
    })
}

/// Finds the model whose name has all requested words; the version decides only between such models.
fn by_words<'a>(requested: &str, models: &'a [ModelEntry]) -> Option<&'a ModelEntry> {
    let (vendor, requested) = split_vendor(requested, models);
    let requested = ModelName::parse(requested);
    if requested.words.is_empty() {
        return None;
    }
    let of_vendor = models.iter().filter(|entry| vendor.is_none_or(|vendor| entry.model.vendor == vendor));
    let candidates = of_vendor.flat_map(names_of).filter(|(_, candidate)| {
        candidate.is_embedding() == requested.is_embedding() && candidate.words.is_superset(&requested.words)
    });
    candidates
        .min_by_key(|(_, candidate)| {
            (
                // Fewest additional words first: `gpt-5` means `gpt-4.1` rather than `gpt-5-mini`.
                candidate.words.len() - requested.words.len(),
                distance(&requested.version, &candidate.version),
                Reverse(candidate.version.clone()),
                candidate.qualifiers.symmetric_difference(&requested.qualifiers).count(),
                candidate.size().distance(requested.size()),
                Reverse(candidate.date),
            )
        })
        .map(|(entry, _)| entry)
}

/// Finds the model with the most requested words, then the most similar size, then the newest.
fn most_similar<'a>(requested: &ModelName, models: &'a [ModelEntry]) -> Option<&'a ModelEntry> {
    let candidates = models.iter().flat_map(names_of).filter(|(_, candidate)| !candidate.is_embedding());
    candidates
        .min_by_key(|(_, candidate)| {
            (
                requested.words.difference(&candidate.words).count(),
                candidate.size().distance(requested.size()),
                candidate.words.difference(&requested.words).count(),
                Reverse(candidate.version.clone()),
                Reverse(candidate.date),
            )
        })
        .map(|(entry, _)| entry)
}

/// Splits `copilot/sonnet` into vendor and name. A word before the slash that is no vendor stays in the name.
fn split_vendor<'a>(requested: &'a str, models: &'a [ModelEntry]) -> (Option<&'a str>, &'a str) {
    let split = requested.split_once('/').and_then(|(word, name)| {
        let vendors = models.iter().map(|entry| entry.model.vendor.as_str());
        vendors.into_iter().find(|vendor| vendor.eq_ignore_ascii_case(word)).map(|vendor| (vendor, name))
    });
    split.map_or((None, requested), |(vendor, name)| (Some(vendor), name))
}

/// Parses id and family of a model; the family helps if the id is opaque, but that of `auto` is another model's.
fn names_of(entry: &ModelEntry) -> [(&ModelEntry, ModelName); 2] {
    let family = if auto::is_auto(&entry.model) { &entry.model.id } else { &entry.model.family };
    [(entry, ModelName::parse(&entry.model.id)), (entry, ModelName::parse(family))]
}

/// Distance of two versions as decimal numbers; 4.10 comes after 4.9 and before 5.
fn distance(requested: &[u32], candidate: &[u32]) -> u64 {
    let value = |version: &[u32]| {
        let mut numbers = version.iter().map(|number| u64::from(*number));
        numbers.next().map(|major| {
            let minor = numbers.next().unwrap_or(0);
            major * 1000 + if minor < 10 { minor * 100 } else { 900 + minor.min(99) }
        })
    };
    match (value(requested), value(candidate)) {
        (None, _) => 0,
        (Some(_), None) => u64::MAX,
        (Some(requested), Some(candidate)) => requested.abs_diff(candidate),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model(vendor: &str, id: &str, family: &str) -> Arc<ModelInfo> {
        Arc::new(ModelInfo {
            vendor: vendor.into(),
            id: id.into(),
            family: family.into(),
            max_input_tokens: 100_000,
            ..ModelInfo::default()
        })
    }

    fn copilot(ids: &[&str]) -> Vec<ModelEntry> {
        let models: Vec<Arc<ModelInfo>> = ids.iter().map(|id| model("copilot", id, id)).collect();
        merge_lists([models.as_slice()])
    }

    fn id(entry: Option<&ModelEntry>) -> Option<&str> {
        entry.map(|entry| entry.id.as_str())
    }

    const MODELS: [&str; 14] = [
        "auto",
        "gpt-4o",
        "gpt-4.1",
        "gpt-5",
        "gpt-5-mini",
        "gpt-5.1-codex",
        "gpt-5.1-codex-mini",
        "o4-mini",
        "claude-3.5-sonnet",
        "claude-sonnet-4",
        "claude-opus-4.6",
        "claude-haiku-4.5",
        "gemini-2.5-pro",
        "text-embedding-3-small",
    ];

    #[test]
    fn name_resolves_to_the_closest_match() {
        let models = copilot(&MODELS);
        for (requested, expected) in [
            // Exact, case-insensitive.
            ("gpt-4o", Some("gpt-4o")),
            ("Claude-Sonnet-4", Some("claude-sonnet-4")),
            ("copilot/gpt-5", Some("gpt-5")),
            ("text-embedding-3-small", Some("text-embedding-3-small")),
            // Parts of names, and names in other forms.
            ("claude", Some("claude-opus-4.6")),
            ("sonnet", Some("claude-sonnet-4")),
            ("claude-3.5-sonnet", Some("claude-3.5-sonnet")),
            ("copilot-claude-3.5-sonnet", Some("claude-3.5-sonnet")),
            ("claude-sonnet-4-20250514", Some("claude-sonnet-4")),
            ("claude-opus-4-6", Some("claude-opus-4.6")),
            ("claude-haiku-4-5-20251001[1m]", Some("claude-haiku-4.5")),
            // The tier has priority over the version.
            ("claude-3-haiku", Some("claude-haiku-4.5")),
            ("claude-opus-4", Some("claude-opus-4.6")),
            ("gpt-4o-mini", Some("gpt-5-mini")),
            ("gpt-5-codex", Some("gpt-5.1-codex")),
            ("codex-mini", Some("gpt-5.1-codex-mini")),
            // Then the nearest version, then the newest.
            ("claude-sonnet-4.5", Some("claude-sonnet-4")),
            ("claude-3-7-sonnet-latest", Some("claude-3.5-sonnet")),
            ("gpt-4", Some("gpt-4o")),
            ("gpt-4-1106-preview", Some("gpt-4o")),
            ("gpt-4.5", Some("gpt-4.1")),
            ("gpt-6", Some("gpt-5")),
            ("gpt", Some("gpt-5")),
            ("mini", Some("gpt-5-mini")),
            ("o3-mini", Some("o4-mini")),
            // Names in the forms of other gateways.
            ("anthropic/claude-sonnet-4.5", Some("claude-sonnet-4")),
            ("us.anthropic.claude-3-5-sonnet-20241022-v2:0", Some("claude-3.5-sonnet")),
            ("copilot/sonnet", Some("claude-sonnet-4")),
            ("models/gemini-1.5-pro", Some("gemini-2.5-pro")),
            ("gpt-4o:latest", Some("gpt-4o")),
            ("copilot/auto:latest", Some("auto")),
            // Unknown.
            ("gpt-5-nano", None),
            ("gpt-nope", None),
            ("gemini-2.5-flash", None),
            ("llama3", None),
            ("4.5", None),
            ("-", None),
            // Embedding models and chat models don't replace each other.
            ("text-embedding-ada-002", None),
            ("gpt-embedding", None),
            ("small", None),
        ] {
            assert_eq!(id(resolve(Some(requested), "", &models)), expected, "{requested}");
        }
    }

    #[test]
    fn newer_version_wins_at_equal_distance() {
        let models = copilot(&["claude-sonnet-3", "claude-sonnet-4"]);
        assert_eq!(id(resolve(Some("claude-3.5-sonnet"), "", &models)), Some("claude-sonnet-4"));
    }

    #[test]
    fn minor_version_10_is_newer_than_9() {
        let models = copilot(&["gpt-5.9", "gpt-5.10", "gpt-5.2"]);
        assert_eq!(id(resolve(Some("gpt"), "", &models)), Some("gpt-5.10"));
        assert_eq!(id(resolve(Some("gpt-6"), "", &models)), Some("gpt-5.10"));
    }

    #[test]
    fn qualifiers_decide_only_between_equal_names() {
        let models = copilot(&["claude-opus-4.6", "claude-opus-4.6-1m", "claude-opus-4.5-1m"]);
        assert_eq!(id(resolve(Some("claude-opus-4-6[1m]"), "", &models)), Some("claude-opus-4.6-1m"));
        assert_eq!(id(resolve(Some("claude-opus-4-6"), "", &models)), Some("claude-opus-4.6"));
        let models = copilot(&["claude-haiku-4.6", "claude-opus-4.6", "claude-sonnet-4.6"]);
        assert_eq!(id(resolve(Some("claude"), "", &models)), Some("claude-sonnet-4.6"));
    }

    #[test]
    fn family_is_found_if_the_id_is_opaque() {
        let models = [
            model("other", "7f3a", "llama-3.1"),
            model("other", "gpt-4o-2024-05-13", "gpt-4o"),
            model("other", "gpt-4o-2024-11-20", "gpt-4o"),
        ];
        let models = merge_lists([models.as_slice()]);
        assert_eq!(id(resolve(Some("llama-3.1"), "", &models)), Some("7f3a"));
        assert_eq!(id(resolve(Some("llama"), "", &models)), Some("7f3a"));
        assert_eq!(id(resolve(Some("7f3a:latest"), "", &models)), Some("7f3a"));
        assert_eq!(id(resolve(Some("llama-3.1:latest"), "", &models)), Some("7f3a"));
        assert_eq!(id(resolve(Some("gpt-4o"), "", &models)), Some("gpt-4o-2024-11-20"));
    }

    #[test]
    fn missing_name_means_the_default_model_else_copilots_first() {
        let models = [
            model("other", "llama-3.1", "llama"),
            model("copilot", "text-embedding-3-small", "text-embedding"),
            model("copilot", "gpt-4o", "gpt-4o"),
            model("copilot", "claude-sonnet-4", "claude-sonnet-4"),
        ];
        let models = merge_lists([models.as_slice()]);
        for (requested, default_model, expected) in [
            (None, "", "gpt-4o"),
            (Some(" "), "", "gpt-4o"),
            (None, "sonnet", "claude-sonnet-4"),
            (None, "other/llama-3.1", "llama-3.1"),
            (None, "gone", "gpt-4o"),
            (Some("gpt-4o"), "sonnet", "gpt-4o"),
        ] {
            assert_eq!(
                id(resolve(requested, default_model, &models)),
                Some(expected),
                "{requested:?} {default_model}"
            );
        }
        let others = merge_lists([[model("other", "llama-3.1", "llama")].as_slice()]);
        assert_eq!(id(resolve(None, "", &others)), Some("llama-3.1"));
        assert_eq!(resolve(None, "sonnet", &[]), None);
    }

    #[test]
    fn unknown_name_resolves_to_the_default_else_the_most_similar() {
        let models = copilot(&MODELS);
        let gpt = copilot(&["gpt-4o", "gpt-5-mini", "gpt-5", "gpt-5.1-codex"]);
        let no_opus = copilot(&["gpt-5", "claude-haiku-4.5", "claude-sonnet-4", "claude-sonnet-4.5"]);
        for (requested, default_model, models, expected) in [
            ("claude-sonnet-4-5", "", &models, Some("claude-sonnet-4")),
            ("claude-sonnet-4-5", "gpt-5", &models, Some("claude-sonnet-4")),
            ("gemini-2.5-flash", "gpt-4.1", &models, Some("gpt-4.1")),
            ("claude-opus-4-6", "gone", &no_opus, Some("claude-sonnet-4.5")),
            ("claude-opus-4-6", "", &gpt, Some("gpt-5")),
            ("claude-sonnet-4", "", &gpt, Some("gpt-5")),
            ("claude-haiku-4-5-20251001", "", &gpt, Some("gpt-5-mini")),
            ("whatever", "", &gpt, Some("gpt-5")),
            ("voyage-embed-2", "gpt-5", &gpt, None),
        ] {
            assert_eq!(
                id(resolve_to_nearest(Some(requested), default_model, models)),
                expected,
                "{requested}"
            );
        }
        assert_eq!(resolve_to_nearest(Some("claude"), "", &[]), None);
    }

    #[test]
    fn lists_of_all_windows_are_merged_and_equal_ids_get_a_vendor() {
        let first = [model("other", "gpt-4o", "a"), model("copilot", "gpt-4o", "a")];
        let second =
            [model("copilot", "gpt-4o", "b"), model("third", "gpt-4o", "a"), model("third", "llama", "a")];
        let models = merge_lists([first.as_slice(), second.as_slice()]);
        let ids: Vec<(&str, &str)> =
            models.iter().map(|entry| (entry.id.as_str(), entry.model.vendor.as_str())).collect();
        let expected =
            [("gpt-4o", "copilot"), ("other/gpt-4o", "other"), ("third/gpt-4o", "third"), ("llama", "third")];
        assert_eq!(ids, expected);
        for entry in &models {
            assert_eq!(resolve(Some(&entry.id), "", &models), Some(entry));
            assert_eq!(resolve(Some(&full_id(&entry.model)), "", &models), Some(entry));
        }
    }

    #[test]
    fn auto_is_found_by_its_id_alone() {
        let models = [model("copilot", "auto", "gpt-5-mini"), model("copilot", "gpt-4o", "gpt-4o")];
        let models = merge_lists([models.as_slice()]);
        assert_eq!(id(resolve(Some("auto"), "", &models)), Some("auto"));
        assert_eq!(id(resolve(Some("gpt-5-mini"), "", &models)), None);
        assert_eq!(id(resolve_to_nearest(Some("gpt-5-mini"), "", &models)), Some("gpt-4o"));
    }

    #[test]
    fn tier_is_kept_in_the_id_of_auto() {
        let models = [model("copilot", "auto", "auto"), model("copilot", "gpt-4o", "gpt-4o")];
        let models = merge_lists([models.as_slice()]);
        for (requested, default_model, expected) in [
            (Some("auto:Efficiency"), "", Some("auto:efficiency")),
            (Some("copilot/auto:balance"), "", Some("auto:balance")),
            (None, "auto:intelligence", Some("auto:intelligence")),
            (Some("gpt-4o"), "auto:balance", None),
            (Some("gpt-4o:balance"), "", None),
            (Some("auto"), "", None),
        ] {
            let found = with_tier(requested, default_model, &models);
            assert_eq!(id(found.as_ref()), expected, "{requested:?}");
            assert!(found.is_none_or(|entry| entry.model.id == "auto"));
        }
        assert_eq!(with_tier(Some("auto:balance"), "", &models[1..]), None);
    }

    #[test]
    fn models_that_extensions_cannot_use_are_not_listed() {
        let mut silent = model("copilot", "gpt-9", "gpt-9");
        Arc::make_mut(&mut silent).max_input_tokens = 0;
        let models = [
            model("copilotcli", "auto", "auto"),
            model("copilot", "copilot-utility", "x"),
            model("copilot", "copilot-utility-small", "x"),
            model("copilot", "copilot-dictation-cleanup-nano", "x"),
            silent,
            model("copilot", "auto", "auto"),
        ];
        assert_eq!(
            merge_lists([models.as_slice()]),
            [ModelEntry { id: "auto".into(), model: models[5].clone() }]
        );
    }

    proptest::proptest! {
        #[test]
        fn every_listed_id_resolves_to_its_model(ids in proptest::collection::vec("[a-z]{1,3}(-[0-9]){0,2}", 1..6)) {
            let models: Vec<Arc<ModelInfo>> =
                ids.iter().enumerate().map(|(at, id)| model(["a", "b"][at % 2], id, id)).collect();
            let models = merge_lists([models.as_slice()]);
            for entry in &models {
                proptest::prop_assert_eq!(resolve(Some(&entry.id), "", &models), Some(entry));
            }
        }
    }
}
