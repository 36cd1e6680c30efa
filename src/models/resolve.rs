//! Resolves the name that a client wrote to one of the models that the editors offer. Pure.
//!
//! No model's name stands here: names age. What is matched is their structure (`structure.rs`).

use std::cmp::Reverse;
use std::sync::Arc;

use crate::bridge::protocol::ModelInfo;

use super::structure::Structure;

/// The tag that Ollama's clients add to a name without one.
const LATEST: &str = ":latest";

/// A model as clients see it.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelEntry {
    /// The editor's id, or `vendor/id` where an earlier vendor has the same one.
    pub id: String,
    /// The editor's description of it.
    pub model: Arc<ModelInfo>,
}

/// The models of all editors in one list, Copilot's first, without those that can't answer an extension.
pub fn merge_lists<'a>(editors: impl IntoIterator<Item = &'a [Arc<ModelInfo>]>) -> Vec<ModelEntry> {
    let mut models: Vec<&Arc<ModelInfo>> =
        editors.into_iter().flatten().filter(|model| answers(model)).collect();
    // The same list every time, whichever window came first: who has the plain id must not change.
    models.sort_by_key(|model| model.vendor != "copilot");
    let mut listed: Vec<ModelEntry> = Vec::new();
    for model in models {
        let same_id = |other: &&ModelEntry| other.model.id == model.id;
        if listed.iter().filter(same_id).any(|other| other.model.vendor == model.vendor) {
            continue;
        }
        let id = if listed.iter().any(|other| same_id(&other)) { full_id(model) } else { model.id.clone() };
        listed.push(ModelEntry { id, model: model.clone() });
    }
    listed
}

/// The model that is meant, or none: an unknown name. `asked` absent means `default_model`, else the first.
pub fn resolve<'a>(
    asked: Option<&str>,
    default_model: &str,
    models: &'a [ModelEntry],
) -> Option<&'a ModelEntry> {
    match asked.map(str::trim).filter(|asked| !asked.is_empty()) {
        Some(asked) => named(asked, models),
        None => default(default_model, models).or_else(|| models.iter().find(|model| chats(model))),
    }
}

/// As `resolve`, for clients that send names of their own whatever there is: an unknown name means the default
/// model, else the best of the nearest kind. Only a name of an embedding model finds none.
pub fn resolve_to_nearest<'a>(
    asked: Option<&str>,
    default_model: &str,
    models: &'a [ModelEntry],
) -> Option<&'a ModelEntry> {
    resolve(asked, default_model, models).or_else(|| {
        let asked = Structure::of(asked?);
        if asked.is_embedding() {
            return None;
        }
        default(default_model, models).or_else(|| nearest_kind(&asked, models))
    })
}

/// Utilities of the editor itself are offered to extensions too, and refuse them or say nothing.
fn answers(model: &ModelInfo) -> bool {
    model.max_input_tokens > 0
        && model.vendor != "copilotcli"
        && !model.id.starts_with("copilot-utility")
        && !model.id.contains("dictation")
}

fn chats(listed: &ModelEntry) -> bool {
    !Structure::of(&listed.model.id).is_embedding()
}

fn full_id(model: &ModelInfo) -> String {
    format!("{}/{}", model.vendor, model.id)
}

fn default<'a>(default_model: &str, models: &'a [ModelEntry]) -> Option<&'a ModelEntry> {
    let default_model = default_model.trim();
    if default_model.is_empty() { None } else { named(default_model, models) }
}

fn named<'a>(asked: &str, models: &'a [ModelEntry]) -> Option<&'a ModelEntry> {
    let asked_plainly = asked.strip_suffix(LATEST).unwrap_or(asked);
    by_id(asked, models)
        .or_else(|| by_id(asked_plainly, models))
        .or_else(|| by_family(asked_plainly, models))
        .or_else(|| by_structure(asked_plainly, models))
}

fn by_id<'a>(asked: &str, models: &'a [ModelEntry]) -> Option<&'a ModelEntry> {
    let id = models.iter().find(|listed| listed.id.eq_ignore_ascii_case(asked));
    id.or_else(|| models.iter().find(|listed| full_id(&listed.model).eq_ignore_ascii_case(asked)))
}

/// Of several models of a family the newest.
fn by_family<'a>(asked: &str, models: &'a [ModelEntry]) -> Option<&'a ModelEntry> {
    let family = models.iter().filter(|listed| listed.model.family.eq_ignore_ascii_case(asked));
    family.min_by_key(|listed| {
        let structure = Structure::of(&listed.model.id);
        (Reverse(structure.version), Reverse(structure.date))
    })
}

/// A model whose name has all the words asked for; the version only chooses among these.
fn by_structure<'a>(asked: &str, models: &'a [ModelEntry]) -> Option<&'a ModelEntry> {
    let (vendor, asked) = vendor_of(asked, models);
    let asked = Structure::of(asked);
    if asked.words.is_empty() {
        return None;
    }
    let of_vendor = models.iter().filter(|listed| vendor.is_none_or(|vendor| listed.model.vendor == vendor));
    let known = of_vendor.flat_map(structures).filter(|(_, known)| {
        known.is_embedding() == asked.is_embedding() && known.words.is_superset(&asked.words)
    });
    known
        .min_by_key(|(_, known)| {
            (
                // `gpt-5` means `gpt-4.1` rather than `gpt-5-mini`: what is not said is not meant.
                known.words.len() - asked.words.len(),
                distance(&asked.version, &known.version),
                Reverse(known.version.clone()),
                known.asides.symmetric_difference(&asked.asides).count(),
                known.size().distance(asked.size()),
                Reverse(known.date),
            )
        })
        .map(|(listed, _)| listed)
}

/// The model that shares most words, else is most alike in size; of these the newest.
fn nearest_kind<'a>(asked: &Structure, models: &'a [ModelEntry]) -> Option<&'a ModelEntry> {
    let known = models.iter().flat_map(structures).filter(|(_, known)| !known.is_embedding());
    known
        .min_by_key(|(_, known)| {
            (
                asked.words.difference(&known.words).count(),
                known.size().distance(asked.size()),
                known.words.difference(&asked.words).count(),
                Reverse(known.version.clone()),
                Reverse(known.date),
            )
        })
        .map(|(listed, _)| listed)
}

/// `copilot/sonnet` is a sonnet of that vendor; a word before the slash that is no vendor's is left to `Structure`.
fn vendor_of<'a>(asked: &'a str, models: &'a [ModelEntry]) -> (Option<&'a str>, &'a str) {
    let split = asked.split_once('/').and_then(|(word, name)| {
        let vendors = models.iter().map(|listed| listed.model.vendor.as_str());
        vendors.into_iter().find(|vendor| vendor.eq_ignore_ascii_case(word)).map(|vendor| (vendor, name))
    });
    split.map_or((None, asked), |(vendor, name)| (Some(vendor), name))
}

/// For vendors whose ids are opaque: resolves by family.
fn structures(listed: &ModelEntry) -> [(&ModelEntry, Structure); 2] {
    [(listed, Structure::of(&listed.model.id)), (listed, Structure::of(&listed.model.family))]
}

/// Distance of two versions, read as decimal numbers; 4.10 comes after 4.9 and before 5.
fn distance(asked: &[u32], known: &[u32]) -> u64 {
    let value = |version: &[u32]| {
        let mut numbers = version.iter().map(|number| u64::from(*number));
        numbers.next().map(|major| {
            let minor = numbers.next().unwrap_or(0);
            major * 1000 + if minor < 10 { minor * 100 } else { 900 + minor.min(99) }
        })
    };
    match (value(asked), value(known)) {
        (None, _) => 0,
        (Some(_), None) => u64::MAX,
        (Some(asked), Some(known)) => asked.abs_diff(known),
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

    fn id(listed: Option<&ModelEntry>) -> Option<&str> {
        listed.map(|listed| listed.id.as_str())
    }

    const OFFERED: [&str; 14] = [
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
    fn a_name_finds_what_a_person_means() {
        let models = copilot(&OFFERED);
        for (asked, wanted) in [
            // Exact, in any case.
            ("gpt-4o", Some("gpt-4o")),
            ("Claude-Sonnet-4", Some("claude-sonnet-4")),
            ("copilot/gpt-5", Some("gpt-5")),
            ("text-embedding-3-small", Some("text-embedding-3-small")),
            // The contract's examples.
            ("claude", Some("claude-opus-4.6")),
            ("sonnet", Some("claude-sonnet-4")),
            ("claude-3.5-sonnet", Some("claude-3.5-sonnet")),
            ("copilot-claude-3.5-sonnet", Some("claude-3.5-sonnet")),
            ("claude-sonnet-4-20250514", Some("claude-sonnet-4")),
            ("claude-opus-4-6", Some("claude-opus-4.6")),
            ("claude-haiku-4-5-20251001[1m]", Some("claude-haiku-4.5")),
            // The tier outranks the version.
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
            // Names as other gateways write them.
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
            // Embeddings and chats don't stand in for each other.
            ("text-embedding-ada-002", None),
            ("gpt-embedding", None),
            ("small", None),
        ] {
            assert_eq!(id(resolve(Some(asked), "", &models)), wanted, "{asked}");
        }
    }

    #[test]
    fn at_equal_distance_the_newer_version_wins() {
        let models = copilot(&["claude-sonnet-3", "claude-sonnet-4"]);
        assert_eq!(id(resolve(Some("claude-3.5-sonnet"), "", &models)), Some("claude-sonnet-4"));
    }

    #[test]
    fn a_tenth_minor_version_is_newer_than_a_ninth() {
        let models = copilot(&["gpt-5.9", "gpt-5.10", "gpt-5.2"]);
        assert_eq!(id(resolve(Some("gpt"), "", &models)), Some("gpt-5.10"));
        assert_eq!(id(resolve(Some("gpt-6"), "", &models)), Some("gpt-5.10"));
    }

    #[test]
    fn asides_decide_only_among_equals() {
        let models = copilot(&["claude-opus-4.6", "claude-opus-4.6-1m", "claude-opus-4.5-1m"]);
        assert_eq!(id(resolve(Some("claude-opus-4-6[1m]"), "", &models)), Some("claude-opus-4.6-1m"));
        assert_eq!(id(resolve(Some("claude-opus-4-6"), "", &models)), Some("claude-opus-4.6"));
        let models = copilot(&["claude-haiku-4.6", "claude-opus-4.6", "claude-sonnet-4.6"]);
        assert_eq!(id(resolve(Some("claude"), "", &models)), Some("claude-sonnet-4.6"));
    }

    #[test]
    fn a_family_is_found_where_the_id_is_opaque() {
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
    fn no_name_means_the_default_model_else_copilots_first() {
        let models = [
            model("other", "llama-3.1", "llama"),
            model("copilot", "text-embedding-3-small", "text-embedding"),
            model("copilot", "gpt-4o", "gpt-4o"),
            model("copilot", "claude-sonnet-4", "claude-sonnet-4"),
        ];
        let models = merge_lists([models.as_slice()]);
        for (asked, default_model, wanted) in [
            (None, "", "gpt-4o"),
            (Some(" "), "", "gpt-4o"),
            (None, "sonnet", "claude-sonnet-4"),
            (None, "other/llama-3.1", "llama-3.1"),
            (None, "gone", "gpt-4o"),
            (Some("gpt-4o"), "sonnet", "gpt-4o"),
        ] {
            assert_eq!(id(resolve(asked, default_model, &models)), Some(wanted), "{asked:?} {default_model}");
        }
        let others = merge_lists([[model("other", "llama-3.1", "llama")].as_slice()]);
        assert_eq!(id(resolve(None, "", &others)), Some("llama-3.1"));
        assert_eq!(resolve(None, "sonnet", &[]), None);
    }

    #[test]
    fn leniently_an_unknown_name_means_the_default_else_the_nearest_kind() {
        let models = copilot(&OFFERED);
        let gpt = copilot(&["gpt-4o", "gpt-5-mini", "gpt-5", "gpt-5.1-codex"]);
        let no_opus = copilot(&["gpt-5", "claude-haiku-4.5", "claude-sonnet-4", "claude-sonnet-4.5"]);
        for (asked, default_model, models, wanted) in [
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
            assert_eq!(id(resolve_to_nearest(Some(asked), default_model, models)), wanted, "{asked}");
        }
        assert_eq!(resolve_to_nearest(Some("claude"), "", &[]), None);
    }

    #[test]
    fn the_windows_lists_are_united_and_shared_ids_told_apart() {
        let first = [model("other", "gpt-4o", "a"), model("copilot", "gpt-4o", "a")];
        let second =
            [model("copilot", "gpt-4o", "b"), model("third", "gpt-4o", "a"), model("third", "llama", "a")];
        let models = merge_lists([first.as_slice(), second.as_slice()]);
        let ids: Vec<(&str, &str)> =
            models.iter().map(|listed| (listed.id.as_str(), listed.model.vendor.as_str())).collect();
        let wanted =
            [("gpt-4o", "copilot"), ("other/gpt-4o", "other"), ("third/gpt-4o", "third"), ("llama", "third")];
        assert_eq!(ids, wanted);
        for listed in &models {
            assert_eq!(resolve(Some(&listed.id), "", &models), Some(listed));
            assert_eq!(resolve(Some(&full_id(&listed.model)), "", &models), Some(listed));
        }
    }

    #[test]
    fn models_that_cannot_answer_an_extension_are_not_listed() {
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
        fn every_listed_id_finds_its_model(ids in proptest::collection::vec("[a-z]{1,3}(-[0-9]){0,2}", 1..6)) {
            let models: Vec<Arc<ModelInfo>> =
                ids.iter().enumerate().map(|(at, id)| model(["a", "b"][at % 2], id, id)).collect();
            let models = merge_lists([models.as_slice()]);
            for listed in &models {
                proptest::prop_assert_eq!(resolve(Some(&listed.id), "", &models), Some(listed));
            }
        }
    }
}
