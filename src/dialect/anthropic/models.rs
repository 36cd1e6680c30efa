//! Models in Anthropic's form: `GET /v1/models` and `GET /v1/models/{id}` of clients that send
//! `anthropic-version`.

use serde_json::{Value, json};

/// Facts about a model.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Model {
    /// Name in requests.
    pub id: String,
    /// Name for people.
    pub name: String,
    /// Maximum input, in tokens.
    pub max_input_tokens: u64,
    /// Maximum output, in tokens; absent where the editor doesn't reveal it.
    pub max_output_tokens: Option<u64>,
    /// Whether it accepts images.
    pub images: bool,
    /// Whether it can call tools.
    pub tools: bool,
    /// Family, such as `claude-sonnet-4.5`.
    pub family: String,
}

/// Page of the list. Without a limit it is the whole list: it is short.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(default)]
pub struct Page {
    /// At most this many.
    pub limit: Option<usize>,
    /// Only those after this one.
    pub after_id: Option<String>,
    /// Only those before this one, the nearest.
    pub before_id: Option<String>,
}

/// The list, or a page of it.
pub fn list(models: &[Model], page: &Page) -> Value {
    let place =
        |id: &Option<String>| id.as_ref().and_then(|id| models.iter().position(|model| model.id == *id));
    let from = place(&page.after_id).map_or(0, |position| position + 1);
    let to = place(&page.before_id).unwrap_or(models.len());
    let wanted = models.get(from..to).unwrap_or_default();
    let limit = page.limit.unwrap_or(wanted.len()).min(wanted.len());
    let backwards = page.before_id.is_some();
    let (shown, more) = if backwards {
        let (more, shown) = wanted.split_at(wanted.len() - limit);
        (shown, more)
    } else {
        wanted.split_at(limit)
    };
    json!({
        "data": shown.iter().map(item).collect::<Vec<_>>(),
        "has_more": !more.is_empty(),
        "first_id": shown.first().map(|model| &model.id),
        "last_id": shown.last().map(|model| &model.id),
    })
}

/// A model as an item of the list.
pub fn item(model: &Model) -> Value {
    json!({
        "type": "model",
        "id": model.id,
        "display_name": model.name,
        // The API's value for an unknown date.
        "created_at": "1970-01-01T00:00:00Z",
        "lifecycle": "active",
        "deprecated_at": null,
        "max_input_tokens": model.max_input_tokens,
        "max_tokens": model.max_output_tokens,
        "capabilities": capabilities(model),
    })
}

/// Capabilities of a model through this server.
fn capabilities(model: &Model) -> Value {
    let yes = || json!({ "supported": true });
    let no = || json!({ "supported": false });
    json!({
        "batch": no(),
        "citations": no(),
        "code_execution": no(),
        "context_management": {
            "supported": true,
            "clear_thinking_20251015": yes(),
            "clear_tool_uses_20250919": yes(),
            "compact_20260112": yes(),
        },
        "image_input": { "supported": model.images },
        "pdf_input": no(),
        "server_tools": { "supported": false, "code_execution": no(), "web_search": no() },
        // The schema travels as a tool.
        "structured_outputs": { "supported": model.tools },
        "thinking": {
            "supported": true,
            "types": {
                "adaptive": yes(),
                "between_tools": yes(),
                "disabled": yes(),
                "enabled": yes(),
            },
        },
        "effort": effort(model),
    })
}

/// Levels of effort. The editor doesn't reveal those of a model. Claude's service and OpenAI's Responses API take three of
/// them for every model that has any. The API's form wants all levels of all models, so unknown ones are not supported.
fn effort(model: &Model) -> Value {
    let family = model.family.to_lowercase();
    let is_known = family.contains("claude") || family.starts_with("gpt-5");
    let known = json!({ "supported": is_known });
    let no = json!({ "supported": false });
    json!({
        "supported": is_known, "low": known, "medium": known, "high": known, "max": no, "xhigh": no,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model(id: &str) -> Model {
        Model { id: id.into(), name: id.to_uppercase(), max_input_tokens: 200_000, ..Model::default() }
    }

    fn check(page: &Page, ids: &[&str], has_more: bool) {
        let list = list(&["a", "b", "c", "d"].map(model), page);
        let data: Vec<Value> = ids.iter().map(|id| item(&model(id))).collect();
        assert_eq!(
            list,
            json!({ "data": data, "has_more": has_more, "first_id": ids.first(), "last_id": ids.last() }),
            "{page:?}"
        );
    }

    #[test]
    fn model_has_all_fields_of_the_newest_sdks() {
        let model = Model {
            images: true,
            tools: true,
            max_output_tokens: Some(64_000),
            family: "claude".into(),
            ..model("claude")
        };
        let no = json!({ "supported": false });
        let yes = json!({ "supported": true });
        assert_eq!(
            item(&model),
            json!({
                "type": "model",
                "id": "claude",
                "display_name": "CLAUDE",
                "created_at": "1970-01-01T00:00:00Z",
                "lifecycle": "active",
                "deprecated_at": null,
                "max_input_tokens": 200_000,
                "max_tokens": 64_000,
                "capabilities": {
                    "batch": no, "citations": no, "code_execution": no,
                    "context_management": {
                        "supported": true, "clear_thinking_20251015": yes, "clear_tool_uses_20250919": yes,
                        "compact_20260112": yes,
                    },
                    "image_input": yes, "pdf_input": no,
                    "server_tools": { "supported": false, "code_execution": no, "web_search": no },
                    "structured_outputs": yes,
                    "thinking": {
                        "supported": true,
                        "types": { "adaptive": yes, "between_tools": yes, "disabled": yes, "enabled": yes },
                    },
                    "effort": {
                        "supported": true, "low": yes, "medium": yes, "high": yes, "max": no, "xhigh": no,
                    },
                },
            })
        );
    }

    #[test]
    fn effort_is_unsupported_if_the_levels_are_unknown() {
        for (family, is_told) in
            [("claude-haiku-4.5", true), ("gpt-5-codex", true), ("gpt-4o", false), ("gemini-2.5-pro", false)]
        {
            let model = Model { family: family.into(), ..model("m") };
            let effort = &item(&model)["capabilities"]["effort"];
            assert_eq!(
                (&effort["supported"], &effort["low"]["supported"]),
                (&json!(is_told), &json!(is_told)),
                "{family}"
            );
        }
    }

    #[test]
    fn list_is_returned_whole_or_in_pages() {
        let after = |id: &str| Some(id.to_owned());
        check(&Page::default(), &["a", "b", "c", "d"], false);
        check(&Page { limit: Some(1000), ..Page::default() }, &["a", "b", "c", "d"], false);
        check(&Page { limit: Some(3), ..Page::default() }, &["a", "b", "c"], true);
        check(&Page { limit: Some(3), after_id: after("c"), ..Page::default() }, &["d"], false);
        check(&Page { after_id: after("d"), ..Page::default() }, &[], false);
        check(&Page { limit: Some(2), before_id: after("d"), ..Page::default() }, &["b", "c"], true);
        check(&Page { limit: Some(2), before_id: after("b"), ..Page::default() }, &["a"], false);
        check(&Page { before_id: after("a"), after_id: after("d"), ..Page::default() }, &[], false);
    }

    #[test]
    fn empty_list_has_null_ids() {
        assert_eq!(
            list(&[], &Page::default()),
            json!({ "data": [], "has_more": false, "first_id": null, "last_id": null })
        );
    }
}
