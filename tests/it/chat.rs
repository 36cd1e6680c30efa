//! `POST /v1/chat/completions`: what comes out is what the model said, and what reaches the model is what the
//! client sent.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::openai::{CHAT, ask, chat, data, dumped, said, stream, streamed, with};
use crate::server::Server;

#[test]
fn a_whole_answer_is_one_completion() {
    let server = Server::demo(&[]);
    let answer = server.post(CHAT, &chat("say:Hello there"));
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("x-copilot-proxy-model"), Some("scripted-1"));
    assert_eq!(answer.header("x-copilot-proxy-usage"), Some("counted"));
    let mut completion = answer.json();
    let id = completion["id"].take();
    assert!(id.as_str().unwrap().starts_with("chatcmpl-"), "{id}");
    assert!(completion["created"].take().as_u64().unwrap() > 1_700_000_000);
    completion["usage"].take();
    assert_eq!(
        completion,
        json!({
            "id": null,
            "object": "chat.completion",
            "created": null,
            "model": "scripted-1",
            "system_fingerprint": "fp_copilot_proxy",
            "choices": [{
                "index": 0,
                "message": { "role": "assistant", "content": "Hello there", "refusal": null },
                "logprobs": null,
                "finish_reason": "stop",
            }],
            "usage": null,
        })
    );
}
