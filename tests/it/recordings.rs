//! Reads the recorded requests of coding agents (`tests/recordings/`) for tests that replay them.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::client::Request;

/// The requests of one session of an agent.
pub struct Recording {
    /// Name of the file.
    pub name: String,
    /// In the order in which they were sent.
    pub exchanges: Vec<Exchange>,
}

/// One request of a recording, for a whole response of the model `m`.
pub struct Exchange {
    /// Path with its query.
    pub path: String,
    /// The body.
    pub body: Value,
    /// Items of the recorded response, in the form of its dialect.
    pub output: Vec<Value>,
    headers: Vec<(String, String)>,
}

impl Exchange {
    /// The recorded request with another body.
    pub fn request(&self, body: &Value) -> Request {
        let request = Request::post(&self.path, body);
        self.headers.iter().fold(request, |request, (name, value)| request.header(name, value))
    }
}

/// All recordings.
pub fn recordings() -> Vec<Recording> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recordings");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> =
        files.filter(|path| path.extension().is_some_and(|it| it == "json")).collect();
    files.sort();
    assert!(files.len() >= 11, "{files:?}");
    files.iter().map(|file| recording(file)).collect()
}

fn recording(file: &Path) -> Recording {
    let recording: Value = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
    let shared = recording["shared"].as_array().unwrap();
    Recording {
        name: file.file_stem().unwrap().to_string_lossy().into_owned(),
        exchanges: recording["exchanges"].as_array().unwrap().iter().map(|it| exchange(it, shared)).collect(),
    }
}

fn exchange(exchange: &Value, shared: &[Value]) -> Exchange {
    let mut body = expand(&exchange["body"], shared);
    body["model"] = "m".into();
    body["stream"] = false.into();
    let framing = ["content-length", "content-type", "host", "connection", "transfer-encoding", "expect"];
    let header = |header: &Value| (header[0].as_str().unwrap().into(), header[1].as_str().unwrap().into());
    let headers = exchange["headers"].as_array().unwrap().iter().map(header);
    let is_free = |(name, _): &(String, String)| !framing.contains(&name.to_lowercase().as_str());
    Exchange {
        path: exchange["path"].as_str().unwrap().into(),
        body,
        output: expand(&exchange["response"]["output"], shared).as_array().cloned().unwrap_or_default(),
        headers: headers.filter(is_free).collect(),
    }
}

/// Puts shared values back in their places.
fn expand(value: &Value, shared: &[Value]) -> Value {
    match value {
        Value::String(text) => match text.strip_prefix("$shared:") {
            Some(number) => expand(&shared[number.parse::<usize>().unwrap()], shared),
            None => value.clone(),
        },
        Value::Array(items) => items.iter().map(|item| expand(item, shared)).collect(),
        Value::Object(fields) => {
            Value::Object(fields.iter().map(|(name, value)| (name.clone(), expand(value, shared))).collect())
        }
        other => other.clone(),
    }
}
