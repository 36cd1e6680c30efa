//! Models in OpenAI's form: `GET /v1/models` and `GET /v1/models/{id}`. Both directions are here: the server writes it,
//! the commands of this program read it.

use serde_json::{Map, Value, json};

/// A model as OpenAI's clients see it, with the properties that VS Code reveals beside OpenAI's own.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Model {
    /// Name in requests.
    pub id: String,
    /// Seconds since 1970.
    pub created: u64,
    /// VS Code's vendor of the model, such as `copilot`; `owned_by` in JSON.
    pub vendor: String,
    /// Name for people.
    pub name: String,
    /// Family, such as `claude-sonnet-4.5`.
    pub family: String,
    /// Version; opaque.
    pub version: String,
    /// Limit of the input, in tokens.
    pub max_input_tokens: u64,
    /// Whether it can call tools; `None` if the editor doesn't reveal it.
    pub tools: Option<bool>,
    /// Whether it accepts images; `None` if the editor doesn't reveal it.
    pub images: Option<bool>,
    /// Further properties of price and limits; they never replace the ones above.
    pub extra: Map<String, Value>,
}

impl Model {
    /// Writes the JSON of one model.
    pub fn to_json(&self) -> Value {
        let mut fields = self.extra.clone();
        fields.retain(|name, _| !FIELDS.contains(&name.as_str()));
        let mut model = json!({
            "id": self.id,
            "object": "model",
            "created": self.created,
            "owned_by": self.vendor,
            "name": self.name,
            "family": self.family,
            "version": self.version,
            "maxInputTokens": self.max_input_tokens,
            "capabilities": { "toolCalling": self.tools, "imageInput": self.images },
        });
        if let Some(model) = model.as_object_mut() {
            if self.max_input_tokens > 0 {
                model.extend(CONTEXT_LENGTHS.map(|name| (name.to_owned(), json!(self.max_input_tokens))));
            }
            if let Some(pricing) = pricing(&self.extra) {
                model.insert("copilot_pricing".into(), pricing);
            }
            model.extend(fields);
        }
        model
    }

    /// Reads the JSON of one model. Absent properties are empty; without an id it is no model.
    pub fn from_json(json: Value) -> Option<Model> {
        let Value::Object(mut fields) = json else { return None };
        let capabilities = fields.get("capabilities").cloned().unwrap_or_default();
        let capability = |name: &str| capabilities.get(name).and_then(Value::as_bool);
        let number = |name: &str| fields.get(name).and_then(Value::as_u64).unwrap_or_default();
        let text = |name: &str| fields.get(name).and_then(Value::as_str).map(str::to_owned);
        let mut model = Model {
            id: text("id")?,
            created: number("created"),
            vendor: text("owned_by").unwrap_or_default(),
            name: text("name").unwrap_or_default(),
            family: text("family").unwrap_or_default(),
            version: text("version").unwrap_or_default(),
            max_input_tokens: number("maxInputTokens"),
            tools: capability("toolCalling"),
            images: capability("imageInput"),
            extra: Map::new(),
        };
        fields.retain(|name, _| !FIELDS.contains(&name.as_str()));
        model.extra = fields;
        Some(model)
    }
}

/// Fields that `extra` can't hold.
const FIELDS: [&str; 13] = [
    "id",
    "object",
    "created",
    "owned_by",
    "name",
    "family",
    "version",
    "maxInputTokens",
    "capabilities",
    "copilot_pricing",
    "context_length",
    "context_window",
    "max_model_len",
];

/// Names under which clients look for the size of the context: `OpenRouter`'s, a common one, and vLLM's. The editor
/// reveals the limit of the input; it is what a client may send.
const CONTEXT_LENGTHS: [&str; 3] = ["context_length", "context_window", "max_model_len"];

/// Prices as the editor's properties have them, and their names here.
const PRICES: [(&str, &str); 8] = [
    ("inputCost", "input"),
    ("cacheCost", "cached_input"),
    ("cacheWriteCost", "cache_write"),
    ("outputCost", "output"),
    ("longContextInputCost", "long_context_input"),
    ("longContextCacheCost", "long_context_cached_input"),
    ("longContextCacheWriteCost", "long_context_cache_write"),
    ("longContextOutputCost", "long_context_output"),
];

/// Prices in credits per million tokens, or the multiplier of a model that costs premium requests; `None` for a model
/// without a price.
fn pricing(extra: &Map<String, Value>) -> Option<Value> {
    let price = |(property, name): (&str, &str)| {
        Some((name.to_owned(), extra.get(property).filter(|price| price.is_number())?.clone()))
    };
    let mut prices: Map<String, Value> = PRICES.into_iter().filter_map(price).collect();
    let text = extra.get("pricing").and_then(Value::as_str).unwrap_or_default();
    if let Some(multiplier) = text.strip_suffix('x').and_then(|number| number.parse::<f64>().ok()) {
        prices.insert("multiplier".into(), json!(multiplier));
    }
    (!prices.is_empty()).then_some(Value::Object(prices))
}

/// Writes the list of models.
pub fn list(models: &[Model]) -> Value {
    let data: Vec<Value> = models.iter().map(Model::to_json).collect();
    json!({ "object": "list", "data": data })
}

/// Reads the list of models; entries that are no models are left out.
pub fn read_list(mut json: Value) -> Vec<Model> {
    match json.get_mut("data").map(Value::take) {
        Some(Value::Array(models)) => models.into_iter().filter_map(Model::from_json).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model() -> Model {
        Model {
            id: "copilot/gpt-4o".into(),
            created: 1_700_000_000,
            vendor: "copilot".into(),
            name: "GPT-4o".into(),
            family: "gpt-4o".into(),
            version: "2024".into(),
            max_input_tokens: 64_000,
            tools: Some(true),
            images: None,
            extra: Map::from_iter([("maxOutputTokens".to_owned(), json!(4096))]),
        }
    }

    #[test]
    fn models_are_read_as_they_were_written() {
        let models = [model(), Model { id: "m".into(), ..Model::default() }];
        assert_eq!(read_list(list(&models)), models);
    }

    #[test]
    fn extra_properties_do_not_replace_fields() {
        let mut forged = model();
        forged.extra.insert("owned_by".into(), json!("somebody else"));
        assert_eq!(forged.to_json(), model().to_json());
    }

    #[test]
    fn context_size_has_all_names_that_clients_read() {
        let json = model().to_json();
        for name in ["context_length", "context_window", "max_model_len"] {
            assert_eq!(json.get(name), Some(&json!(64_000)), "{name}");
        }
        assert_eq!(Model::default().to_json().get("context_length"), None);
    }

    #[test]
    fn prices_have_their_own_fields() {
        let priced = |extra: Value| {
            let extra = extra.as_object().cloned().unwrap();
            Model { extra, ..model() }.to_json().get("copilot_pricing").cloned()
        };
        let extra = json!({ "inputCost": 300, "outputCost": 1500.5, "pricing": "In: 300", "longContextInputCost": null });
        assert_eq!(priced(extra), Some(json!({ "input": 300, "output": 1500.5 })));
        assert_eq!(priced(json!({ "pricing": "0.33x" })), Some(json!({ "multiplier": 0.33 })));
        assert_eq!(priced(json!({ "pricing": "free" })), None);
    }

    #[test]
    fn entries_without_an_id_are_left_out() {
        let json = json!({ "data": [{ "object": "model" }, 7, { "id": "m" }] });
        assert_eq!(read_list(json), [Model { id: "m".into(), ..Model::default() }]);
        assert_eq!(read_list(json!([])), []);
    }
}
