//! Blocks by Copilot's provider: while one lasts, the server answers by itself, in each dialect's form.

use copilot_proxy::bridge::protocol::{FromEditor, ModelInfo, ProviderError, ToEditor};
use serde_json::{Value, json};

use crate::client::Response;
use crate::editor::{Editor, model};
use crate::gemini_form;
use crate::openai::{CHAT, chat};
use crate::server::Server;

const SENTENCE: &str =
    "The extension has been temporarily blocked due to making too many requests. Please try again later.";

/// One request in each dialect, for a model.
fn requests(model: &str) -> Vec<(String, Value)> {
    let messages = json!([{ "role": "user", "content": "say:hello" }]);
    let contents = gemini_form::request(&gemini_form::contents(&messages));
    let of_gemini = [false, true]
        .map(|stream| (gemini_form::in_mode(&gemini_form::generate(model), stream), contents.clone()));
    let of_others = [
        (CHAT, json!({ "model": model, "messages": messages })),
        (CHAT, json!({ "model": model, "messages": messages, "stream": true })),
        ("/v1/completions", json!({ "model": model, "prompt": "say:hello" })),
        ("/v1/responses", json!({ "model": model, "input": "say:hello" })),
        ("/v1/messages", json!({ "model": model, "max_tokens": 99, "messages": messages })),
        ("/api/chat", json!({ "model": model, "messages": messages })),
    ];
    of_others.into_iter().map(|(path, body)| (path.to_owned(), body)).chain(of_gemini).collect()
}

fn assert_blocked(server: &Server, model: &str) {
    for (path, body) in requests(model) {
        let response = server.post(&path, &body);
        assert_eq!(response.status, 429, "{path}: {}", response.text());
        let seconds: u64 = response.header("retry-after").unwrap().parse().unwrap();
        assert!((1..=5).contains(&seconds), "{path}: {seconds}");
        assert_eq!(response.header("x-should-retry"), Some("false"), "{path}");
        assert!(
            response.text().contains("blocked by the model provider for another "),
            "{}",
            response.text()
        );
        assert!(response.text().contains(SENTENCE), "{path}: {}", response.text());
    }
}

#[test]
fn requests_during_a_block_do_not_reach_the_provider() {
    let server = Server::demo(&[]);
    let response = server.post(CHAT, &chat(&format!("fail:Blocked {SENTENCE}")));
    assert_eq!(response.status, 429, "{}", response.text());
    assert_blocked(&server, "scripted-1");
    // The block is the extension's, not a model's.
    assert_blocked(&server, "claude-sonnet-4");
}

/// Sends a request for a model, which the editor handles.
fn post(
    server: &Server,
    editor: &mut Editor,
    model: &str,
    handle: impl FnOnce(&mut Editor, u32),
) -> Response {
    let request = json!({ "model": model, "messages": [{ "role": "user", "content": "x" }] });
    std::thread::scope(|scope| {
        let response = scope.spawn(|| server.post(CHAT, &request));
        match editor.expect_message() {
            (stream, ToEditor::Chat(_)) => handle(editor, stream),
            other => panic!("{other:?}"),
        }
        response.join().unwrap()
    })
}

#[test]
fn block_of_copilots_provider_lasts_and_applies_to_no_other() {
    let server = Server::serve(&[]);
    let copilot = ModelInfo { vendor: "copilot".into(), reports_usage: true, ..model("m") };
    let other = ModelInfo { vendor: "other".into(), ..model("o") };
    let mut editor = Editor::with_models(&server.home, &[copilot, other]);
    let blocked = post(&server, &mut editor, "m", |editor, stream| {
        let error = ProviderError {
            name: "LanguageModelError".into(),
            code: Some("Blocked".into()),
            // VS Code may localize it.
            message: "Die Erweiterung wurde gesperrt".into(),
        };
        editor.send(stream, &FromEditor::Failed(error));
    });
    assert_eq!(blocked.status, 429, "{}", blocked.text());
    // Dropping the editor fails the test if this request reached it.
    let request = json!({ "model": "m", "messages": [{ "role": "user", "content": "x" }] });
    assert_eq!(server.post(CHAT, &request).status, 429);
    let response = post(&server, &mut editor, "o", |editor, stream| editor.respond(stream, "hello"));
    assert_eq!(response.status, 200, "{}", response.text());
}
