//! `tool_choice` in all dialects that have it. The provider passes it on to some models only, and its cache wants the
//! same tools in every turn. So the tools stay, the model is instructed, and its calls are checked.

use copilot_proxy::bridge::protocol::{Chat, FromEditor, ResponsePart};
use copilot_proxy::conversation::{Message, Part, Role, ToolCall};
use serde_json::{Value, json};

use crate::client::{Request, Response};
use crate::editor::{Editor, model};
use crate::gemini_form;
use crate::openai::with;
use crate::server::Server;

/// A dialect that has `tool_choice`.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Dialect {
    Chat,
    Messages,
    Responses,
    Gemini,
}

const DIALECTS: [Dialect; 4] = [Dialect::Chat, Dialect::Messages, Dialect::Responses, Dialect::Gemini];

/// A choice of the client, in the words of no dialect.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Choice {
    Auto,
    Forbidden,
    Required,
    Named(&'static str),
    /// Only this tool, called or not.
    Allowed(&'static str),
}

impl Dialect {
    fn path(self) -> &'static str {
        match self {
            Dialect::Chat => "/v1/chat/completions",
            Dialect::Messages => "/v1/messages",
            Dialect::Responses => "/v1/responses",
            Dialect::Gemini => "/v1beta/models/m:generateContent",
        }
    }

    /// A request with these tools and this choice; none if the dialect lacks the choice.
    fn request(self, tools: &[&str], choice: Choice, stream: bool) -> Option<Request> {
        if self == Dialect::Gemini {
            return Some(self.gemini_request(tools, choice, stream));
        }
        let schema = json!({ "type": "object", "properties": {} });
        let tool = |name: &&str| match self {
            Dialect::Chat => {
                json!({ "type": "function", "function": { "name": name, "parameters": schema } })
            }
            Dialect::Messages => json!({ "name": name, "input_schema": schema }),
            Dialect::Responses | Dialect::Gemini => {
                json!({ "type": "function", "name": name, "parameters": schema })
            }
        };
        let reference = |name: &str| match self {
            Dialect::Chat => json!({ "type": "function", "function": { "name": name } }),
            Dialect::Messages => json!({ "type": "tool", "name": name }),
            Dialect::Responses | Dialect::Gemini => json!({ "type": "function", "name": name }),
        };
        let choice = match (self, choice) {
            (Dialect::Messages, Choice::Auto) => json!({ "type": "auto" }),
            (Dialect::Messages, Choice::Forbidden) => json!({ "type": "none" }),
            (Dialect::Messages, Choice::Required) => json!({ "type": "any" }),
            (Dialect::Messages, Choice::Allowed(_)) => return None,
            (_, Choice::Auto) => json!("auto"),
            (_, Choice::Forbidden) => json!("none"),
            (_, Choice::Required) => json!("required"),
            (_, Choice::Named(name)) => reference(name),
            (Dialect::Chat, Choice::Allowed(name)) => json!({
                "type": "allowed_tools",
                "allowed_tools": { "mode": "auto", "tools": [reference(name)] },
            }),
            (Dialect::Responses | Dialect::Gemini, Choice::Allowed(name)) => {
                json!({ "type": "allowed_tools", "mode": "auto", "tools": [reference(name)] })
            }
        };
        let tools: Vec<Value> = tools.iter().map(tool).collect();
        let request = json!({ "model": "m", "stream": stream, "tools": tools, "tool_choice": choice });
        let messages = json!([{ "role": "user", "content": "Hello" }]);
        let body = match self {
            Dialect::Chat => with(request, &json!({ "messages": messages })),
            Dialect::Messages => with(request, &json!({ "messages": messages, "max_tokens": 100 })),
            Dialect::Responses | Dialect::Gemini => with(request, &json!({ "input": messages })),
        };
        Some(Request::post(self.path(), &body).header("anthropic-version", "2023-06-01"))
    }

    fn gemini_request(self, tools: &[&str], choice: Choice, stream: bool) -> Request {
        let config = match choice {
            Choice::Auto => json!({ "mode": "AUTO" }),
            Choice::Forbidden => json!({ "mode": "NONE" }),
            Choice::Required => json!({ "mode": "ANY" }),
            Choice::Named(name) => json!({ "mode": "ANY", "allowedFunctionNames": [name] }),
            Choice::Allowed(name) => json!({ "mode": "VALIDATED", "allowedFunctionNames": [name] }),
        };
        let tools: Vec<Value> = tools
            .iter()
            .map(|name| json!({ "name": name, "parameters": { "type": "OBJECT", "properties": {} } }))
            .collect();
        let body = with(
            gemini_form::request(&[gemini_form::text("Hello")]),
            &json!({
                "tools": [{ "functionDeclarations": tools }],
                "toolConfig": { "functionCallingConfig": config },
            }),
        );
        Request::post(&gemini_form::in_mode(self.path(), stream), &body)
    }
}

/// A response of the model: text, then calls of these tools.
struct Answer(&'static str, &'static [&'static str]);

fn answer(editor: &mut Editor, stream: u32, Answer(text, calls): &Answer) {
    if !text.is_empty() {
        editor.send_text(stream, text);
    }
    for name in *calls {
        let call = ToolCall { id: format!("id_{stream}_{name}"), name: (*name).into(), input: json!({}) };
        editor.send(stream, &FromEditor::Part(ResponsePart { part: Part::ToolCall(call) }));
    }
    editor.send(stream, &FromEditor::End);
}

/// The requests that the editor gets for one of a client, answered in turn, and the client's response.
fn exchange(
    server: &Server,
    editor: &mut Editor,
    request: &Request,
    answers: &[Answer],
) -> (Vec<Chat>, Response) {
    let mut client = server.client();
    client.send(request);
    let mut chats = Vec::new();
    for one in answers {
        let (stream, chat) = editor.expect_chat();
        answer(editor, stream, one);
        chats.push(chat);
    }
    (chats, client.response())
}

fn serve() -> (Server, Editor) {
    let server = Server::serve(&[]);
    let editor = Editor::with_models(&server.home, &[model("m")]);
    (server, editor)
}

fn names(chat: &Chat) -> Vec<&str> {
    chat.tools.iter().map(|tool| tool.name.as_str()).collect()
}

/// The text of a message of the user that has nothing else.
fn instruction(message: &Message) -> &str {
    match message.parts.as_slice() {
        [Part::Text { text }] if message.role == Role::User => text,
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_choice_sends_the_same_tools_and_ends_with_an_instruction() {
    let (server, mut editor) = serve();
    for dialect in DIALECTS {
        for choice in
            [Choice::Auto, Choice::Forbidden, Choice::Required, Choice::Named("b"), Choice::Allowed("b")]
        {
            let Some(request) = dialect.request(&["a", "b"], choice, false) else { continue };
            let (chats, response) = exchange(&server, &mut editor, &request, &[Answer("Hi", &["b"])]);
            assert_eq!(response.status, 200, "{dialect:?} {choice:?}: {}", response.text());
            let [chat] = chats.as_slice() else { panic!("{chats:?}") };
            assert_eq!((names(chat), chat.required), (vec!["a", "b"], false), "{dialect:?} {choice:?}");
            let (first, rest) = chat.messages.split_first().unwrap();
            assert_eq!(*first, Message::text(Role::User, "Hello"));
            match (choice, rest) {
                (Choice::Auto, []) => {}
                (Choice::Auto, _) | (_, [] | [_, _, ..]) => panic!("{dialect:?} {choice:?}: {rest:?}"),
                (Choice::Named(name) | Choice::Allowed(name), [last]) => {
                    assert!(instruction(last).contains(&format!("`{name}`")), "{last:?}");
                }
                (Choice::Forbidden | Choice::Required, [last]) => {
                    assert!(instruction(last).contains("call"), "{last:?}");
                }
            }
        }
    }
}

#[test]
fn single_client_tool_is_required_of_provider_and_model() {
    let (server, mut editor) = serve();
    for dialect in DIALECTS {
        for choice in [Choice::Required, Choice::Named("a")] {
            let request = dialect.request(&["a"], choice, false).unwrap();
            let (chats, response) =
                exchange(&server, &mut editor, &request, &[Answer("No.", &[]), Answer("", &["a"])]);
            assert_eq!(response.status, 200, "{dialect:?} {choice:?}: {}", response.text());
            assert!(!response.text().contains("No."), "{}", response.text());
            for chat in &chats {
                assert_eq!((names(chat), chat.required), (vec!["a"], true), "{dialect:?} {choice:?}");
                assert!(instruction(chat.messages.last().unwrap()).contains("call"));
            }
            assert!(chats[1].messages.starts_with(&chats[0].messages));
        }
    }
}

#[test]
fn call_against_the_choice_is_dropped_and_counted() {
    let (server, mut editor) = serve();
    for dialect in DIALECTS {
        for (choice, calls) in [
            (Choice::Forbidden, &["a", "b"] as &[_]),
            (Choice::Named("b"), &["a", "b"]),
            (Choice::Allowed("b"), &["a"]),
        ] {
            for stream in [false, true] {
                let Some(request) = dialect.request(&["a", "b"], choice, stream) else { continue };
                let (_, response) = exchange(&server, &mut editor, &request, &[Answer("Words.", calls)]);
                let (text, dropped) = (response.text(), if choice == Choice::Forbidden { 2 } else { 1 });
                assert_eq!(response.status, 200, "{dialect:?} {choice:?}: {text}");
                assert!(text.contains("Words.") && !text.contains("_a\""), "{dialect:?} {choice:?}: {text}");
                assert_eq!(text.contains("_b\""), choice == Choice::Named("b"), "{dialect:?}: {text}");
                let count = format!("\"dropped_calls\":{dropped}}}");
                assert_eq!(
                    text.matches(&count).count(),
                    1,
                    "{dialect:?} {choice:?}, stream {stream}: {text}"
                );
                let finish = match (dialect, choice) {
                    (Dialect::Chat, Choice::Named(_)) => "\"finish_reason\":\"tool_calls\"",
                    (Dialect::Chat, _) => "\"finish_reason\":\"stop\"",
                    (Dialect::Messages, Choice::Named(_)) => "\"stop_reason\":\"tool_use\"",
                    (Dialect::Messages, _) => "\"stop_reason\":\"end_turn\"",
                    (Dialect::Responses, _) => "\"status\":\"completed\"",
                    (Dialect::Gemini, _) => "\"finishReason\":\"STOP\"",
                };
                assert!(text.contains(finish), "{dialect:?} {choice:?}: {text}");
            }
        }
    }
    editor.expect_log("tool call dropped");
}

#[test]
fn response_of_dropped_calls_only_is_retried_once() {
    let (server, mut editor) = serve();
    for dialect in DIALECTS {
        for (choice, second) in [
            (Choice::Forbidden, Answer("Words.", &[])),
            (Choice::Named("b"), Answer("Words.", &["b"])),
            (Choice::Allowed("b"), Answer("Words.", &["b"])),
        ] {
            for stream in [false, true] {
                let Some(request) = dialect.request(&["a", "b"], choice, stream) else { continue };
                let answers = [Answer("", &["a"]), Answer(second.0, second.1)];
                let (chats, response) = exchange(&server, &mut editor, &request, &answers);
                let text = response.text();
                assert_eq!(response.status, 200, "{dialect:?} {choice:?}: {text}");
                assert!(text.contains("Words.") && text.contains("\"dropped_calls\":1}"), "{text}");
                assert_eq!(chats[0].tools, chats[1].tools);
                let added = chats[1].messages.strip_prefix(chats[0].messages.as_slice()).unwrap();
                let [called, result, last] = added else { panic!("{added:?}") };
                assert!(matches!(called.parts.as_slice(), [Part::ToolCall(call)] if call.name == "a"));
                assert!(matches!(result.parts.as_slice(), [Part::ToolResult(result)] if result.is_error));
                assert!(instruction(last).contains(instruction(chats[0].messages.last().unwrap())));
            }
        }
    }
}

#[test]
fn second_response_against_the_choice_is_an_error_without_its_text() {
    let (server, mut editor) = serve();
    for dialect in DIALECTS {
        for choice in [Choice::Required, Choice::Named("b"), Choice::Forbidden] {
            for stream in [false, true] {
                let request = dialect.request(&["a", "b"], choice, stream).unwrap();
                let bad = || match choice {
                    Choice::Required => Answer("Words.", &[]),
                    Choice::Named(_) => Answer("Words.", &["a"]),
                    _ => Answer("", &["a"]),
                };
                let (chats, response) = exchange(&server, &mut editor, &request, &[bad(), bad()]);
                let text = response.text();
                assert_eq!((chats.len(), response.status), (2, 502), "{dialect:?} {choice:?}: {text}");
                assert!(text.contains("tool_choice") && !text.contains("Words."), "{dialect:?}: {text}");
            }
        }
    }
}
