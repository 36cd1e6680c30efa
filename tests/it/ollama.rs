//! Ollama's API: `POST /api/chat`, `POST /api/generate` and the endpoints that describe models.

use copilot_proxy::bridge::protocol::{FromEditor, ResponsePart};
use copilot_proxy::conversation::{Part, ToolCall};
use copilot_proxy::options::MAX_BODY;
use serde_json::{Value, json};

use crate::client::{Request, Response, Stream};
use crate::editor::{Editor, model, person_key};
use crate::openai::{until_stats, with};
use crate::server::Server;

const CHAT: &str = "/api/chat";
const GENERATE: &str = "/api/generate";

/// A request with one user message, for a streamed response: the API's default.
fn streamed(text: &str) -> Value {
    json!({ "model": "scripted-1", "messages": [{ "role": "user", "content": text }] })
}

/// A request with one user message, for a whole response.
fn chat(text: &str) -> Value {
    with(streamed(text), &json!({ "stream": false }))
}

fn stream(server: &Server, text: &str) -> Stream {
    let stream = server.stream(CHAT, &streamed(text));
    assert_eq!(stream.head.status, 200);
    stream
}

fn rest(mut stream: Stream) -> Vec<Value> {
    std::iter::from_fn(|| stream.line()).collect()
}

/// Joins the texts at a JSON pointer of all lines.
fn joined(lines: &[Value], at: &str) -> String {
    lines.iter().filter_map(|line| line.pointer(at)?.as_str()).collect()
}

/// The request as the model received it, from the response of its `dump:` script.
fn dumped(server: &Server, request: &Value) -> Value {
    let response = server.post(CHAT, request).json();
    let content = response["message"]["content"].as_str().unwrap_or_else(|| panic!("{response}"));
    serde_json::from_str(content).unwrap_or_else(|error| panic!("{error}: {content}"))
}

/// Status and message of an error.
fn error(response: &Response) -> (u16, String) {
    let json = response.json();
    assert_eq!(json.as_object().unwrap().len(), 1, "{json}");
    (response.status, json["error"].as_str().unwrap_or_else(|| panic!("no error: {json}")).to_owned())
}

/// Removes the times, which differ between responses, and checks that they add up.
fn without_measures(mut response: Value) -> Value {
    let created = response["created_at"].take();
    assert!(created.as_str().is_some_and(|at| at.starts_with("20") && at.ends_with('Z')), "{created}");
    let mut nanoseconds = |name: &str| response[name].take().as_u64().unwrap_or_else(|| panic!("{name}"));
    let total = nanoseconds("total_duration");
    let parts = ["load_duration", "prompt_eval_duration", "eval_duration"].map(nanoseconds);
    assert!(total > 0 && parts.iter().sum::<u64>() == total, "{parts:?} of {total}");
    response
}

#[test]
fn streamed_lines_add_up_to_the_whole_response() {
    let server = Server::demo(&[]);
    for (path, request, pointer) in [
        (CHAT, streamed("think:Hm.\nsay:Hello\u{2028}there\nusage:12 34 5"), "/message/content"),
        (
            GENERATE,
            json!({ "model": "scripted-1", "prompt": "think:Hm.\nsay:Hello\u{2028}there\nusage:12 34 5" }),
            "/response",
        ),
    ] {
        let whole = server.post(path, &with(request.clone(), &json!({ "stream": false })));
        assert_eq!((whole.status, whole.header("content-type")), (200, Some("application/json")));
        assert_eq!(whole.header("x-copilot-proxy-usage"), Some("reported"));
        let thinking = pointer.replace("content", "thinking").replace("response", "thinking");
        let message = json!({ "role": "assistant", "content": "Hello\u{2028}there", "thinking": "Hm." });
        let content = if path == CHAT {
            json!({ "message": message })
        } else {
            json!({ "response": "Hello\u{2028}there", "thinking": "Hm." })
        };
        let end = json!({
            "model": "scripted-1",
            "created_at": null,
            "done": true,
            "done_reason": "stop",
            "total_duration": null,
            "load_duration": null,
            "prompt_eval_count": 12,
            "prompt_eval_duration": null,
            "eval_count": 34,
            "eval_duration": null,
        });
        assert_eq!(without_measures(whole.json()), with(end.clone(), &content));

        let stream = server.stream(path, &request);
        assert_eq!(stream.head.header("content-type"), Some("application/x-ndjson"));
        assert_eq!(stream.head.header("cache-control"), Some("no-cache"));
        assert_eq!(stream.head.header("x-copilot-proxy-model"), Some("scripted-1"));
        let mut lines = rest(stream);
        let last = lines.pop().unwrap();
        assert!(lines.iter().all(|line| line["done"] == false && line["model"] == "scripted-1"), "{lines:?}");
        assert_eq!(
            (joined(&lines, &thinking), joined(&lines, pointer)),
            ("Hm.".into(), "Hello\u{2028}there".into())
        );
        let empty = if path == CHAT {
            json!({ "message": { "role": "assistant", "content": "" } })
        } else {
            json!({ "response": "" })
        };
        let extra = json!({ "copilot_proxy": { "usage": "reported" } });
        assert_eq!(without_measures(last), with(with(end, &empty), &extra));
    }
}

#[test]
fn durations_are_measured() {
    let server = Server::demo(&[]);
    let response = server.post(CHAT, &chat("wait:60\nsay:a\nwait:40\nsay:b")).json();
    let milliseconds = |name: &str| response[name].as_u64().unwrap() / 1_000_000;
    assert!(milliseconds("prompt_eval_duration") >= 60, "{response}");
    assert!(milliseconds("eval_duration") >= 40, "{response}");
    assert!(milliseconds("total_duration") >= 100, "{response}");
}

#[test]
fn request_reaches_the_model_unchanged() {
    let server = Server::demo(&[]);
    let schema = json!({ "type": "object", "properties": { "path": { "type": "string" } } });
    let request = json!({
        "model": "scripted-1:latest",
        "stream": false,
        "messages": [
            { "role": "system", "content": "Be brief." },
            { "role": "user", "content": "What is this?", "images": ["iVBORw0KGgo="] },
            { "role": "assistant", "content": "", "tool_calls": [
                { "function": { "name": "look", "arguments": { "at": 1 } } },
                { "function": { "name": "read", "arguments": {} } },
            ] },
            { "role": "tool", "content": "read it", "tool_name": "read" },
            { "role": "tool", "content": "looked", "tool_name": "look" },
            { "role": "user", "content": "dump:" },
        ],
        "tools": [{ "type": "function", "function": {
            "name": "read", "description": "Reads.", "parameters": schema,
        } }],
        "options": { "temperature": 0.5, "num_predict": 5000, "num_ctx": 8192 },
        "think": "low",
        "keep_alive": "5m",
        "a_field_nobody_knows": true,
    });
    let text = |text: &str| json!({ "type": "text", "text": text });
    let sha256 = "4c4b6a3be1314ab86138bef4314dde022e600960d8689a2c8f8631802d20dab6";
    let call = |number: u32, name: &str, input: Value| json!({ "type": "tool_call", "id": format!("function_{number}"), "name": name, "input": input });
    let result = |number: u32, text: &str| json!({ "type": "tool_result", "id": format!("function_{number}"), "text": text });
    let mut dump = dumped(&server, &request);
    dump["modelOptions"].take();
    assert_eq!(
        dump["messages"],
        json!([
            { "role": "user", "parts": [text("Be brief.")] },
            { "role": "user", "parts": [
                text("What is this?"),
                { "type": "data", "mime": "image/png", "bytes": 8, "sha256": sha256 },
            ] },
            { "role": "assistant", "parts": [call(1, "look", json!({ "at": 1 })), call(2, "read", json!({}))] },
            { "role": "user", "parts": [result(1, "looked"), result(2, "read it")] },
            { "role": "user", "parts": [text("dump:")] },
        ]),
        "{dump}"
    );
    assert_eq!(dump["tools"], json!([{ "name": "read", "description": "Reads.", "inputSchema": schema }]));

    let generated = json!({ "prompt": "dump:", "system": "Be brief.", "stream": false });
    let dump: Value =
        serde_json::from_str(server.post(GENERATE, &generated).json()["response"].as_str().unwrap()).unwrap();
    assert_eq!(
        dump["messages"],
        json!([
            { "role": "user", "parts": [text("Be brief.")] },
            { "role": "user", "parts": [text("dump:")] },
        ])
    );
}

#[test]
fn tool_is_called_with_an_object_and_its_result_reaches_the_model() {
    let server = Server::demo(&[]);
    let script = "say:Looking.\ncall:look {\"at\":[1,\"é\"]}\nthen:\ndump:";
    let tools = json!({ "tools": [{ "type": "function", "function": { "name": "look" } }] });
    let mut request = with(chat(script), &tools);
    let message = server.post(CHAT, &request).json()["message"].clone();
    let id = &message["tool_calls"][0]["id"];
    let function = json!({ "index": 0, "name": "look", "arguments": { "at": [1, "é"] } });
    assert_eq!(message["content"], "Looking.");
    assert_eq!(message["tool_calls"], json!([{ "id": id, "function": function }]));

    let lines = rest(server.stream(CHAT, &with(streamed(script), &tools)));
    let calls: Vec<&Value> = lines.iter().filter_map(|line| line["message"].get("tool_calls")).collect();
    assert_eq!(calls.len(), 1);
    assert_eq!(calls[0][0]["function"], function);
    assert_eq!(lines.last().unwrap()["done_reason"], "stop");

    let messages = request["messages"].as_array_mut().unwrap();
    messages.push(message.clone());
    messages.push(json!({ "role": "tool", "tool_call_id": id, "content": "a wall" }));
    let results = dumped(&server, &request)["messages"][2]["parts"].clone();
    assert_eq!(results, json!([{ "type": "tool_result", "id": id, "text": "a wall" }]));
}

#[test]
fn format_schema_becomes_one_required_tool() {
    let server = Server::serve(&[]);
    let mut editor = Editor::with_models(&server.home, &[model("m")]);
    let schema =
        json!({ "type": "object", "properties": { "age": { "type": "integer" } }, "required": ["age"] });
    let mut client = server.client();
    let fields = json!({ "model": "m", "format": schema });
    client.send(&Request::post(CHAT, &with(chat("How old?"), &fields)));
    let (stream_id, question) = editor.expect_chat();
    let [tool] = question.tools.as_slice() else { panic!("{:?}", question.tools) };
    assert_eq!((question.required, tool.input_schema.as_ref()), (true, Some(&schema)));
    let call = ToolCall { id: "1".into(), name: tool.name.clone(), input: json!({ "age": 7 }) };
    editor.send(stream_id, &FromEditor::Part(ResponsePart { part: Part::ToolCall(call) }));
    editor.send(stream_id, &FromEditor::End);
    let message = client.response().json()["message"].clone();
    assert_eq!(message, json!({ "role": "assistant", "content": "{\"age\":7}" }));
}

#[test]
fn num_predict_and_stop_are_enforced() {
    let server = Server::demo(&[]);
    let ended = |options: Value| {
        let request = with(chat("say:one two three four"), &json!({ "options": options }));
        let response = server.post(CHAT, &request).json();
        (response["message"]["content"].clone(), response["done_reason"].clone())
    };
    assert_eq!(ended(json!({ "num_predict": 2 })), (json!("one two"), json!("length")));
    assert_eq!(ended(json!({ "num_predict": -1 })), (json!("one two three four"), json!("stop")));
    assert_eq!(ended(json!({ "stop": ["three", "four"] })), (json!("one two "), json!("stop")));
}

#[test]
fn auto_mode_runs_the_editors_tools() {
    let server = Server::demo(&[]);
    let fields = json!({ "use_vscode_tools": true, "tool_execution": "auto" });
    let script = "say:Let me see. \ncall:get_time\nthen:\nsay:Done.";
    let response = server.post(CHAT, &with(chat(script), &fields)).json();
    assert_eq!(response["message"], json!({ "role": "assistant", "content": "Let me see. Done." }));
    let lines = rest(server.stream(CHAT, &with(streamed(script), &fields)));
    assert_eq!(joined(&lines, "/message/content"), "Let me see. Done.");
    let ran = lines.iter().find(|line| line.pointer("/copilot_proxy/tools").is_some()).unwrap();
    for trace in [&response["copilot_proxy"], &ran["copilot_proxy"]] {
        assert_eq!(trace["tools"][0]["call"]["name"], "get_time");
        assert!(trace.to_string().contains("2026-01-01T12:00:00Z"), "{trace}");
    }
    let foreign = Request::post(CHAT, &with(chat("say:a"), &fields)).header("origin", "https://page.test");
    assert_eq!(error(&server.send(&foreign)).0, 403);
}

#[test]
fn request_without_a_prompt_only_loads_the_model() {
    let server = Server::demo(&[]);
    for (path, body, reason) in [
        (CHAT, json!({ "model": "gpt-4o" }), "load"),
        (CHAT, json!({ "model": "gpt-4o:latest", "messages": [], "stream": true, "keep_alive": 60 }), "load"),
        (GENERATE, json!({ "model": "gpt-4o", "prompt": "" }), "load"),
        (GENERATE, json!({ "model": "gpt-4o", "keep_alive": 0 }), "unload"),
    ] {
        let response = server.post(path, &body);
        assert_eq!((response.status, response.header("content-type")), (200, Some("application/json")));
        let mut response = response.json();
        response["created_at"].take();
        let empty = if path == CHAT {
            json!({ "message": { "role": "assistant", "content": "" } })
        } else {
            json!({ "response": "" })
        };
        let end = json!({ "model": "gpt-4o", "created_at": null, "done": true, "done_reason": reason });
        assert_eq!(response, with(end, &empty), "{body}");
    }
    assert_eq!(error(&server.post(GENERATE, &json!({ "model": "llama3" }))).0, 404);
    until_stats(&server, &json!({ "started": 0, "completed": 0, "failed": 0, "cancelled": 0, "active": 0 }));
}

#[test]
fn models_are_listed_in_lm_studios_form_too() {
    let server = Server::demo(&[]);
    let list = server.get("/api/v0/models").json();
    let known = server.get("/v1/models").json();
    let ids = |list: &Value| -> Vec<Value> {
        list["data"].as_array().unwrap().iter().map(|model| model["id"].clone()).collect()
    };
    assert_eq!(ids(&list), ids(&known));
    let one = server.get("/api/v0/models/scripted-mini").json();
    assert_eq!((&one["id"], &one["max_context_length"]), (&json!("scripted-mini"), &json!(16_384)));
    let unknown = server.get("/api/v0/models/no-such-model");
    assert_eq!((unknown.status, unknown.json()["error"]["code"].clone()), (404, json!("model_not_found")));
}

#[test]
fn models_can_be_listed_shown_and_pulled() {
    let server = Server::demo(&[]);
    let list = server.get("/api/tags").json();
    let ids: Vec<&Value> = list["models"].as_array().unwrap().iter().map(|model| &model["name"]).collect();
    let known = server.get("/v1/models").json();
    let wanted: Vec<&Value> = known["data"].as_array().unwrap().iter().map(|model| &model["id"]).collect();
    assert_eq!(ids, wanted);

    for body in [json!({ "model": "scripted-mini:latest" }), json!({ "name": "scripted-mini" })] {
        let shown = server.post("/api/show", &body).json();
        assert_eq!(shown["details"]["family"], "scripted-mini");
        assert_eq!(shown["capabilities"], json!(["completion", "tools", "thinking"]));
        assert_eq!(
            shown["model_info"],
            json!({
                "general.architecture": "demo",
                "general.basename": "scripted-mini (demo)",
                "demo.context_length": 16_384,
            })
        );
        let pulled = server.post("/api/pull", &body);
        assert_eq!(pulled.header("content-type"), Some("application/x-ndjson"));
        assert_eq!(pulled.text(), "{\"status\":\"success\"}\n");
    }
    let whole = server.post("/api/pull", &json!({ "model": "gpt-4o", "stream": false }));
    assert_eq!(whole.header("content-type"), Some("application/json"));
    assert_eq!(whole.json(), json!({ "status": "success" }));
    for path in ["/api/show", "/api/pull", CHAT] {
        let (status, message) =
            error(&server.post(path, &with(chat("say:a"), &json!({ "model": "llama3" }))));
        assert_eq!(status, 404);
        assert!(message.starts_with("model 'llama3' not found"), "{message}");
        assert!(message.contains("gpt-4o"), "{message}");
    }
    assert_eq!(error(&server.post("/api/show", &json!({ "model": [] }))).0, 400);

    assert_eq!(server.get("/api/ps").json(), json!({ "models": [] }));
    let version = server.get("/api/version").json();
    let minimum = [0_u32, 6, 4];
    let found: Vec<u32> =
        version["version"].as_str().unwrap().split('.').map(|number| number.parse().unwrap()).collect();
    assert!(found.as_slice() >= minimum.as_slice(), "VS Code requires 0.6.4: {version}");
    assert_eq!(version["copilot_proxy"]["version"], server.get("/health").json()["version"]);
}

#[test]
fn errors_have_ollamas_form() {
    let server = Server::demo(&[]);
    let post = |path: &str, body: &Value| server.post(path, body);
    for (response, status, wanted) in [
        (
            post(CHAT, &json!({ "messages": [{ "role": "user", "content": 5 }] })),
            400,
            "messages[0].content: invalid type: integer `5`, expected a string",
        ),
        (post(CHAT, &chat("fail:ChatQuotaExceeded used up")), 429, "used up"),
        (post(CHAT, &streamed("fail:ChatQuotaExceeded used up")), 429, "used up"),
        (
            post("/api/embed", &json!({ "model": "a", "input": "b" })),
            400,
            "api/embed is not available: VS Code's stable API gives extensions language models only",
        ),
        (
            post("/api/embeddings", &json!({})),
            400,
            "api/embeddings is not available: VS Code's stable API gives extensions language models only",
        ),
        (
            post("/api/create", &json!({})),
            404,
            "there is nothing at /api/create; the base URL is http://127.0.0.1/v1 for clients of OpenAI's API, \
             http://127.0.0.1 for Anthropic's, Gemini's and Ollama's; GET / lists the endpoints",
        ),
        (server.get(CHAT), 405, "GET is not allowed at /api/chat; use POST, OPTIONS"),
        (
            server.send(&Request::get("/api/tags").header("host", "evil.test")),
            403,
            "host `evil.test` is not a loopback name; add it to the setting `copilotProxy.allowedHosts` if it is yours",
        ),
        (
            server.send(
                &Request::new("POST", CHAT)
                    .header("content-type", "application/json")
                    .body(vec![b' '; MAX_BODY + 1]),
            ),
            413,
            "the request body is larger than 10485760 bytes",
        ),
    ] {
        assert_eq!(error(&response), (status, wanted.into()));
        assert_eq!(response.header("access-control-allow-origin"), Some("*"));
        assert!(response.header("x-request-id").is_some_and(|id| id.starts_with("req_")), "{response:?}");
        assert_eq!(response.header("allow"), (status == 405).then_some("POST, OPTIONS"));
    }
    let head = server.send(&Request::new("HEAD", "/api/version"));
    assert_eq!((head.status, head.body.as_slice()), (200, b"".as_slice()));
    let without_editor = Server::serve(&["--window-wait", "100"]);
    let (status, message) = error(&without_editor.post(CHAT, &chat("say:a")));
    assert_eq!(status, 503);
    assert!(message.contains("open VS Code"), "{message}");
}

#[test]
fn api_key_is_required_if_the_user_has_one() {
    let server = Server::serve(&[]);
    let mut editor = Editor::with_models(&server.home, &[model("m")]);
    editor.send_keys(&[person_key("mine", "secret")]);
    crate::wait::until("the key to be asked for", || (server.get("/api/tags").status == 401).then_some(()));
    // Ollama's own clients send `OLLAMA_API_KEY` like this.
    let keyed = Request::get("/api/tags").header("authorization", "Bearer secret");
    assert_eq!(server.send(&keyed).status, 200);
}

#[test]
fn failed_stream_ends_with_an_error_line() {
    let server = Server::serve(&[]);
    let mut editor = server.simulate();
    let failing = rest(stream(&server, "say:half\nwait:50\nfail:ChatQuotaExceeded used up"));
    assert_eq!(joined(&failing, "/message/content"), "half");
    assert_eq!(failing.last(), Some(&json!({ "error": "used up" })));

    let mut open = stream(&server, "say:half\nhang:");
    assert_eq!(open.line().unwrap()["message"]["content"], "half");
    editor.kill();
    let gone = json!({ "error": "the connection to the VS Code window was lost; send the request again" });
    assert_eq!(rest(open), [gone]);
}

#[test]
fn disconnect_cancels_the_model() {
    let server = Server::demo(&[]);
    let mut open = stream(&server, "say:half\nhang:");
    assert_eq!(open.line().unwrap()["message"]["content"], "half");
    drop(open);
    until_stats(&server, &json!({ "started": 1, "completed": 0, "failed": 0, "cancelled": 1, "active": 0 }));
}

#[test]
fn silent_stream_sends_empty_lines_as_keep_alives() {
    let server = Server::demo(&["--open-after", "100", "--ping-every", "100"]);
    let mut open = stream(&server, "hang:");
    for _ in 0..3 {
        let line = open.line().unwrap();
        assert_eq!(line["message"], json!({ "role": "assistant", "content": "" }));
        assert_eq!(line["done"], false);
    }
}

#[test]
fn requests_are_counted_under_the_dialects_name() {
    let server = Server::demo(&[]);
    assert_eq!(server.post(CHAT, &chat("say:a")).status, 200);
    assert_eq!(server.post(GENERATE, &json!({ "prompt": "say:a", "stream": false })).status, 200);
    crate::wait::until("two requests", || {
        let metrics = server.get("/metrics").text().to_owned();
        let line = metrics.lines().find(|line| {
            line.starts_with("copilot_proxy_requests_total{") && line.contains("dialect=\"ollama\"")
        });
        line.is_some_and(|line| line.ends_with(" 2")).then_some(())
    });
}
