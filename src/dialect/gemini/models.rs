//! Models in Google's form: `GET /v1beta/models` and `GET /v1beta/models/{id}`.

use serde_json::{Map, Value, json};

/// Facts about a model.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Model {
    /// Name in requests.
    pub id: String,
    /// Name for people.
    pub name: String,
    /// VS Code's vendor of the model.
    pub vendor: String,
    /// Version; opaque.
    pub version: String,
    /// Maximum input, in tokens.
    pub max_input_tokens: u64,
    /// Maximum output, in tokens; absent where the editor doesn't reveal it.
    pub max_output_tokens: Option<u64>,
}

/// Page of the list. Without a size it is the whole list: it is short.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Page {
    /// At most this many.
    #[serde(alias = "page_size")]
    pub page_size: Option<usize>,
    /// `nextPageToken` of the page before it: the id of its last model.
    #[serde(alias = "page_token")]
    pub page_token: Option<String>,
}

/// The id in a resource name: `models/gemini-2.5-pro`. Some clients write the prefix twice, or send the id alone.
pub fn id(name: &str) -> &str {
    name.trim_start_matches("models/")
}

/// The list, or a page of it.
pub fn list(models: &[Model], page: &Page) -> Value {
    let token = page.page_token.as_ref().filter(|token| !token.is_empty());
    let from =
        token.and_then(|id| models.iter().position(|model| model.id == *id)).map_or(0, |last| last + 1);
    let wanted = models.get(from..).unwrap_or_default();
    let size = page.page_size.filter(|size| *size > 0).unwrap_or(wanted.len()).min(wanted.len());
    let (shown, more) = wanted.split_at(size);
    let mut list = Map::new();
    list.insert("models".into(), shown.iter().map(item).collect());
    if let (Some(last), false) = (shown.last(), more.is_empty()) {
        list.insert("nextPageToken".into(), last.id.as_str().into());
    }
    Value::Object(list)
}

/// A model as an item of the list.
pub fn item(model: &Model) -> Value {
    let mut item = json!({
        "name": format!("models/{}", model.id),
        "baseModelId": model.id,
        "version": model.version,
        "displayName": model.name,
        "description": format!("{} of {} through VS Code", model.name, model.vendor),
        "inputTokenLimit": model.max_input_tokens,
        "supportedGenerationMethods": ["generateContent", "streamGenerateContent", "countTokens"],
        // Whether a model thinks is unknown.
        "thinking": true,
        "temperature": 1.0,
        "maxTemperature": 2.0,
    });
    if let (Some(limit), Some(item)) = (model.max_output_tokens, item.as_object_mut()) {
        item.insert("outputTokenLimit".into(), limit.into());
    }
    item
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model(id: &str) -> Model {
        Model { id: id.into(), name: id.to_uppercase(), max_input_tokens: 200_000, ..Model::default() }
    }

    #[test]
    fn pages_follow_each_other() {
        let models = ["a", "b", "c"].map(model);
        for (size, token, ids, next) in [
            (None, None, vec!["a", "b", "c"], None),
            (Some(2), None, vec!["a", "b"], Some("b")),
            (Some(2), Some("b"), vec!["c"], None),
            (Some(9), Some("unknown"), vec!["a", "b", "c"], None),
            (Some(1), Some("c"), vec![], None),
        ] {
            let list = list(&models, &Page { page_size: size, page_token: token.map(str::to_owned) });
            let items: Vec<Value> = ids.iter().map(|id| item(&model(id))).collect();
            assert_eq!((&list["models"], list["nextPageToken"].as_str()), (&json!(items), next));
        }
    }
}
