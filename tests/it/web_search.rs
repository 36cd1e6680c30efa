//! Tools of the web that a vendor's own service would run: the server runs the editor's, in every API that has them.

use copilot_proxy::bridge::protocol::{
    Chat, EditorTool, FromEditor, InvokeTool, ResponsePart, ToEditor, ToolOutput, Tools, UserSettings,
};
use copilot_proxy::conversation::{Content, Message, Part, Tool, ToolCall};
use serde_json::{Value, json};

use crate::client::{Client, Request};
use crate::editor::{Editor, model, user_settings};
use crate::gemini_form;
use crate::openai::{CHAT, chat, with};
use crate::server::Server;
use crate::wait::until;

const MESSAGES: &str = "/v1/messages";
const RESPONSES: &str = "/v1/responses";

/// The simulated editor's first page.
const PAGE: &str = "https://example.com/about";

/// A script that searches and then cites a page.
fn script() -> String {
    format!(
        "say:Let me look. \ncall:web_search {{\"query\":\"ferris\"}}\nthen:\nsay:It is [a crab]({PAGE}), they say."
    )
}

fn messages(text: &str) -> Value {
    json!({
        "model": "scripted-1", "max_tokens": 1000, "messages": [{ "role": "user", "content": text }],
        "tools": [{ "type": "web_search_20250305", "name": "web_search" }],
    })
}

fn responses(text: &str) -> Value {
    json!({ "model": "scripted-1", "input": text, "tools": [{ "type": "web_search" }] })
}

fn types(items: &Value) -> Vec<&str> {
    items.as_array().unwrap().iter().map(|item| item["type"].as_str().unwrap()).collect()
}

/// The data of the events of a stream.
fn events(server: &Server, path: &str, request: &Value) -> Vec<Value> {
    let events = server.stream(path, &with(request.clone(), &json!({ "stream": true }))).rest();
    let data = events.iter().filter_map(|event| event.split_once("data: "));
    data.filter_map(|(_, data)| serde_json::from_str(data).ok()).collect()
}

#[test]
fn messages_have_the_blocks_of_a_search() {
    let server = Server::demo(&[]);
    let response = server.post(MESSAGES, &messages(&script())).json();
    let content = &response["content"];
    assert_eq!(types(content), ["text", "server_tool_use", "web_search_tool_result", "text"], "{response}");
    let id = content[1]["id"].as_str().unwrap();
    assert!(id.starts_with("srvtoolu_"), "{id}");
    assert_eq!(
        (&content[1]["name"], &content[1]["input"]),
        (&json!("web_search"), &json!({ "query": "ferris" }))
    );
    assert_eq!(content[2]["tool_use_id"], id);
    let pages = content[2]["content"].as_array().unwrap();
    assert_eq!(
        (&pages[0]["type"], &pages[0]["url"], &pages[0]["title"]),
        (&json!("web_search_result"), &json!(PAGE), &json!("About ferris"))
    );
    assert_eq!(pages.len(), 2);
    let citation = &content[3]["citations"][0];
    assert_eq!(
        (&citation["type"], &citation["url"], &citation["cited_text"]),
        (&json!("web_search_result_location"), &json!(PAGE), &json!("A page about ferris."))
    );
    assert_eq!(response["stop_reason"], "end_turn");
    assert_eq!(response["usage"]["server_tool_use"]["web_search_requests"], 1);

    let events = events(&server, MESSAGES, &messages(&script()));
    let started = events.iter().filter(|event| event["type"] == "content_block_start");
    let started: Vec<&Value> = started.map(|event| &event["content_block"]["type"]).collect();
    assert_eq!(
        started,
        types(content).iter().map(|kind| json!(kind)).collect::<Vec<_>>().iter().collect::<Vec<_>>()
    );
    let cited = events.iter().find(|event| event["delta"]["type"] == "citations_delta").unwrap();
    assert_eq!(cited["delta"]["citation"], *citation);
    let usage = &events.iter().find(|event| event["type"] == "message_delta").unwrap()["usage"];
    assert_eq!(usage["server_tool_use"]["web_search_requests"], 1);
}

#[test]
fn page_is_read_like_a_search_runs() {
    let server = Server::demo(&[]);
    let script = "call:web_fetch {\"url\":\"https://example.com/about\"}\nthen:\nsay:Read.";
    let tool = json!({ "type": "web_fetch_20250910", "name": "web_fetch" });
    let response = server.post(MESSAGES, &with(messages(script), &json!({ "tools": [tool] }))).json();
    let content = &response["content"];
    assert_eq!(types(content), ["server_tool_use", "web_fetch_tool_result", "text"], "{response}");
    let page = &content[1]["content"];
    assert_eq!((&page["type"], &page["url"]), (&json!("web_fetch_result"), &json!(PAGE)));
    assert_eq!(page["content"]["title"], "Example Page");
    assert!(page["content"]["source"]["data"].as_str().unwrap().contains(PAGE));
    assert_eq!(response["usage"]["server_tool_use"]["web_fetch_requests"], 1);

    let tool = json!({ "type": "web_fetch_20250910", "name": "web_fetch", "allowed_domains": ["docs.rs"] });
    let response = server.post(MESSAGES, &with(messages(script), &json!({ "tools": [tool] }))).json();
    assert_eq!(response["content"][1]["content"]["error_code"], "url_not_allowed");
}

#[test]
fn limits_of_the_tool_hold() {
    let server = Server::demo(&[]);
    let tool = |fields: &Value| {
        let tool = with(json!({ "type": "web_search_20250305", "name": "web_search" }), fields);
        json!({ "tools": [tool] })
    };
    let call = "call:web_search {\"query\":\"ferris\"}";
    let twice = format!("{call}\nthen:\n{call}\nthen:\nsay:Done.");
    let response = server.post(MESSAGES, &with(messages(&twice), &tool(&json!({ "max_uses": 1 })))).json();
    let content = &response["content"];
    assert_eq!(content[3]["content"]["error_code"], "max_uses_exceeded", "{response}");
    assert_eq!(response["usage"]["server_tool_use"]["web_search_requests"], 1);

    for fields in
        [json!({ "blocked_domains": ["example.com"] }), json!({ "allowed_domains": ["docs.example.org"] })]
    {
        let response = server.post(MESSAGES, &with(messages(&script()), &tool(&fields))).json();
        let pages = response["content"][2]["content"].as_array().unwrap();
        assert_eq!(pages.len(), 1, "{response}");
        assert_eq!(pages[0]["url"], "https://docs.example.org/more");
        // Nor does the model read of the other.
        let seen = json!({ "role": "assistant", "content": response["content"] });
        assert!(!seen["content"][3].to_string().contains("citations\":[{"), "{seen}");
    }

    let response = server.post(MESSAGES, &messages("call:web_search {}\nthen:\nsay:Done.")).json();
    assert_eq!(response["content"][1]["content"]["error_code"], "invalid_tool_input");
}

#[test]
fn responses_have_the_item_of_a_search() {
    let server = Server::demo(&[]);
    let request = with(responses(&script()), &json!({ "include": ["web_search_call.action.sources"] }));
    let response = server.post(RESPONSES, &request).json();
    let output = &response["output"];
    assert_eq!(types(output), ["message", "web_search_call", "message"], "{response}");
    let search = &output[1];
    assert_eq!((&search["status"], &search["action"]["query"]), (&json!("completed"), &json!("ferris")));
    assert_eq!(search["action"]["sources"][0], json!({ "type": "url", "url": PAGE }));
    let text = &output[2]["content"][0];
    let annotation = &text["annotations"][0];
    assert_eq!((&annotation["type"], &annotation["url"]), (&json!("url_citation"), &json!(PAGE)));
    let place = |name: &str| usize::try_from(annotation[name].as_u64().unwrap()).unwrap();
    assert_eq!(
        &text["text"].as_str().unwrap()[place("start_index")..place("end_index")],
        format!("[a crab]({PAGE})")
    );

    let events = events(&server, RESPONSES, &request);
    let names: Vec<&str> = events.iter().map(|event| event["type"].as_str().unwrap()).collect();
    let position = |name: &str| {
        names.iter().position(|found| *found == name).unwrap_or_else(|| panic!("{name}: {names:?}"))
    };
    let order = ["in_progress", "searching", "completed"]
        .map(|step| position(&format!("response.web_search_call.{step}")));
    assert!(order.is_sorted());
    assert_eq!(events[position("response.output_text.annotation.added")]["annotation"], *annotation);
    let last = &events.last().unwrap()["response"]["output"];
    assert_eq!(types(last), types(output));
    assert_eq!(last[2]["content"][0]["annotations"], text["annotations"]);
}

#[test]
fn stored_response_goes_on_with_its_search() {
    let server = Server::demo(&[]);
    let first = server.post(RESPONSES, &responses(&script())).json();
    let next = with(responses("dump:"), &json!({ "previous_response_id": first["id"] }));
    let response = server.post(RESPONSES, &next).json();
    let dumped = response["output"][0]["content"][0]["text"].as_str().unwrap_or_else(|| panic!("{response}"));
    assert_eq!(dumped.matches("\"type\":\"tool_result\"").count(), 1, "{dumped}");
    assert!(dumped.contains("About ferris"), "{dumped}");
}

#[test]
fn chat_has_the_links_of_a_search() {
    let server = Server::demo(&[]);
    let request = with(chat(&script()), &json!({ "web_search_options": {} }));
    let response = server.post(CHAT, &request).json();
    let message = &response["choices"][0]["message"];
    let annotation = &message["annotations"][0];
    assert_eq!(
        (&annotation["type"], &annotation["url_citation"]["url"]),
        (&json!("url_citation"), &json!(PAGE))
    );
    let place = |name: &str| usize::try_from(annotation["url_citation"][name].as_u64().unwrap()).unwrap();
    let text = message["content"].as_str().unwrap();
    assert_eq!(text, format!("Let me look. It is [a crab]({PAGE}), they say."));
    assert_eq!(&text[place("start_index")..place("end_index")], format!("[a crab]({PAGE})"));
    assert_eq!(message.get("tool_calls"), None);

    let events = events(&server, CHAT, &request);
    let annotations = events.iter().filter_map(|event| event["choices"][0]["delta"].get("annotations"));
    assert_eq!(annotations.collect::<Vec<_>>(), [&message["annotations"]]);
}

#[test]
fn gemini_has_the_grounding_of_a_search() {
    let server = Server::demo(&[]);
    let request = with(
        gemini_form::request(&[gemini_form::text(&script())]),
        &json!({ "tools": [{ "googleSearch": {} }, { "urlContext": {} }] }),
    );
    let path = gemini_form::generate("scripted-1");
    let response = server.post(&path, &request).json();
    let candidate = &response["candidates"][0];
    let grounding = &candidate["groundingMetadata"];
    assert_eq!(grounding["webSearchQueries"], json!(["ferris"]), "{response}");
    assert_eq!(grounding["groundingChunks"][0], json!({ "web": { "uri": PAGE, "title": "About ferris" } }));
    let support = &grounding["groundingSupports"][0];
    assert_eq!(
        (&support["segment"]["text"], &support["groundingChunkIndices"]),
        (&json!(format!("[a crab]({PAGE})")), &json!([0]))
    );
    let events = events(&server, &gemini_form::in_mode(&path, true), &request);
    assert_eq!(events.last().unwrap()["candidates"][0]["groundingMetadata"], *grounding);

    let script = "call:web_fetch {\"url\":\"https://example.com/about\"}\nthen:\nsay:Read.";
    let request = with(request, &gemini_form::request(&[gemini_form::text(script)]));
    let response = server.post(&path, &request).json();
    assert_eq!(
        response["candidates"][0]["urlContextMetadata"]["urlMetadata"],
        json!([{ "retrievedUrl": PAGE, "urlRetrievalStatus": "URL_RETRIEVAL_STATUS_SUCCESS" }])
    );
}

#[test]
fn search_runs_in_auto_mode_beside_the_editors_tools() {
    let server = Server::demo(&[]);
    let script = "call:web_search {\"query\":\"ferris\"}\ncall:get_time\nthen:\nsay:Done.";
    let auto = json!({ "use_vscode_tools": true, "tool_execution": "auto" });
    let response = server.post(MESSAGES, &with(messages(script), &auto)).json();
    assert_eq!(
        types(&response["content"]),
        ["server_tool_use", "web_search_tool_result", "text"],
        "{response}"
    );
    let ran = response["copilot_proxy"]["tools"].as_array().unwrap();
    assert_eq!(ran.len(), 1);
    assert_eq!(ran[0]["call"]["name"], "get_time");
}

#[test]
fn forced_search_runs_once_and_its_answer_is_text() {
    let server = Server::demo(&[]);
    let forced = json!({ "tool_choice": { "type": "tool", "name": "web_search" } });
    let response = server.post(MESSAGES, &with(messages(&script()), &forced)).json();
    assert_eq!(types(&response["content"]).last(), Some(&"text"), "{response}");
    assert_eq!(response["usage"]["server_tool_use"]["web_search_requests"], 1);
    let forced = json!({ "tool_choice": { "type": "web_search_preview" } });
    let response = server.post(RESPONSES, &with(responses(&script()), &forced)).json();
    assert!(types(&response["output"]).contains(&"web_search_call"), "{response}");
}

/// An editor whose tools have these names, all with a query.
struct Script {
    server: Server,
    editor: Editor,
}

impl Script {
    fn new() -> Script {
        let server = Server::serve(&[]);
        let editor = Editor::with_models(&server.home, &[model("m")]);
        Script { server, editor }
    }

    fn apply(&mut self, settings: UserSettings) {
        let settings = UserSettings { port: self.server.port, ..settings };
        self.editor.send(0, &FromEditor::UserSettings(settings));
        // Messages of an editor are processed in order.
        self.editor.send_models(&[model("m"), model("n")]);
        let models = || self.server.get("/health").json()["models_available"] == 2;
        until("the settings", || models().then_some(()));
    }

    fn post(&self, path: &str, request: &Value) -> Client {
        let mut client = self.server.client();
        client.send(&Request::post(path, &with(request.clone(), &json!({ "model": "m" }))));
        client
    }

    fn send_tools(&mut self, names: &[&str]) {
        let (stream, message) = self.editor.expect_message();
        assert_eq!(message, ToEditor::ListTools);
        let schema = json!({ "type": "object", "properties": { "query": { "type": "string" } }, "required": ["query"] });
        let tool = |name: &&str| EditorTool {
            tool: Tool {
                name: (*name).into(),
                description: String::new(),
                input_schema: Some(schema.clone()),
            },
            tags: vec![],
        };
        self.editor.send(stream, &FromEditor::Tools(Tools { tools: names.iter().map(tool).collect() }));
    }

    fn send_calls(&mut self, stream: u32, calls: &[(&str, &str, Value)]) {
        for (id, name, input) in calls {
            let call = ToolCall { id: (*id).into(), name: (*name).into(), input: input.clone() };
            self.editor.send(stream, &FromEditor::Part(ResponsePart { part: Part::ToolCall(call) }));
        }
        self.editor.send(stream, &FromEditor::End);
    }

    fn run_tool(&mut self, result: &str) -> InvokeTool {
        match self.editor.expect_message() {
            (stream, ToEditor::InvokeTool(invoke)) => {
                let content = vec![Content::Text { text: result.into() }];
                self.editor.send(stream, &FromEditor::ToolOutput(ToolOutput { content }));
                invoke
            }
            other => panic!("no tool: {other:?}"),
        }
    }

    /// Lets the model search for two things at once and then answer. Returns the requests that it got.
    fn search(&mut self, name: &str) -> (Chat, Chat) {
        let (stream, first) = self.editor.expect_chat();
        self.editor.send_text(stream, "Let me look. ");
        self.send_calls(
            stream,
            &[("c-1", name, json!({ "query": "a" })), ("c-2", name, json!({ "query": "b" }))],
        );
        self.send_tools(&["copilot_searchCodebase", "brave_web_search"]);
        for subject in ["a", "b"] {
            let ran = self.run_tool(&format!(
                "Title: {subject}\nURL: https://{subject}.example\nDescription: {subject}!"
            ));
            assert_eq!((ran.name.as_str(), &ran.input), ("brave_web_search", &json!({ "query": subject })));
        }
        let (stream, second) = self.editor.expect_chat();
        self.editor.respond(stream, "Found.");
        (first, second)
    }
}

fn result_texts(messages: &[Message]) -> Vec<String> {
    let parts = messages.iter().flat_map(|message| &message.parts);
    let results = parts.filter_map(|part| match part {
        Part::ToolResult(result) => Some(&result.content),
        _ => None,
    });
    results
        .flatten()
        .map(|content| match content {
            Content::Text { text } => text.clone(),
            Content::Data(data) => panic!("{data:?}"),
        })
        .collect()
}

/// In each API the next turn begins with what the model has read in this one, byte for byte.
#[test]
fn next_turn_keeps_the_prefix() {
    let next = json!({ "role": "user", "content": "And now?" });
    for dialect in ["messages", "responses", "responses without ids", "chat"] {
        let mut script = Script::new();
        let question = json!({ "role": "user", "content": "What is it?" });
        let own = json!({ "type": "object", "properties": {} });
        let (path, request) = match dialect {
            "messages" => (MESSAGES, with(messages(""), &json!({ "messages": [question] }))),
            "chat" => (
                CHAT,
                json!({ "messages": [question], "web_search_options": {}, "tools": [
                { "type": "function", "function": { "name": "own", "parameters": own } }
            ] }),
            ),
            _ => (RESPONSES, with(responses(""), &json!({ "input": [question], "store": false }))),
        };
        let request = match dialect {
            // Beside a tool of the client's the editor's are not needed before the model searches.
            "messages" => with(
                request,
                &json!({ "tools": [{ "type": "web_search_20250305", "name": "web_search" }, { "name": "own", "input_schema": own }] }),
            ),
            "chat" => request,
            _ => with(
                request,
                &json!({ "tools": [{ "type": "web_search" }, { "type": "function", "name": "own", "parameters": own }] }),
            ),
        };
        let mut client = script.post(path, &request);
        let (first, second) = script.search("web_search");
        assert!(second.messages.starts_with(&first.messages), "{dialect}");
        assert_eq!(second.tools, first.tools);
        assert_eq!(result_texts(&second.messages).len(), 2, "{dialect}");
        let response = client.response().json();
        let history = match dialect {
            "messages" => {
                json!({ "messages": [question, { "role": "assistant", "content": response["content"] }, next] })
            }
            "chat" => json!({ "messages": [question, response["choices"][0]["message"], next] }),
            _ => {
                let mut items = vec![question];
                items.extend(response["output"].as_array().unwrap().iter().cloned());
                if dialect.ends_with("ids") {
                    for item in &mut items {
                        item.as_object_mut().unwrap().remove("id");
                    }
                }
                items.push(next.clone());
                json!({ "input": items })
            }
        };
        let mut client = script.post(path, &with(request, &history));
        let (stream, third) = script.editor.expect_chat();
        script.editor.respond(stream, "Nothing.");
        assert_eq!(client.response().status, 200);
        assert!(
            third.messages.starts_with(&second.messages),
            "{dialect}: {:#?}\n{:#?}",
            second.messages,
            third.messages
        );
        assert_eq!(third.tools, second.tools);
    }
}

#[test]
fn without_a_search_tool_the_request_goes_on() {
    let tool =
        json!({ "type": "function", "name": "own", "parameters": { "type": "object", "properties": {} } });
    let mut script = Script::new();
    // As Codex sends it: the tool is listed in each request.
    let search = json!({ "type": "web_search", "external_web_access": false });
    let request =
        with(responses("Hello"), &json!({ "tools": [tool, search], "stream": true, "store": false }));
    let client = script.post(RESPONSES, &request);
    let (stream, chat) = script.editor.expect_chat();
    assert_eq!(chat.tools.iter().map(|tool| tool.name.as_str()).collect::<Vec<_>>(), ["own", "web_search"]);
    script.send_calls(stream, &[("c", "web_search", json!({ "query": "x" }))]);
    script.send_tools(&["copilot_searchCodebase", "github_search_code"]);
    let (stream, chat) = script.editor.expect_chat();
    let words = result_texts(&chat.messages).concat();
    assert!(words.contains("duckduckgo-mcp-server"), "{words}");
    script.editor.respond(stream, "Without the web: ...");
    let events = client.stream().rest();
    let done =
        events.iter().find(|event| event.contains("output_item.done") && event.contains("web_search_call"));
    assert!(done.is_some_and(|event| event.contains("\"status\":\"failed\"")), "{events:?}");
    assert!(events.last().unwrap().contains("response.completed"));

    let own = json!({ "name": "own", "input_schema": { "type": "object" } });
    let request = with(messages("Hello"), &json!({ "tools": [messages("")["tools"][0], own] }));
    let mut client = script.post(MESSAGES, &request);
    let (stream, _) = script.editor.expect_chat();
    script.send_calls(stream, &[("c", "web_search", json!({ "query": "x" }))]);
    script.send_tools(&[]);
    let (stream, _) = script.editor.expect_chat();
    script.editor.respond(stream, "Without the web: ...");
    let response = client.response().json();
    let error = &response["content"][1]["content"];
    assert_eq!(
        (&error["type"], &error["error_code"]),
        (&json!("web_search_tool_result_error"), &json!("unavailable"))
    );
    assert!(error["message"].as_str().unwrap().contains("duckduckgo-mcp-server"), "{error}");
    assert_eq!(response["usage"]["server_tool_use"], Value::Null);
}

#[test]
fn without_a_search_tool_a_forced_or_only_one_is_refused() {
    let own =
        json!({ "type": "function", "name": "own", "parameters": { "type": "object", "properties": {} } });
    let function = json!({ "type": "function", "function": own });
    let gemini = with(
        gemini_form::request(&[gemini_form::text("Hello")]),
        &json!({ "tools": [{ "googleSearch": {} }] }),
    );
    for (path, request, place) in [
        (MESSAGES, messages("Hello"), "tools[0]"),
        (
            MESSAGES,
            with(
                messages("Hello"),
                &json!({
                    "tools": [{ "name": "own", "input_schema": { "type": "object" } }, messages("")["tools"][0]],
                    "tool_choice": { "type": "tool", "name": "web_search" },
                }),
            ),
            "tools[1]",
        ),
        (RESPONSES, responses("Hello"), "tools"),
        (
            RESPONSES,
            with(
                responses("Hello"),
                &json!({ "tools": [own, { "type": "web_search" }], "tool_choice": { "type": "web_search" } }),
            ),
            "tools",
        ),
        (CHAT, with(chat("Hello"), &json!({ "web_search_options": {} })), "web_search_options"),
        ("/v1beta/models/m:generateContent", gemini, "tools[0].googleSearch"),
    ] {
        let mut script = Script::new();
        let mut client = script.post(path, &request);
        script.send_tools(&["copilot_searchCodebase"]);
        let response = client.response();
        assert_eq!(response.status, 400, "{path} {}", response.text());
        let message = response.json()["error"]["message"].as_str().unwrap().to_owned();
        assert!(
            message.starts_with(&format!("{place}: VS Code has no tool that searches the web")),
            "{message}"
        );
        // Beside other tools a request that searches if it can is answered.
        if path == CHAT {
            let mut client = script.post(path, &with(request, &json!({ "tools": [function] })));
            let (stream, _) = script.editor.expect_chat();
            script.editor.respond(stream, "Hi");
            assert_eq!(client.response().status, 200);
        }
    }
}

#[test]
fn setting_names_the_search_tool() {
    let mut script = Script::new();
    let settings = UserSettings { web_search_tool: "Lookup".into(), ..user_settings() };
    script.apply(settings);
    let mut client = script.post(MESSAGES, &messages("Hello"));
    script.send_tools(&["brave_web_search", "lookup"]);
    let (stream, _) = script.editor.expect_chat();
    script.send_calls(stream, &[("c", "web_search", json!({ "query": "x" }))]);
    assert_eq!(script.run_tool("https://a.example").name, "lookup");
    let (stream, _) = script.editor.expect_chat();
    script.editor.respond(stream, "Found.");
    assert_eq!(client.response().status, 200);

    let mut client = script.post(MESSAGES, &messages("Hello"));
    script.send_tools(&["brave_web_search"]);
    let response = client.response();
    assert!(
        response.status == 400 && response.text().contains("copilotProxy.webSearchTool` names `Lookup`"),
        "{}",
        response.text()
    );
}

#[test]
fn foreign_page_runs_no_search() {
    let mut script = Script::new();
    let page = "https://page.test";
    let settings = UserSettings { allowed_origins: vec![page.into()], ..user_settings() };
    script.apply(settings);
    let own = json!({ "name": "own", "input_schema": { "type": "object" } });
    let search = messages("")["tools"][0].clone();
    let both = with(messages("Hello"), &json!({ "model": "m", "tools": [search, own] }));
    let mut client = script.server.client();
    client.send(&Request::post(MESSAGES, &both).header("origin", page));
    let (stream, _) = script.editor.expect_chat();
    script.send_calls(stream, &[("c", "web_search", json!({ "query": "x" }))]);
    // The editor's tools are not even listed.
    let (stream, chat) = script.editor.expect_chat();
    assert!(result_texts(&chat.messages).concat().contains("toolOrigins"), "{:?}", chat.messages);
    script.editor.respond(stream, "No.");
    assert_eq!(client.response().json()["content"][1]["content"]["error_code"], "unavailable");

    let only = with(messages("Hello"), &json!({ "model": "m" }));
    let mut client = script.server.client();
    client.send(&Request::post(MESSAGES, &only).header("origin", page));
    assert_eq!(client.response().status, 403);
}
