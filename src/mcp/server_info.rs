//! Introduces the server to clients: the results of `initialize` and `server/discover`.

use serde_json::{Value, json};

use super::message::RpcError;
use super::version::{Era, negotiated, supported};

/// Key of the server's name and version in a result's `_meta`.
const META_SERVER: &str = "io.modelcontextprotocol/serverInfo";

/// Time for which clients may keep the introduction, in milliseconds.
const DISCOVERY_TTL: u32 = 3_600_000;

/// Text for the model of a client.
const INSTRUCTIONS: &str = "Tools of the user's VS Code window: its built-in tools, those of its extensions and those of \
                            the MCP servers that it runs. They act in the workspace that is open there; VS Code may ask the \
                            user to confirm a call.";

/// Name and version of the server.
fn implementation() -> Value {
    json!({ "name": "copilot-proxy", "title": "Copilot Proxy", "version": env!("CARGO_PKG_VERSION") })
}

fn capabilities() -> Value {
    json!({ "tools": { "listChanged": true } })
}

/// Reads the version that `initialize` asks for; returns the version of the session.
pub fn read_initialize(params: &serde_json::Map<String, Value>) -> Result<&'static str, RpcError> {
    match params.get("protocolVersion").and_then(Value::as_str) {
        Some(requested) => Ok(negotiated(requested)),
        None => Err(RpcError::invalid_params("params.protocolVersion: expected a string")),
    }
}

/// The result of `initialize`.
pub fn initialized(version: &str) -> Value {
    json!({
        "protocolVersion": version,
        "capabilities": capabilities(),
        "serverInfo": implementation(),
        "instructions": INSTRUCTIONS,
    })
}

/// The result of `server/discover`.
pub fn discovered() -> Value {
    json!({
        "supportedVersions": supported(),
        "capabilities": capabilities(),
        "instructions": INSTRUCTIONS,
        "ttlMs": DISCOVERY_TTL,
        "cacheScope": "public",
    })
}

impl Era {
    /// Adds to a result what its era has in each of them.
    pub fn complete(self, mut result: Value) -> Value {
        if let (Era::Stateless, Some(fields)) = (self, result.as_object_mut()) {
            fields.insert("resultType".into(), json!("complete"));
            let meta = fields.entry("_meta").or_insert_with(|| json!({}));
            if let Some(meta) = meta.as_object_mut() {
                meta.insert(META_SERVER.into(), implementation());
            }
        }
        result
    }
}
