//! Fallbacks: another model is asked where the first one can't respond, before its first part and before the headers of
//! the client's response leave.

use copilot_proxy::bridge::protocol::{
    EditorTool, FailedModel, FromEditor, ModelInfo, Outcome, ProviderError, RequestRecord, ResponsePart,
    ToEditor, ToolOutput, Tools, UserSettings, Watch,
};
use copilot_proxy::conversation::{Content, Part, Tool, ToolCall};
use serde_json::{Value, json};

use crate::client::{Client, Request, Response};
use crate::editor::{Editor, model, user_settings};
use crate::gemini_form;
use crate::openai::{CHAT, content, text_of, with};
use crate::server::Server;

fn serve(arguments: &[&str]) -> (Server, Editor) {
    let server = Server::serve(arguments);
    let small = ModelInfo { max_input_tokens: 10, ..model("small") };
    let editor = Editor::with_models(&server.home, &[model("a"), model("b"), model("c"), small]);
    (server, editor)
}

/// A request for these models, the first one as `model`.
fn request(models: &[&str]) -> Value {
    let (first, others) = models.split_first().unwrap();
    json!({
        "model": first, "models": others, "messages": [{ "role": "user", "content": "Which words come back to me?" }],
        "max_tokens": 100, "stream": false,
    })
}

fn send(server: &Server, path: &str, body: &Value) -> Client {
    let mut client = server.client();
    client.send(&Request::post(path, body));
    client
}

fn error(name: &str, code: Option<&str>, message: &str) -> ProviderError {
    ProviderError { name: name.into(), code: code.map(Into::into), message: message.into() }
}

fn quota() -> ProviderError {
    error("ChatQuotaExceeded", None, "The quota is used up.")
}

fn rate_limit() -> ProviderError {
    error("ChatRateLimited", None, "Slow down.")
}

/// Waits for the request of a model, and returns its stream.
fn expect_model(editor: &mut Editor, model: &str) -> u32 {
    let (stream, chat) = editor.expect_chat();
    assert_eq!(chat.model, model);
    stream
}

/// Waits for the request of a model, and fails it.
fn fail(editor: &mut Editor, model: &str, error: &ProviderError) {
    let stream = expect_model(editor, model);
    editor.send(stream, &FromEditor::Failed(error.clone()));
}

fn respond_with(editor: &mut Editor, model: &str, text: &str) {
    let stream = expect_model(editor, model);
    editor.respond(stream, text);
}

fn answered_by(response: &Response) -> Option<&str> {
    response.header("x-copilot-proxy-model")
}

/// Errors of the provider that another model may not have.
fn of_the_model() -> Vec<ProviderError> {
    [
        ("ChatQuotaExceeded", None, "used up"),
        ("ChatRateLimited", None, "slow down"),
        ("ChatRateLimited", None, "Upstream provider rate limit hit"),
        ("LanguageModelError", Some("Blocked"), "blocked"),
        ("AutoV2Error", None, "Auto request failed with status 402: used up"),
        ("AutoV2Error", None, "Auto request failed with status 429: slow down"),
        ("AutoV2Error", None, "Auto request failed with status 500: m"),
        ("Error", None, "Server error: 500"),
        ("Error", None, "Server error: 502"),
        ("Error", None, "Server error: 504"),
        ("Error", None, "Server error: 529"),
        ("Error", None, "Server error. Stream terminated"),
        ("Error", None, "Response contained no choices."),
        ("Error", None, "Response too long."),
        ("Error", None, "client not supported: m"),
        ("Error", None, "canceled by server"),
        ("Error", None, "Error on conversation request. Check the log for more details."),
        ("Error", None, "Please check your firewall rules and network connection then try again."),
        ("Error", None, "terminated: other side closed"),
        ("Error", None, "key is missing"),
        ("Error", None, "token expired or invalid: 401"),
        ("Error", None, r#"{"message":"no such model","code":"model_not_found"}"#),
        ("Error", None, r#"Request Failed: 400 {"error":{"message":"m","code":"model_not_supported"}}"#),
        ("Error", None, "Request Failed: 408 m"),
        ("Error", None, "Model a is only available to VS Code core."),
    ]
    .map(|(name, code, message)| error(name, code, message))
    .into()
}

/// Errors that say something about the request, or about the user's consent.
fn of_the_request() -> Vec<ProviderError> {
    [
        ("LanguageModelError", Some("NoPermissions"), "not allowed"),
        ("Error", None, r#"Request Failed: 400 {"error":{"message":"m","code":"invalid_request_body"}}"#),
        ("Error", None, r#"Request Failed: 400 {"error":{"message":"m","code":"context_length_exceeded"}}"#),
        ("Error", None, r#"Request Failed: 400 {"error":{"message":"m","code":"content_filter"}}"#),
        ("Error", None, "Request Failed: 409 m"),
        ("Error", None, "Request Failed: 413 m"),
        ("Error", None, "Message exceeds token limit."),
        ("Error", None, "Filtered by Responsible AI Service\n\nm"),
        ("Error", None, "Response got filtered."),
        ("Error", None, "Invalid tool name \"a.b\""),
        ("Error", None, "Auto selected m, which does not support vision"),
        ("Error", None, r#"{"isTrusted":true}"#),
    ]
    .map(|(name, code, message)| error(name, code, message))
    .into()
}

#[test]
fn errors_of_the_model_lead_to_the_next_one() {
    let (server, mut editor) = serve(&[]);
    for error in of_the_model() {
        let mut client = send(&server, CHAT, &request(&["a", "b"]));
        fail(&mut editor, "a", &error);
        respond_with(&mut editor, "b", "Hello");
        let response = client.response();
        assert_eq!((response.status, answered_by(&response)), (200, Some("b")), "{error:?}");
        assert_eq!((content(&response), response.json()["model"].clone()), ("Hello".into(), json!("b")));
    }
    // The models that VS Code lists are out of date.
    let mut client = send(&server, CHAT, &request(&["a", "b"]));
    fail(&mut editor, "a", &error("LanguageModelError", Some("NotFound"), "test/a"));
    assert_eq!(editor.expect_message(), (0, ToEditor::RefreshModels));
    respond_with(&mut editor, "b", "Hello");
    assert_eq!(answered_by(&client.response()), Some("b"));
}

#[test]
fn errors_of_the_request_stay_its_own() {
    let (server, mut editor) = serve(&[]);
    for error in of_the_request() {
        let mut client = send(&server, CHAT, &request(&["a", "b"]));
        fail(&mut editor, "a", &error);
        let response = client.response();
        assert!((400..500).contains(&response.status), "{error:?}: {}", response.status);
    }
    let mut client = send(&server, CHAT, &request(&["small", "b"]));
    assert_eq!(client.response().error().2, "context_length_exceeded");
}

/// Endpoints that run a model, with the fields that they need besides.
fn endpoints() -> Vec<(&'static str, Value)> {
    vec![
        (CHAT, json!({})),
        ("/v1/messages", json!({})),
        ("/v1/responses", json!({ "input": "Hi", "store": false })),
        ("/v1/completions", json!({ "prompt": "Hi" })),
        ("/api/chat", json!({})),
        ("/api/generate", json!({ "prompt": "Hi" })),
    ]
}

#[test]
fn every_dialect_takes_a_list_of_models() {
    let (server, mut editor) = serve(&[]);
    for (path, fields) in endpoints() {
        for stream in [false, true] {
            let body = with(with(request(&["a", "b"]), &fields), &json!({ "stream": stream }));
            let mut client = send(&server, path, &body);
            fail(&mut editor, "a", &quota());
            respond_with(&mut editor, "b", "Hello");
            let response = client.response();
            assert_eq!((response.status, answered_by(&response)), (200, Some("b")), "{path} {stream}");
            let text = response.text();
            assert!(text.contains("Hello") && text.contains("\"model\":\"b\""), "{path} {stream}: {text}");
        }
        let mut whole = with(request(&["c"]), &fields);
        whole.as_object_mut().unwrap().remove("model");
        let mut client = send(&server, path, &with(whole, &json!({ "models": ["a", "b"] })));
        fail(&mut editor, "a", &rate_limit());
        respond_with(&mut editor, "b", "Hello");
        assert_eq!(answered_by(&client.response()), Some("b"), "{path}: the list is the whole chain");
        let wrong = with(with(request(&["a"]), &fields), &json!({ "models": ["b", ""] }));
        let response = server.post(path, &wrong);
        assert_eq!(response.status, 400, "{path}");
        assert!(response.text().contains("models[1]: empty"), "{path}: {}", response.text());
    }
}

#[test]
fn gemini_takes_a_list_of_models_besides_the_one_in_its_path() {
    let (server, mut editor) = serve(&[]);
    let body =
        with(gemini_form::request(&[gemini_form::text("Hi")]), &json!({ "models": ["models/b", "c"] }));
    for stream in [false, true] {
        let mut client = send(&server, &gemini_form::in_mode(&gemini_form::generate("a"), stream), &body);
        fail(&mut editor, "a", &quota());
        respond_with(&mut editor, "b", "Hello");
        let response = client.response();
        assert_eq!((response.status, answered_by(&response)), (200, Some("b")), "{stream}");
        assert!(response.text().contains("\"modelVersion\":\"b\""), "{stream}: {}", response.text());
    }
    let wrong = with(body, &json!({ "models": ["b", ""] }));
    let response = server.post(&gemini_form::generate("a"), &wrong);
    assert_eq!(response.status, 400);
    assert!(response.text().contains("models[1]: empty"), "{}", response.text());
}

#[test]
fn absent_model_leads_to_the_next_one() {
    let (server, mut editor) = serve(&[]);
    let mut client = send(&server, CHAT, &request(&["missing", "absent", "b"]));
    respond_with(&mut editor, "b", "Hello");
    assert_eq!(answered_by(&client.response()), Some("b"));
    let response = server.post(CHAT, &request(&["missing", "absent"]));
    assert_eq!(response.error().2, "model_not_found");
    assert!(response.error().3.contains("`missing`"), "{}", response.text());
    // Clients of this API send names of their own; what the request lists is better than a guess.
    let mut client = send(&server, "/v1/messages", &request(&["claude-unknown", "b"]));
    respond_with(&mut editor, "b", "Hello");
    assert_eq!(answered_by(&client.response()), Some("b"));
    let mut client = send(&server, "/v1/messages", &request(&["claude-unknown", "absent"]));
    respond_with(&mut editor, "a", "Hello");
    assert_eq!(answered_by(&client.response()), Some("a"));
    let tokens = |models: &[&str]| server.post("/v1/messages/count_tokens", &request(models)).json();
    assert_eq!(tokens(&["claude-unknown", "b"]), tokens(&["b"]));
}

#[test]
fn model_of_a_window_that_closes_leads_to_the_next_one() {
    let server = Server::serve(&["--window-wait", "1"]);
    let mut one = Editor::with_models(&server.home, &[model("a")]);
    let mut other = Editor::attach(&server.home);
    other.send_models(&[model("b")]);
    other.expect_status(|status| status.models == 2);
    let mut client = send(&server, CHAT, &request(&["a", "b"]));
    expect_model(&mut one, "a");
    drop(one);
    respond_with(&mut other, "b", "Hello");
    assert_eq!(answered_by(&client.response()), Some("b"));
}

#[test]
fn silent_model_leads_to_the_next_one() {
    let (server, mut editor) = serve(&["--model-timeout", "300"]);
    let mut client = send(&server, CHAT, &request(&["a", "b"]));
    let stream = expect_model(&mut editor, "a");
    editor.expect_cancel(stream);
    respond_with(&mut editor, "b", "Hello");
    assert_eq!(answered_by(&client.response()), Some("b"));
}

#[test]
fn blocked_vendor_is_skipped_without_asking_it() {
    let server = Server::serve(&[]);
    let other = ModelInfo { vendor: "other".into(), ..model("b") };
    let mut editor = Editor::with_models(&server.home, &[model("a"), other]);
    let blocked = "The extension has been temporarily blocked due to making too many requests.";
    let mut client = send(&server, CHAT, &request(&["a", "b"]));
    fail(&mut editor, "a", &error("LanguageModelError", Some("Blocked"), blocked));
    respond_with(&mut editor, "b", "Hello");
    assert_eq!(answered_by(&client.response()), Some("b"));
    let mut client = send(&server, CHAT, &request(&["a", "b"]));
    respond_with(&mut editor, "b", "Hello");
    assert_eq!(answered_by(&client.response()), Some("b"));
}

#[test]
fn nothing_is_asked_after_the_first_part() {
    let (server, mut editor) = serve(&[]);
    let schema = json!({ "name": "x", "schema": { "type": "object" } });
    // The text of the first is sent as it comes, that of the second is held until it is validated.
    let plain = request(&["a", "b"]);
    let json =
        with(plain.clone(), &json!({ "response_format": { "type": "json_schema", "json_schema": schema } }));
    for body in [plain, json] {
        for stream in [false, true] {
            let mut client = send(&server, CHAT, &with(body.clone(), &json!({ "stream": stream })));
            let id = expect_model(&mut editor, "a");
            editor.send_text(id, "half");
            editor.send(id, &FromEditor::Failed(quota()));
            let response = client.response();
            let text = response.text();
            assert!(text.contains("insufficient_quota"), "{stream}: {text}");
        }
    }
    // An opaque part is the model's, too.
    let mut client = send(&server, CHAT, &request(&["a", "b"]));
    let id = expect_model(&mut editor, "a");
    let data = copilot_proxy::conversation::Data { mime: "other".into(), base64: String::new() };
    editor.send(id, &FromEditor::Part(ResponsePart { part: Part::Data(data) }));
    editor.send(id, &FromEditor::Failed(quota()));
    assert_eq!(client.response().status, 429);
}

#[test]
fn headers_wait_until_a_model_has_accepted() {
    let (server, mut editor) = serve(&["--open-after", "1"]);
    let streamed = |models: &[&str]| with(request(models), &json!({ "stream": true }));
    let mut client = send(&server, CHAT, &streamed(&["a", "absent"]));
    let first = expect_model(&mut editor, "a");
    // A request without a chain is opened meanwhile.
    let other = send(&server, CHAT, &streamed(&["c"]));
    let second = expect_model(&mut editor, "c");
    let other = other.stream();
    editor.send(first, &FromEditor::Failed(rate_limit()));
    let response = client.response();
    assert_eq!((response.error().0, response.error().2), (429, json!("rate_limit_exceeded")));
    editor.respond(second, "Hello");
    assert_eq!(text_of(&other.rest()), "Hello");
}

#[test]
fn stream_opens_when_the_last_model_is_silent() {
    let (server, mut editor) = serve(&["--open-after", "1"]);
    let client = send(&server, CHAT, &with(request(&["a", "b"]), &json!({ "stream": true })));
    fail(&mut editor, "a", &quota());
    let stream = expect_model(&mut editor, "b");
    let response = client.stream();
    assert_eq!(answered_by(&response.head), Some("b"));
    editor.respond(stream, "Hello");
    assert_eq!(text_of(&response.rest()), "Hello");
}

#[test]
fn used_up_chain_gets_the_failure_of_the_last_model_that_was_asked() {
    let (server, mut editor) = serve(&[]);
    let mut client = send(&server, CHAT, &request(&["a", "b"]));
    fail(&mut editor, "a", &quota());
    fail(&mut editor, "b", &rate_limit());
    let response = client.response();
    assert_eq!(
        (response.error().2, response.header("retry-after")),
        (json!("rate_limit_exceeded"), Some("10"))
    );
    let mut client = send(&server, CHAT, &request(&["a", "b"]));
    fail(&mut editor, "a", &rate_limit());
    fail(&mut editor, "b", &quota());
    let response = client.response();
    assert_eq!((response.error().2, response.header("retry-after")), (json!("insufficient_quota"), None));
    // A fallback that is absent or too small, or that was asked already, changes nothing.
    let mut client = send(&server, CHAT, &request(&["a", "absent", "small", "test/a"]));
    fail(&mut editor, "a", &rate_limit());
    let response = client.response();
    assert_eq!(
        (response.error().2, response.header("retry-after")),
        (json!("rate_limit_exceeded"), Some("40"))
    );
}

#[test]
fn users_fallbacks_apply_where_a_request_lists_none() {
    let (server, mut editor) = serve(&[]);
    let settings = UserSettings { port: server.port, fallbacks: vec!["b".into()], ..user_settings() };
    editor.send(0, &FromEditor::UserSettings(settings));
    // The models that follow show that the settings have been read.
    editor.send_models(&["a", "b", "c"].map(model));
    editor.expect_status(|status| status.models == 3);
    let mut without_list = request(&["a"]);
    without_list.as_object_mut().unwrap().remove("models");
    let mut client = send(&server, CHAT, &without_list);
    fail(&mut editor, "a", &quota());
    respond_with(&mut editor, "b", "Hello");
    assert_eq!(answered_by(&client.response()), Some("b"));
    let mut client = send(&server, CHAT, &request(&["a", "c"]));
    fail(&mut editor, "a", &quota());
    respond_with(&mut editor, "c", "Hello");
    assert_eq!(answered_by(&client.response()), Some("c"));
    // An empty list turns them off.
    let mut client = send(&server, CHAT, &request(&["a"]));
    fail(&mut editor, "a", &quota());
    assert_eq!(client.response().error().2, "insufficient_quota");
}

#[test]
fn all_choices_move_together() {
    let (server, mut editor) = serve(&[]);
    let mut client = send(&server, CHAT, &with(request(&["a", "b"]), &json!({ "n": 2 })));
    let first = expect_model(&mut editor, "a");
    let second = expect_model(&mut editor, "a");
    editor.send(second, &FromEditor::Failed(quota()));
    editor.expect_cancel(first);
    respond_with(&mut editor, "b", "One");
    respond_with(&mut editor, "b", "Two");
    let response = client.response();
    assert_eq!(response.json()["choices"].as_array().unwrap().len(), 2);
    assert_eq!(answered_by(&response), Some("b"));
}

#[test]
fn failed_attempt_frees_its_permit() {
    let (server, mut editor) = serve(&["--max-running", "1"]);
    let mut client = send(&server, CHAT, &request(&["a", "b"]));
    fail(&mut editor, "a", &quota());
    respond_with(&mut editor, "b", "Hello");
    assert_eq!(answered_by(&client.response()), Some("b"));
}

#[test]
fn client_that_disconnects_cancels_the_model_that_is_asked() {
    let (server, mut editor) = serve(&[]);
    let client = send(&server, CHAT, &request(&["a", "b"]));
    fail(&mut editor, "a", &quota());
    let stream = expect_model(&mut editor, "b");
    drop(client);
    editor.expect_cancel(stream);
}

/// Runs the first round of auto mode to its tool call; `model` is the one that is expected to make it.
fn call_in_auto_mode(editor: &mut Editor, model: &str) {
    let stream = expect_model(editor, model);
    let call = ToolCall { id: "1".into(), name: "look".into(), input: json!({}) };
    editor.send(stream, &FromEditor::Part(ResponsePart { part: Part::ToolCall(call) }));
    editor.send(stream, &FromEditor::End);
    match editor.expect_message() {
        (stream, ToEditor::InvokeTool(_)) => {
            let content = vec![Content::Text { text: "blue".into() }];
            editor.send(stream, &FromEditor::ToolOutput(ToolOutput { content }));
        }
        other => panic!("{other:?}"),
    }
}

fn list_tools(editor: &mut Editor) {
    match editor.expect_message() {
        (stream, ToEditor::ListTools) => {
            let tool = Tool { name: "look".into(), description: String::new(), input_schema: None };
            editor.send(stream, &FromEditor::Tools(Tools { tools: vec![EditorTool { tool, tags: vec![] }] }));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn auto_mode_keeps_the_model_of_its_first_round() {
    let (server, mut editor) = serve(&[]);
    let body = with(request(&["a", "b"]), &json!({ "use_vscode_tools": true, "tool_execution": "auto" }));
    let mut client = send(&server, CHAT, &body);
    list_tools(&mut editor);
    fail(&mut editor, "a", &quota());
    call_in_auto_mode(&mut editor, "b");
    respond_with(&mut editor, "b", "Blue.");
    let response = client.response();
    assert_eq!((content(&response), answered_by(&response)), ("Blue.".into(), Some("b")));

    let mut client = send(&server, CHAT, &body);
    list_tools(&mut editor);
    call_in_auto_mode(&mut editor, "a");
    fail(&mut editor, "a", &quota());
    assert_eq!(client.response().error().2, "insufficient_quota");
}

#[test]
fn log_and_panel_say_which_model_responded_and_why() {
    let (server, mut editor) = serve(&[]);
    editor.send(0, &FromEditor::Watch(Watch { enabled: true }));
    let mut client = send(&server, CHAT, &request(&["a", "absent", "b"]));
    fail(&mut editor, "a", &quota());
    respond_with(&mut editor, "b", "Hello");
    client.response();
    let line = editor.expect_log("asking another").text;
    assert!(line.contains(r#"model="a" error=quota_exceeded next="absent""#), "{line}");
    let line = editor.expect_log("request finished").text;
    assert!(
        line.contains(r#"model="b" failed_models="a (quota_exceeded), absent (unknown_model)""#),
        "{line}"
    );
    let failed = |model: &str, reason: &str| FailedModel { model: model.into(), reason: reason.into() };
    let record = finished(&mut editor);
    assert_eq!(
        (record.requested_model.as_deref(), record.model.as_deref(), record.failed_models),
        (Some("a"), Some("b"), vec![failed("a", "quota_exceeded"), failed("absent", "unknown_model")])
    );
}

/// Waits for the record of a request that has ended.
fn finished(editor: &mut Editor) -> RequestRecord {
    loop {
        let ended = |record: &RequestRecord| record.outcome != Outcome::Running;
        if let Some(record) = editor.expect_activity().requests.into_iter().find(ended) {
            return record;
        }
    }
}
