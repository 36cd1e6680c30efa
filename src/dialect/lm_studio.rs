//! Models in the form of LM Studio's own API: `GET /api/v0/models` and `GET /api/v0/models/{id}`. Model pickers read it for
//! the kind of a model and the length of its context; requests use OpenAI's API.

use serde_json::{Value, json};

/// A model as LM Studio's clients see it. Fields of files on disk are empty.
pub struct Model {
    /// Name in requests.
    pub id: String,
    /// VS Code's vendor of the model, such as `copilot`.
    pub vendor: String,
    /// Family, such as `claude-sonnet-4.5`.
    pub family: String,
    /// Limit of the input, in tokens; 0 if the editor doesn't reveal it.
    pub max_input_tokens: u64,
    /// Whether it can call tools.
    pub tools: bool,
    /// Whether it accepts images: LM Studio calls such a model `vlm`.
    pub images: bool,
}

impl Model {
    /// Writes the JSON of one model.
    pub fn to_json(&self) -> Value {
        let mut model = json!({
            "id": self.id,
            "object": "model",
            "type": if self.images { "vlm" } else { "llm" },
            "publisher": self.vendor,
            "arch": self.family,
            "compatibility_type": "",
            "quantization": "",
            "state": "loaded",
            "capabilities": if self.tools { json!(["tool_use"]) } else { json!([]) },
        });
        if let (Some(fields), true) = (model.as_object_mut(), self.max_input_tokens > 0) {
            for name in ["max_context_length", "loaded_context_length"] {
                fields.insert(name.into(), json!(self.max_input_tokens));
            }
        }
        model
    }
}

/// Writes the list of models.
pub fn list(models: &[Model]) -> Value {
    let data: Vec<Value> = models.iter().map(Model::to_json).collect();
    json!({ "object": "list", "data": data })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn model_has_the_fields_that_pickers_read() {
        let mut model = Model {
            id: "gpt-4o".into(),
            vendor: "copilot".into(),
            family: "gpt-4o".into(),
            max_input_tokens: 128_000,
            tools: true,
            images: true,
        };
        let written = json!({
            "id": "gpt-4o",
            "object": "model",
            "type": "vlm",
            "publisher": "copilot",
            "arch": "gpt-4o",
            "compatibility_type": "",
            "quantization": "",
            "state": "loaded",
            "capabilities": ["tool_use"],
            "max_context_length": 128_000,
            "loaded_context_length": 128_000,
        });
        assert_eq!(list(std::slice::from_ref(&model)), json!({ "object": "list", "data": [written] }));
        (model.max_input_tokens, model.tools, model.images) = (0, false, false);
        let plain = model.to_json();
        assert_eq!(
            (&plain["type"], &plain["capabilities"], plain.get("max_context_length")),
            (&json!("llm"), &json!([]), None)
        );
    }
}
