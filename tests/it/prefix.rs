//! The prefix rule: what the editor gets in one turn stands at the beginning of what it gets in the next one, tools
//! included, because the provider caches the prefix of a request. A message of the server's own, an instruction for one
//! turn, may follow. The turns are those of coding agents (`recordings`).

use copilot_proxy::bridge::protocol::{
    Chat, EditorTool, FromEditor, ResponsePart, ToEditor, ToolOutput, Tools,
};
use copilot_proxy::conversation::{Content, Message, Part, Role, Tool, ToolCall};
use serde_json::{Value, json};

use crate::client::Request;
use crate::editor::{Editor, model};
use crate::gemini_form;
use crate::openai::with;
use crate::recordings::{Exchange, Recording, recordings};
use crate::server::Server;

/// Models of different kinds: what is sent may differ between them, but not from turn to turn.
const MODELS: [&str; 3] = ["m", "auto", "claude-m"];

fn serve() -> (Server, Editor) {
    let server = Server::serve(&[]);
    let editor = Editor::with_models(&server.home, &MODELS.map(model));
    (server, editor)
}

/// Sends a request whose response is one text, and returns what the editor got.
fn sent(server: &Server, editor: &mut Editor, request: &Request, respond: impl Fn(&mut Editor, u32)) -> Chat {
    let mut client = server.client();
    client.send(request);
    let (stream, chat) = editor.expect_chat();
    respond(editor, stream);
    let response = client.response();
    assert_eq!(response.status, 200, "{}", response.text());
    chat
}

fn say_done(editor: &mut Editor, stream: u32) {
    editor.respond(stream, "Done.");
}

/// Checks every request that continues an earlier one of these; returns how many do.
fn check_turns(name: &str, turns: &[(&Value, Chat)]) -> usize {
    let mut continued = 0;
    for (number, (body, chat)) in turns.iter().enumerate() {
        let earlier = turns[..number].iter().rev().find(|(before, _)| continues(before, body));
        let Some((_, before)) = earlier else { continue };
        continued += 1;
        assert_eq!(before.tools, chat.tools, "{name}, request {number}: tools");
        for (index, message) in before.messages.iter().enumerate() {
            assert_eq!(chat.messages.get(index), Some(message), "{name}, request {number}, message {index}");
        }
    }
    continued
}

/// Parts that a client itself keeps from turn to turn: system prompt, tools, and the messages. Marks for Anthropic's
/// cache move to the newest message in each turn and mean nothing here.
fn client_side(body: &Value) -> (Value, Value, Vec<Value>) {
    fn without_marks(value: &Value) -> Value {
        match value {
            Value::Array(items) => items.iter().map(without_marks).collect(),
            Value::Object(fields) => {
                let kept = fields.iter().filter(|(name, _)| *name != "cache_control");
                Value::Object(kept.map(|(name, value)| (name.clone(), without_marks(value))).collect())
            }
            other => other.clone(),
        }
    }
    let body = without_marks(body);
    let messages = body.get("messages").or_else(|| body.get("input")).unwrap().as_array().unwrap().clone();
    (body["system"].clone(), body["tools"].clone(), messages)
}

/// Whether a request continues an earlier one without changing what it sent then.
fn continues(before: &Value, now: &Value) -> bool {
    let (before, now) = (client_side(before), client_side(now));
    (&before.0, &before.1) == (&now.0, &now.1) && now.2.len() > before.2.len() && now.2.starts_with(&before.2)
}

/// Least number of requests of a recording that continue an earlier one.
fn expected(recording: &Recording) -> usize {
    // aider's conversations are not append-only: it moves its reminders to the end.
    if recording.name == "aider" { 0 } else { 2 }
}

#[test]
fn each_turn_of_an_agent_is_a_prefix_of_the_next_one() {
    let (server, mut editor) = serve();
    for recording in recordings() {
        for model in MODELS {
            let mut turns = Vec::new();
            for exchange in &recording.exchanges {
                let request = exchange.request(&with(exchange.body.clone(), &json!({ "model": model })));
                turns.push((&exchange.body, sent(&server, &mut editor, &request, say_done)));
            }
            let continued = check_turns(&recording.name, &turns);
            assert!(continued >= expected(&recording), "{}: {continued} requests", recording.name);
        }
    }
}

/// Agents that speak OpenAI's chat API, as if they spoke Ollama's.
#[test]
fn each_turn_by_ollamas_api_is_a_prefix_of_the_next_one() {
    let (server, mut editor) = serve();
    let mut agents = 0;
    for recording in recordings() {
        let bodies: Vec<Value> = recording.exchanges.iter().filter_map(as_ollama).collect();
        let mut turns = Vec::new();
        for body in &bodies {
            turns.push((body, sent(&server, &mut editor, &Request::post("/api/chat", body), say_done)));
        }
        agents += usize::from(check_turns(&recording.name, &turns) >= 2);
    }
    assert!(agents >= 3, "{agents} agents");
}

/// The request in Ollama's API, if it is one of OpenAI's chat API.
fn as_ollama(exchange: &Exchange) -> Option<Value> {
    let messages = exchange.body.get("messages").filter(|_| exchange.path.contains("chat/completions"))?;
    let message = |message: &Value| {
        let content = match &message["content"] {
            Value::Array(parts) => parts.iter().filter_map(|part| part["text"].as_str()).collect(),
            content => content.as_str().unwrap_or_default().to_owned(),
        };
        let call = |call: &Value| {
            let arguments: Value =
                serde_json::from_str(call["function"]["arguments"].as_str().unwrap()).unwrap();
            json!({ "id": call["id"], "function": { "name": call["function"]["name"], "arguments": arguments } })
        };
        let calls: Vec<Value> = message["tool_calls"].as_array().into_iter().flatten().map(call).collect();
        let fields = match message["tool_call_id"].as_str() {
            Some(id) => json!({ "tool_call_id": id }),
            None if calls.is_empty() => json!({}),
            None => json!({ "tool_calls": calls }),
        };
        with(json!({ "role": message["role"], "content": content }), &fields)
    };
    let messages: Vec<Value> = messages.as_array().unwrap().iter().map(message).collect();
    Some(json!({ "model": "m", "stream": false, "messages": messages, "tools": exchange.body["tools"] }))
}

/// A requirement on the response.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Requirement {
    NoCall,
    SomeCall,
    NamedCall,
    Json,
    JsonAndNoCall,
}

const REQUIREMENTS: [Requirement; 5] = [
    Requirement::NoCall,
    Requirement::SomeCall,
    Requirement::NamedCall,
    Requirement::Json,
    Requirement::JsonAndNoCall,
];

/// The body of a request with a requirement, in its dialect.
fn require(exchange: &Exchange, requirement: Requirement, tool: &str) -> Value {
    let mut body = exchange.body.clone();
    let is_messages = exchange.path.contains("messages");
    let is_responses = exchange.path.contains("responses");
    if let Some(word) = match requirement {
        Requirement::NoCall | Requirement::JsonAndNoCall => Some("none"),
        Requirement::SomeCall if is_messages => Some("any"),
        Requirement::SomeCall => Some("required"),
        Requirement::NamedCall | Requirement::Json => None,
    } {
        body["tool_choice"] = if is_messages { json!({ "type": word }) } else { word.into() };
    }
    if requirement == Requirement::NamedCall {
        body["tool_choice"] = match (is_messages, is_responses) {
            (true, _) => json!({ "type": "tool", "name": tool }),
            (_, true) => json!({ "type": "function", "name": tool }),
            _ => json!({ "type": "function", "function": { "name": tool } }),
        };
    }
    if matches!(requirement, Requirement::Json | Requirement::JsonAndNoCall) {
        let schema = json!({ "type": "object", "properties": {} });
        if is_messages {
            body["output_config"]["format"] = json!({ "type": "json_schema", "schema": schema });
        } else if is_responses {
            body["text"]["format"] = json!({ "type": "json_schema", "name": "answer", "schema": schema });
        } else {
            let format = json!({ "name": "answer", "schema": schema });
            body["response_format"] = json!({ "type": "json_schema", "json_schema": format });
        }
    }
    body
}

/// A requirement of one turn leaves the prefix as it is without, so that turns with and without one can follow each
/// other.
#[test]
fn requirement_on_the_response_only_adds_a_last_message() {
    let (server, mut editor) = serve();
    for recording in recordings() {
        for (number, exchange) in recording.exchanges.iter().enumerate() {
            let plain = sent(&server, &mut editor, &exchange.request(&exchange.body), say_done);
            let Some(tool) = plain.tools.first().map(|tool| tool.name.clone()) else { continue };
            for requirement in REQUIREMENTS {
                let place = format!("{}, request {number}, {requirement:?}", recording.name);
                let request = exchange.request(&require(exchange, requirement, &tool));
                let chat = sent(&server, &mut editor, &request, |editor, stream| match requirement {
                    Requirement::NoCall => say_done(editor, stream),
                    Requirement::SomeCall | Requirement::NamedCall => {
                        let call = ToolCall { id: "id".into(), name: tool.clone(), input: json!({}) };
                        editor.send(stream, &FromEditor::Part(ResponsePart { part: Part::ToolCall(call) }));
                        editor.send(stream, &FromEditor::End);
                    }
                    Requirement::Json | Requirement::JsonAndNoCall => editor.respond(stream, "{}"),
                });
                // The tool that carries the schema comes last.
                let has_schema = matches!(requirement, Requirement::Json | Requirement::JsonAndNoCall);
                assert_eq!(chat.tools.len(), plain.tools.len() + usize::from(has_schema), "{place}");
                assert!(chat.tools.starts_with(&plain.tools), "{place}: tools");
                let added = chat.messages.strip_prefix(plain.messages.as_slice());
                let Some([Message { role: Role::User, parts, .. }]) = added else {
                    panic!("{place}: {:?}", chat.messages.last())
                };
                assert!(matches!(parts.as_slice(), [Part::Text { .. }]), "{place}: {parts:?}");
            }
        }
    }
}

/// A recorded response, as the parts that the model gave.
fn recorded_parts(output: &[Value]) -> Vec<Part> {
    let text = |text: &Value| Part::text(text.as_str().unwrap());
    let call = |id: &Value, name: &Value, input: Value| {
        Part::ToolCall(ToolCall {
            id: id.as_str().unwrap().into(),
            name: name.as_str().unwrap().into(),
            input,
        })
    };
    let arguments = |arguments: &Value| serde_json::from_str(arguments.as_str().unwrap()).unwrap();
    let mut parts = Vec::new();
    for item in output {
        match item["type"].as_str() {
            Some("text") => parts.push(text(&item["text"])),
            Some("tool_use") => parts.push(call(&item["id"], &item["name"], item["input"].clone())),
            Some("message") => parts.push(text(&item["content"][0]["text"])),
            Some("function_call") => {
                parts.push(call(&item["call_id"], &item["name"], arguments(&item["arguments"])));
            }
            None => {
                parts.extend(item["content"].as_str().filter(|it| !it.is_empty()).map(Part::text));
                for one in item["tool_calls"].as_array().into_iter().flatten() {
                    let function = &one["function"];
                    parts.push(call(&one["id"], &function["name"], arguments(&function["arguments"])));
                }
            }
            Some("thinking" | "reasoning") => {}
            Some(other) => panic!("{other}"),
        }
    }
    parts
}

fn respond_with(editor: &mut Editor, stream: u32, parts: Vec<Part>) {
    for part in parts {
        editor.send(stream, &FromEditor::Part(ResponsePart { part }));
    }
    editor.send(stream, &FromEditor::End);
}

fn in_auto_mode(body: &Value) -> Value {
    with(body.clone(), &json!({ "use_vscode_tools": true, "tool_execution": "auto" }))
}

/// Runs a request in auto mode: the model calls an editor's tool after the text `before`, then ends with `parts`. Returns
/// both requests that the editor got, and the client's response.
fn round_of_auto_mode(
    server: &Server,
    editor: &mut Editor,
    request: &Request,
    before: &str,
    parts: Vec<Part>,
) -> ([Chat; 2], Value) {
    let mut client = server.client();
    client.send(request);
    match editor.expect_message() {
        (stream, ToEditor::ListTools) => {
            let tool = Tool { name: "editor_look".into(), description: String::new(), input_schema: None };
            let tools = vec![EditorTool { tool, tags: vec![] }];
            editor.send(stream, &FromEditor::Tools(Tools { tools }));
        }
        other => panic!("{other:?}"),
    }
    let (stream, first) = editor.expect_chat();
    let look = ToolCall { id: format!("look_{stream}"), name: "editor_look".into(), input: json!({}) };
    let texts = Some(before).filter(|text| !text.is_empty()).map(Part::text);
    respond_with(editor, stream, texts.into_iter().chain([Part::ToolCall(look)]).collect());
    match editor.expect_message() {
        (stream, ToEditor::InvokeTool(_)) => {
            let content = vec![Content::Text { text: "blue".into() }];
            editor.send(stream, &FromEditor::ToolOutput(ToolOutput { content }));
        }
        other => panic!("{other:?}"),
    }
    let (stream, second) = editor.expect_chat();
    respond_with(editor, stream, parts);
    let response = client.response();
    assert_eq!(response.status, 200, "{}", response.text());
    ([first, second], response.json())
}

#[test]
fn rounds_of_auto_mode_stay_in_the_prefix_of_an_agents_next_turns() {
    let (server, mut editor) = serve();
    for recording in recordings() {
        let mut turns: Vec<(&Value, Chat)> = Vec::new();
        let mut continued = 0;
        for (number, exchange) in recording.exchanges.iter().enumerate() {
            let request = exchange.request(&in_auto_mode(&exchange.body));
            let parts = recorded_parts(&exchange.output);
            let ([first, second], _) = round_of_auto_mode(&server, &mut editor, &request, "", parts);
            let place = format!("{}, request {number}", recording.name);
            assert!(second.messages.starts_with(&first.messages), "{place}: second round");
            let earlier = turns.iter().rev().find(|(before, _)| continues(before, &exchange.body));
            if let Some((_, before)) = earlier {
                continued += 1;
                assert_eq!(before.tools, first.tools, "{place}: tools");
                for (index, message) in before.messages.iter().enumerate() {
                    assert_eq!(first.messages.get(index), Some(message), "{place}, message {index}");
                }
            }
            turns.push((&exchange.body, second));
        }
        assert!(continued >= expected(&recording), "{}: {continued} requests", recording.name);
    }
}

#[test]
fn text_of_rounds_stays_in_its_place_in_the_next_turn() {
    let (server, mut editor) = serve();
    let user = |text: &str| json!({ "role": "user", "content": text });
    const GEMINI: &str = "/v1beta/models/m:generateContent";
    for path in ["/v1/chat/completions", "/v1/messages", "/v1/responses", "/api/chat", GEMINI] {
        let user = |content: &str| if path == GEMINI { gemini_form::text(content) } else { user(content) };
        let mut history = vec![user("Which colour?")];
        let request = |history: &[Value]| {
            let field = match path {
                "/v1/responses" => "input",
                GEMINI => "contents",
                _ => "messages",
            };
            let body = json!({ "model": "m", "max_tokens": 100, "stream": false, field: history });
            Request::post(path, &in_auto_mode(&body))
        };
        let answer = vec![Part::text("It is blue.")];
        let ([_, sent], response) =
            round_of_auto_mode(&server, &mut editor, &request(&history), "Let me look. ", answer);
        match path {
            "/v1/chat/completions" => history.push(response["choices"][0]["message"].clone()),
            "/v1/messages" => history.push(json!({ "role": "assistant", "content": response["content"] })),
            "/v1/responses" => history.extend(response["output"].as_array().unwrap().iter().cloned()),
            GEMINI => history.push(response["candidates"][0]["content"].clone()),
            _ => history.push(response["message"].clone()),
        }
        history.push(user("Sure?"));
        let answer = vec![Part::text("Yes.")];
        let ([next, _], _) = round_of_auto_mode(&server, &mut editor, &request(&history), "", answer);
        assert_eq!(sent.tools, next.tools, "{path}");
        let rest = next.messages.strip_prefix(sent.messages.as_slice());
        let expected = [Message::text(Role::Assistant, "It is blue."), Message::text(Role::User, "Sure?")];
        assert_eq!(rest, Some(expected.as_slice()), "{path}: {:?}", next.messages);
    }
}
