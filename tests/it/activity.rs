//! Activity messages to editors that show the panel: requests from arrival to end, and captured bodies if the user
//! enabled them.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use copilot_proxy::bridge::protocol::{
    CapturedBody, Exchange, FromEditor, GetExchange, ModelInfo, Models, Outcome, RequestRecord, StopRequest,
    ToEditor, UserSettings, Watch,
};
use serde_json::{Value, json};

use crate::client::Request;
use crate::editor::{Editor, model, person_key, user_settings};
use crate::openai::{CHAT, chat, with};
use crate::server::Server;

/// A panel's state, updated by activity messages.
#[derive(Default)]
struct Panel {
    requests: BTreeMap<u64, RequestRecord>,
}

impl Panel {
    /// Subscribes and reads the first activity.
    fn open(editor: &mut Editor) -> Panel {
        editor.send(0, &FromEditor::Watch(Watch { enabled: true }));
        let mut panel = Panel::default();
        panel.receive(editor);
        panel
    }

    fn receive(&mut self, editor: &mut Editor) {
        let activity = editor.expect_activity();
        if activity.reset {
            self.requests.clear();
        }
        self.requests.extend(activity.requests.into_iter().map(|record| (record.number, record)));
    }

    /// Waits until the last request matches.
    fn wait_for_last(
        &mut self,
        editor: &mut Editor,
        matches: impl Fn(&RequestRecord) -> bool,
    ) -> RequestRecord {
        loop {
            if let Some((_, last)) = self.requests.last_key_value()
                && matches(last)
            {
                return last.clone();
            }
            self.receive(editor);
        }
    }
}

fn streamed_request(text: &str) -> Value {
    with(chat(text), &json!({ "model": "m", "stream": true }))
}

fn get_exchange(editor: &mut Editor, id: &str) -> Exchange {
    editor.send(0, &FromEditor::GetExchange(GetExchange { id: id.into() }));
    match editor.expect_message() {
        (0, ToEditor::Exchange(exchange)) => exchange,
        other => panic!("no exchange: {other:?}"),
    }
}

#[test]
fn activity_follows_a_request_from_arrival_to_end() {
    let server = Server::serve(&[]);
    let mut editor = Editor::with_models(&server.home, &[model("m")]);
    let mut panel = Panel::open(&mut editor);
    assert_eq!(panel.requests, BTreeMap::new());

    let mut client = server.client();
    client.send(&Request::post(CHAT, &streamed_request("Hello")).header("user-agent", "curl/8.5.0"));
    let (stream_id, _) = editor.expect_chat();
    let running = panel.wait_for_last(&mut editor, |last| last.model.is_some());
    assert_eq!((running.outcome, running.characters, running.first_ms), (Outcome::Running, 0, None));
    editor.send_text(stream_id, "Hello");
    let speaking = panel.wait_for_last(&mut editor, |last| last.characters == 5);
    assert!(speaking.first_ms.is_some());
    editor.send(stream_id, &FromEditor::End);
    let ended = panel.wait_for_last(&mut editor, |last| last.outcome != Outcome::Running);
    let stream = client.stream();
    assert_eq!(stream.head.header("x-request-id"), Some(ended.id.as_str()));
    drop(stream);
    let wanted = RequestRecord {
        number: 1,
        client: "curl/8.5.0".into(),
        dialect: "openai-chat".into(),
        method: "POST".into(),
        path: CHAT.into(),
        stream: true,
        requested_model: Some("m".into()),
        model: Some("m".into()),
        characters: 5,
        outcome: Outcome::Finished { reason: "stop".into() },
        rejected: false,
        has_exchange: false,
        ..ended.clone()
    };
    assert_eq!(ended, wanted);
    assert!(ended.duration_ms.is_some() && ended.tokens.is_some_and(|tokens| !tokens.reported));
    assert_eq!(
        get_exchange(&mut editor, &ended.id),
        Exchange { id: ended.id, headers: Vec::new(), request: None, response: None },
        "words that nobody wanted to see"
    );
}

#[test]
fn late_subscriber_gets_all_requests_and_a_closed_one_gets_none() {
    let server = Server::serve(&["--window-wait", "100"]);
    server.post(CHAT, &chat("nobody answers"));
    let mut editor = Editor::with_models(&server.home, &[model("m")]);
    let panel = Panel::open(&mut editor);
    let outcomes: Vec<_> = panel.requests.values().map(|record| &record.outcome).collect();
    assert!(matches!(outcomes[..], [Outcome::Failed { kind, .. }] if kind == "no_models"), "{outcomes:?}");

    editor.send(0, &FromEditor::Watch(Watch { enabled: false }));
    // Messages are answered in order.
    get_exchange(&mut editor, "unknown");
    server.post(CHAT, &with(chat("too long ago"), &json!({ "model": "unknown" })));
    editor.send(0, &FromEditor::Watch(Watch { enabled: true }));
    let activity = editor.expect_activity();
    assert_eq!((activity.reset, activity.requests.len()), (true, 2), "the first message since");
    let minutes: u32 = activity.minutes.iter().map(|minute| minute.failed).sum();
    assert_eq!(minutes, 2);
}

#[test]
fn activity_includes_rejected_requests_with_the_reason() {
    let server = Server::serve(&[]);
    let mut editor = Editor::with_models(&server.home, &[model("m")]);
    editor.send_keys(&[person_key("mine", "secret")]);
    let mut panel = Panel::open(&mut editor);
    let key = ("authorization", "Bearer secret");
    let post = |path: &str, body: &Value| Request::post(path, body).header(key.0, key.1);
    for (request, kind, dialect) in [
        (Request::post(CHAT, &chat("Hello")), "unauthorized", "openai-chat"),
        (post("/v1/messages", &chat("Hello")).header("host", "evil.test"), "forbidden", "anthropic"),
        (post("/v1/nowhere", &json!({})), "no_such_path", ""),
        (Request::get("/v1/responses").header(key.0, key.1), "wrong_method", "openai-responses"),
        (post("/v1/embeddings", &json!({})), "unsupported", ""),
        (Request::get("/api/chat").header(key.0, key.1), "wrong_method", "ollama"),
        (post("/v1/messages/count_tokens", &json!({})), "invalid_request", "anthropic"),
        (Request::get("/v1/models/none").header(key.0, key.1), "unknown_model", ""),
    ] {
        let before = panel.requests.last_key_value().map_or(0, |(number, _)| *number);
        let response = server.send(&request);
        let seen =
            panel.wait_for_last(&mut editor, |last| last.number > before && last.outcome != Outcome::Running);
        let Outcome::Failed { kind: found, message, hint } = &seen.outcome else { panic!("{seen:?}") };
        assert_eq!((found.as_str(), seen.dialect.as_str(), seen.rejected), (kind, dialect, true));
        assert_eq!(response.header("x-request-id"), Some(seen.id.as_str()));
        assert!(response.text().contains(&message[..20]) && !hint.is_empty(), "{seen:?}");
    }
}

#[test]
fn model_catalog_has_the_models_of_all_windows() {
    let server = Server::serve(&[]);
    let mut editor = Editor::with_models(&server.home, &[model("here"), model("both")]);
    let listed = |editor: &mut Editor| -> Vec<String> {
        editor.expect_model_catalog().models.into_iter().map(|offered| offered.request_name).collect()
    };
    editor.send(0, &FromEditor::Watch(Watch { enabled: true }));
    assert_eq!(listed(&mut editor), ["here", "both"]);

    let mut other = Editor::attach(&server.home);
    let elsewhere = ModelInfo { vendor: "other".into(), ..model("both") };
    let models = vec![elsewhere.clone(), model("there")];
    other.send(0, &FromEditor::Models(Models { models }));
    let catalogue = editor.expect_model_catalog();
    let asks: Vec<&str> = catalogue.models.iter().map(|offered| offered.request_name.as_str()).collect();
    assert_eq!(asks, ["here", "both", "other/both", "there"]);
    assert_eq!(catalogue.models[2].model, elsewhere);

    drop(other);
    assert_eq!(listed(&mut editor), ["here", "both"]);
}

#[test]
fn bodies_are_captured_only_while_the_setting_is_on() {
    let server = Server::serve(&[]);
    let mut editor = Editor::with_models(&server.home, &[model("m")]);
    let prefer = |editor: &mut Editor, log_requests_to_ui| {
        editor.send(0, &FromEditor::UserSettings(UserSettings { log_requests_to_ui, ..user_settings() }));
    };
    prefer(&mut editor, true);
    let mut panel = Panel::open(&mut editor);
    let body = streamed_request("a secret");
    let mut client = server.client();
    let request = Request::post(CHAT, &body).header("authorization", "Bearer secret");
    client.send(&request.header("anthropic-beta", "a,b").header("x-copilot-proxy-workspace", "/work"));
    let (stream_id, _) = editor.expect_chat();
    editor.respond(stream_id, "an answer");
    let events: String = client.stream().rest().iter().map(|event| format!("{event}\n\n")).collect();
    let ended = panel.wait_for_last(&mut editor, |last| last.outcome != Outcome::Running);
    assert!(ended.has_exchange);
    let body_text = |text: String| Some(CapturedBody { bytes: text.len() as u64, text, truncated: false });
    let headers = [("x-copilot-proxy-workspace", "/work"), ("anthropic-beta", "a,b")];
    let headers = headers.map(|(name, value)| (name.into(), value.into())).into();
    assert_eq!(
        get_exchange(&mut editor, &ended.id),
        Exchange {
            id: ended.id.clone(),
            headers,
            request: body_text(body.to_string()),
            response: body_text(events)
        }
    );

    let refused = server.post(CHAT, &with(chat("x"), &json!({ "model": "unknown" })));
    let failed = panel.wait_for_last(&mut editor, |last| matches!(last.outcome, Outcome::Failed { .. }));
    assert_eq!(get_exchange(&mut editor, &failed.id).response, body_text(refused.text().to_owned()));

    prefer(&mut editor, false);
    panel.wait_for_last(&mut editor, |last| !last.has_exchange);
    assert_eq!(
        get_exchange(&mut editor, &ended.id),
        Exchange { id: ended.id, headers: Vec::new(), request: None, response: None }
    );
}

#[test]
fn cancelled_request_reaches_the_provider_and_fails_without_a_retry() {
    let server = Server::serve(&[]);
    let mut editor = Editor::with_models(&server.home, &[model("m")]);
    let mut panel = Panel::open(&mut editor);
    let cancel = |editor: &mut Editor, panel: &mut Panel, stream_id, written: u64| {
        let running = panel.wait_for_last(editor, |last| {
            last.outcome == Outcome::Running && last.model.is_some() && last.characters == written
        });
        let start = Instant::now();
        editor.send(0, &FromEditor::StopRequest(StopRequest { id: running.id }));
        editor.expect_cancel(stream_id);
        assert!(start.elapsed() < Duration::from_millis(100), "{:?}", start.elapsed());
        let ended = panel.wait_for_last(editor, |last| last.outcome != Outcome::Running);
        assert!(matches!(&ended.outcome, Outcome::Failed { kind, .. } if kind == "cancelled"), "{ended:?}");
        ended
    };

    // A stream that has begun: its status was 200.
    let mut client = server.client();
    client.send(&Request::post(CHAT, &streamed_request("Hello")));
    let (stream_id, _) = editor.expect_chat();
    editor.send_text(stream_id, "Wait.");
    let mut stream = client.stream();
    assert!(stream.event().is_some());
    assert_eq!(cancel(&mut editor, &mut panel, stream_id, 5).status, Some(200));
    let events = stream.rest();
    assert!(events.iter().any(|event| event.contains("cancelled in Copilot Proxy")), "{events:?}");

    // A whole response that is being read, and a stream without a first part.
    for body in [with(chat("Hello"), &json!({ "model": "m" })), streamed_request("Hello")] {
        let mut client = server.client();
        client.send(&Request::post(CHAT, &body));
        let (stream_id, _) = editor.expect_chat();
        assert_eq!(cancel(&mut editor, &mut panel, stream_id, 0).status, Some(499));
        let (status, kind, code, _) = client.response().error();
        assert_eq!((status, kind, code), (499, json!("invalid_request_error"), json!("cancelled")));
    }
}
