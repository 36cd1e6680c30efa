//! Models in Ollama's form: `GET /api/tags` and `POST /api/show`. Fields of files on disk are empty or zero.

use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::timestamp::moment;
use crate::dialect::common::body_json::read_json;
use crate::failure::Failure;

/// Facts about a model.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Model {
    /// Name in requests.
    pub id: String,
    /// Name for people.
    pub name: String,
    /// Vendor of the model.
    pub vendor: String,
    /// For example `claude-sonnet-4.5`.
    pub family: String,
    /// Opaque version string.
    pub version: String,
    /// Maximum input, in tokens.
    pub max_input_tokens: u64,
    /// Whether it accepts images.
    pub images: bool,
    /// Whether it can call tools.
    pub tools: bool,
    /// The editor reveals no date of a model: when the server started, in seconds since 1970, stands in for it.
    pub since: u64,
}

/// Body of `POST /api/show` and `POST /api/pull`.
#[derive(Debug, Deserialize)]
#[serde(expecting = "an object")]
pub struct Wanted {
    model: Option<String>,
    /// The field's earlier name, which some clients still use.
    name: Option<String>,
    stream: Option<bool>,
}

impl Wanted {
    /// Reads a body.
    pub fn read(body: &[u8]) -> Result<Wanted, Failure> {
        read_json(body)
    }

    /// The model's name; absent = the default model.
    pub fn model(&self) -> Option<String> {
        self.model.clone().or_else(|| self.name.clone()).filter(|name| !name.is_empty())
    }

    /// Whether the client wants a stream of lines.
    pub fn stream(&self) -> bool {
        self.stream != Some(false)
    }
}

/// The list of models.
pub fn tags(models: &[Model]) -> Value {
    json!({ "models": models.iter().map(tag).collect::<Vec<_>>() })
}

fn tag(model: &Model) -> Value {
    json!({
        "name": model.id,
        "model": model.id,
        "modified_at": moment(model.since),
        "size": 0,
        "digest": digest(model),
        "details": details(model),
    })
}

/// Builds the response of `POST /api/show` for one model.
pub fn show(model: &Model) -> Value {
    let Model { vendor, .. } = model;
    json!({
        "modelfile": "",
        "parameters": "",
        "template": "",
        "license": "",
        "details": details(model),
        "model_info": {
            // The architecture: clients read the context length under this name.
            "general.architecture": vendor,
            "general.basename": model.name,
            // The largest prompt; the response has a separate limit.
            format!("{vendor}.context_length"): model.max_input_tokens,
        },
        "capabilities": capabilities(model),
        "modified_at": moment(model.since),
    })
}

fn details(model: &Model) -> Value {
    json!({
        "parent_model": "",
        "format": "",
        "family": model.family,
        "families": [model.family],
        "parameter_size": "",
        "quantization_level": "",
    })
}

/// Capabilities of a model through this server. Whether it thinks is unknown, so it is among them.
fn capabilities(model: &Model) -> Vec<&'static str> {
    [("completion", true), ("tools", model.tools), ("vision", model.images), ("thinking", true)]
        .into_iter()
        .filter_map(|(capability, has_it)| has_it.then_some(capability))
        .collect()
}

/// Digest of the editor's description: it changes when that changes.
fn digest(model: &Model) -> String {
    let Model { id, vendor, family, version, .. } = model;
    let digest = Sha256::digest(json!([id, vendor, family, version]).to_string());
    format!("{:x}", Bytes::copy_from_slice(&digest))
}
