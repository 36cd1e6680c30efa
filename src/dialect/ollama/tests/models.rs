//! Lists and descriptions of models.

use serde_json::json;

use crate::dialect::ollama::models::{Model, Wanted, show, tags};

fn model() -> Model {
    Model {
        id: "claude-sonnet-4".into(),
        name: "Claude Sonnet 4".into(),
        vendor: "copilot".into(),
        family: "claude-sonnet".into(),
        version: "1".into(),
        max_input_tokens: 128_000,
        images: false,
        tools: true,
        since: 1_700_000_000,
    }
}

#[test]
fn model_is_listed_and_shown() {
    let details = json!({
        "parent_model": "",
        "format": "",
        "family": "claude-sonnet",
        "families": ["claude-sonnet"],
        "parameter_size": "",
        "quantization_level": "",
    });
    let mut list = tags(&[model()]);
    let digest = list["models"][0]["digest"].take();
    assert_eq!(
        list,
        json!({ "models": [{
            "name": "claude-sonnet-4",
            "model": "claude-sonnet-4",
            "modified_at": "2023-11-14T22:13:20Z",
            "size": 0,
            "digest": null,
            "details": details,
        }] })
    );
    assert!(digest.as_str().is_some_and(|hex| hex.len() == 64), "{digest}");
    let newer = Model { version: "2".into(), ..model() };
    assert_ne!(tags(&[newer])["models"][0]["digest"], digest);

    assert_eq!(
        show(&model()),
        json!({
            "modelfile": "",
            "parameters": "",
            "template": "",
            "license": "",
            "details": details,
            "model_info": {
                "general.architecture": "copilot",
                "general.basename": "Claude Sonnet 4",
                "copilot.context_length": 128_000,
            },
            "capabilities": ["completion", "tools", "thinking"],
            "modified_at": "2023-11-14T22:13:20Z",
        })
    );
}

#[test]
fn model_name_is_read_from_either_field() {
    let read = |body: &str| Wanted::read(body.as_bytes()).map(|wanted| (wanted.model(), wanted.stream()));
    assert_eq!(read(r#"{"model": "a", "verbose": true}"#), Ok((Some("a".into()), true)));
    assert_eq!(read(r#"{"name": "a", "stream": false}"#), Ok((Some("a".into()), false)));
    assert_eq!(read(r#"{"model": ""}"#), Ok((None, true)));
    let refused = read(r#"{"model": 1}"#).unwrap_err().to_string();
    assert_eq!(refused, "model: invalid type: integer `1`, expected a string");
}
