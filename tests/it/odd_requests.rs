//! Odd but legal requests: each rule in every dialect that it concerns.

use serde_json::{Value, json};

use crate::client::{Request, Response};
use crate::gemini_form;
use crate::openai::with;
use crate::server::Server;

/// An endpoint that takes messages, with the form of its requests.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Api {
    Chat,
    Responses,
    Messages,
    Ollama,
    Gemini,
}

const ALL: [Api; 5] = [Api::Chat, Api::Responses, Api::Messages, Api::Ollama, Api::Gemini];

impl Api {
    fn path(self) -> &'static str {
        match self {
            Api::Chat => "/v1/chat/completions",
            Api::Responses => "/v1/responses",
            Api::Messages => "/v1/messages",
            Api::Ollama => "/api/chat",
            Api::Gemini => "/v1beta/models/scripted-1:generateContent",
        }
    }

    /// A request with these messages or items, for a whole response.
    fn request(self, messages: Value) -> Value {
        match self {
            Api::Chat => json!({ "model": "scripted-1", "messages": messages }),
            Api::Responses => json!({ "model": "scripted-1", "input": messages }),
            Api::Messages => json!({ "model": "scripted-1", "max_tokens": 9999, "messages": messages }),
            Api::Ollama => json!({ "model": "scripted-1", "stream": false, "messages": messages }),
            Api::Gemini => json!({ "contents": messages }),
        }
    }

    /// A request with one message of the user.
    fn ask(self, text: &str) -> Value {
        self.request(match self {
            Api::Gemini => json!([gemini_form::text(text)]),
            _ => json!([{ "role": "user", "content": text }]),
        })
    }

    /// A user's message, a call with this id and these arguments, its result, and a script.
    fn call(self, id: &str, input: &Value, script: &str) -> Value {
        let user = |content: &str| json!({ "role": "user", "content": content });
        let arguments = input.to_string();
        self.request(match self {
            Api::Chat => json!([
                user("x"),
                { "role": "assistant", "tool_calls": [
                    { "id": id, "type": "function", "function": { "name": "f", "arguments": arguments } },
                ] },
                { "role": "tool", "tool_call_id": id, "content": "r" },
                user(script),
            ]),
            Api::Responses => json!([
                user("x"),
                { "type": "function_call", "call_id": id, "name": "f", "arguments": arguments },
                { "type": "function_call_output", "call_id": id, "output": "r" },
                user(script),
            ]),
            Api::Messages => json!([
                user("x"),
                { "role": "assistant", "content": [{ "type": "tool_use", "id": id, "name": "f", "input": input }] },
                { "role": "user", "content": [{ "type": "tool_result", "tool_use_id": id, "content": "r" }] },
                user(script),
            ]),
            Api::Ollama => json!([
                user("x"),
                { "role": "assistant", "tool_calls": [
                    { "id": id, "function": { "name": "f", "arguments": arguments } },
                ] },
                { "role": "tool", "tool_call_id": id, "content": "r" },
                user(script),
            ]),
            Api::Gemini => {
                let [call, result] = gemini_form::call_and_result(id, input, "r", &json!([]));
                json!([gemini_form::text("x"), call, result, gemini_form::text(script)])
            }
        })
    }

    /// A tool as the API takes it.
    fn tool(self, name: &str, description: &str) -> Value {
        match self {
            Api::Chat | Api::Ollama => {
                json!({ "type": "function", "function": { "name": name, "description": description } })
            }
            Api::Responses => json!({ "type": "function", "name": name, "description": description }),
            Api::Gemini => {
                json!({ "functionDeclarations": [{ "name": name, "description": description }] })
            }
            Api::Messages => {
                json!({ "name": name, "description": description, "input_schema": { "type": "object" } })
            }
        }
    }

    fn post(self, server: &Server, request: &Value) -> Response {
        server.post(self.path(), request)
    }

    /// Text of a whole response.
    fn text(self, response: &Response) -> String {
        assert_eq!(response.status, 200, "{self:?}: {}", response.text());
        let json = response.json();
        let text = match self {
            Api::Chat => &json["choices"][0]["message"]["content"],
            Api::Responses => &json["output"][0]["content"][0]["text"],
            Api::Messages => &json["content"][0]["text"],
            Api::Ollama => &json["message"]["content"],
            Api::Gemini => &json["candidates"][0]["content"]["parts"][0]["text"],
        };
        text.as_str().unwrap_or_else(|| panic!("{self:?}: {json}")).to_owned()
    }

    /// The request as the model received it, from the response of its `dump:` script.
    fn dumped(self, server: &Server, request: &Value) -> Value {
        let text = self.text(&self.post(server, request));
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{self:?}: {error}: {text}"))
    }

    /// Message of a 400.
    fn refusal(self, server: &Server, request: &Value) -> String {
        let response = self.post(server, request);
        let json = response.json();
        assert_eq!(response.status, 400, "{self:?}: {json}");
        let message = if self == Api::Ollama { &json["error"] } else { &json["error"]["message"] };
        message.as_str().unwrap_or_else(|| panic!("{self:?}: {json}")).to_owned()
    }
}

#[test]
fn call_ids_are_rewritten_in_pairs_to_legal_ones() {
    let server = Server::demo(&[]);
    for api in ALL {
        for id in ["functions.f:0", "toolu_01", &"x".repeat(41), "größe"] {
            let dumped = api.dumped(&server, &api.call(id, &json!({}), "dump:"));
            let call = dumped["messages"][1]["parts"][0]["id"].as_str().unwrap();
            assert_eq!(dumped["messages"][2]["parts"][0]["id"], call, "{api:?}: {dumped}");
            let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
            assert!((1..=40).contains(&call.len()) && call.chars().all(is_word), "{api:?}: {call}");
            assert_eq!(call == id, id == "toolu_01", "{api:?}: {call}");
        }
    }
}

#[test]
fn call_arguments_that_are_no_object_are_wrapped() {
    let server = Server::demo(&[]);
    // Anthropic's API takes only objects.
    for api in [Api::Chat, Api::Responses, Api::Ollama] {
        for arguments in [json!([1]), json!("a"), json!(5), json!(null), json!(true)] {
            let dumped = api.dumped(&server, &api.call("c1", &arguments, "dump:"));
            let input = &dumped["messages"][1]["parts"][0]["input"];
            assert_eq!(*input, json!({ "_raw": arguments }), "{api:?}");
        }
    }
}

#[test]
fn whole_numbers_with_a_fraction_of_zero_are_accepted() {
    let server = Server::demo(&[]);
    let limited = |api: Api, limit: Value| {
        let limit = match api {
            Api::Chat => {
                json!({ "max_completion_tokens": limit, "seed": 5.0, "n": 1.0, "max_tool_rounds": 2.0 })
            }
            Api::Responses => json!({ "max_output_tokens": limit, "max_tool_calls": 3.0 }),
            Api::Messages => json!({ "max_tokens": limit, "top_k": 40.0 }),
            Api::Ollama => json!({ "options": { "num_predict": limit, "seed": 5.0 } }),
            Api::Gemini => {
                json!({ "generationConfig": { "maxOutputTokens": limit, "seed": 5.0, "topK": 40.0 } })
            }
        };
        with(api.ask("dump:"), &limit)
    };
    for api in ALL {
        let dumped = api.dumped(&server, &limited(api, json!(2048.0)));
        assert_eq!(dumped["modelOptions"]["max_tokens"].to_string(), "2048", "{api:?}");
        let refusal = api.refusal(&server, &limited(api, json!(12.5)));
        assert!(refusal.contains("floating point `12.5`, expected a whole number"), "{api:?}: {refusal}");
    }
}

#[test]
fn temperature_is_bounded_in_every_dialect_except_ollama() {
    let server = Server::demo(&[]);
    for (given, reached) in [(2.5, 2.0), (-1.0, 0.0), (1.5, 1.5)] {
        let request = with(Api::Ollama.ask("dump:"), &json!({ "options": { "temperature": given } }));
        assert_eq!(Api::Ollama.dumped(&server, &request)["modelOptions"]["temperature"], reached);
    }
    for api in [Api::Chat, Api::Responses, Api::Messages] {
        let request = with(api.ask("dump:"), &json!({ "temperature": 2.5 }));
        assert!(api.refusal(&server, &request).contains("2.5 is out of range"), "{api:?}");
    }
}

#[test]
fn max_tokens_0_counts_the_input_and_generates_nothing() {
    let server = Server::demo(&[]);
    let request = with(Api::Messages.ask("say:ok"), &json!({ "max_tokens": 0 }));
    let response = Api::Messages.post(&server, &request);
    let counted = server.post("/v1/messages/count_tokens", &request);
    assert_eq!((response.status, counted.status), (200, 200));
    let response = response.json();
    assert_eq!(response["content"], json!([]));
    assert_eq!(response["stop_reason"], "max_tokens");
    assert_eq!(response["usage"]["output_tokens"], 0);
    assert_eq!(response["usage"]["input_tokens"], counted.json()["input_tokens"]);
    let streamed = server.post("/v1/messages", &with(request, &json!({ "stream": true }))).text().to_owned();
    for event in ["message_start", r#""stop_reason":"max_tokens""#, "message_stop"] {
        assert!(streamed.contains(event), "{event}: {streamed}");
    }
    assert!(!streamed.contains("content_block"), "{streamed}");
    // OpenAI's legacy completions take it too: with `echo` the response is the prompt.
    let echo = json!({ "model": "scripted-1", "prompt": "say:ok", "max_tokens": 0, "echo": true });
    let choice = server.post("/v1/completions", &echo).json()["choices"][0].take();
    assert_eq!((&choice["text"], &choice["finish_reason"]), (&json!("say:ok"), &json!("length")));
    for (api, field) in [(Api::Chat, "max_tokens"), (Api::Responses, "max_output_tokens")] {
        let request = with(api.ask("say:ok"), &json!({ field: 0 }));
        assert_eq!(api.refusal(&server, &request), format!("{field}: 0 is too small, expected at least 1"));
    }
}

#[test]
fn identical_tools_are_merged_and_different_ones_of_one_name_refused() {
    let server = Server::demo(&[]);
    for api in ALL {
        let tools = |tools: [(&str, &str); 3]| {
            let tools = tools.map(|(name, description)| api.tool(name, description));
            with(api.ask("dump:"), &json!({ "tools": tools }))
        };
        let dumped = api.dumped(&server, &tools([("f", "x"), ("g", "x"), ("f", "x")]));
        let names: Vec<&Value> =
            dumped["tools"].as_array().unwrap().iter().map(|tool| &tool["name"]).collect();
        assert_eq!(names, ["f", "g"], "{api:?}");
        let refusal = api.refusal(&server, &tools([("f", "x"), ("g", "x"), ("f", "y")]));
        assert!(refusal.starts_with("tools[2]"), "{api:?}: {refusal}");
        assert!(refusal.ends_with("name: `f` is the name of another tool already"), "{api:?}: {refusal}");
    }
}

#[test]
fn identical_tools_of_a_namespace_are_one() {
    let server = Server::demo(&[]);
    let tool = Api::Responses.tool("f", "x");
    let namespace = |tools: Value| {
        let namespace = json!({ "type": "namespace", "name": "n", "description": "d", "tools": tools });
        with(Api::Responses.ask("dump:"), &json!({ "tools": [namespace] }))
    };
    let dumped = Api::Responses.dumped(&server, &namespace(json!([tool, tool])));
    assert_eq!(dumped["tools"].as_array().unwrap().len(), 1);
    let refusal = Api::Responses.refusal(&server, &namespace(json!([tool, Api::Responses.tool("f", "y")])));
    assert!(refusal.starts_with("tools[0].tools[1].name"), "{refusal}");
}

#[test]
fn word_of_the_wrong_type_is_refused_by_its_place() {
    let server = Server::demo(&[]);
    for (api, field, at) in [
        (Api::Chat, json!({ "verbosity": 5 }), "verbosity"),
        (Api::Chat, json!({ "messages": [{ "role": ["user"], "content": "x" }] }), "messages[0].role"),
        (Api::Responses, json!({ "truncation": true }), "truncation"),
        (Api::Responses, json!({ "text": { "verbosity": 5 } }), "text.verbosity"),
        (Api::Messages, json!({ "thinking": { "type": 1 } }), "thinking.type"),
        (Api::Ollama, json!({ "messages": [{ "role": 5 }] }), "messages[0].role"),
        (Api::Gemini, json!({ "contents": [{ "role": 5 }] }), "contents[0].role"),
    ] {
        let refusal = api.refusal(&server, &with(api.ask("x"), &field));
        assert!(refusal.starts_with(at) && refusal.ends_with("expected a string"), "{api:?}: {refusal}");
    }
}

#[test]
fn errors_have_anthropics_form_wherever_its_version_header_was_sent() {
    let server = Server::demo(&[]);
    for api in ALL {
        for (method, body, status) in [("POST", "{", 400), ("POST", "[]", 400), ("GET", "", 405)] {
            let request = Request::new(method, api.path()).body(body);
            let own = server.send(&request).json();
            assert_eq!(own["type"] == "error", api == Api::Messages, "{api:?} {method} {body}: {own}");
            let response = server.send(&request.header("anthropic-version", "2023-06-01"));
            let error = response.json();
            assert_eq!((response.status, &error["type"]), (status, &json!("error")), "{api:?}: {error}");
            assert!(error["error"]["message"].is_string(), "{api:?}: {error}");
        }
    }
}

/// A format in which the response is to come.
fn formatted(api: Api, request: Value, schema: &Value) -> Value {
    let format = match api {
        Api::Chat => {
            json!({ "response_format": { "type": "json_schema", "json_schema": { "name": "answer", "schema": schema } } })
        }
        Api::Responses => {
            json!({ "text": { "format": { "type": "json_schema", "name": "answer", "schema": schema } } })
        }
        Api::Messages => {
            json!({ "output_config": { "format": { "type": "json_schema", "schema": schema } } })
        }
        Api::Ollama => json!({ "format": schema }),
        Api::Gemini => json!({ "generationConfig": { "responseJsonSchema": schema } }),
    };
    with(request, &format)
}

#[test]
fn schema_without_a_plain_object_root_is_wrapped_and_output_unwrapped() {
    let server = Server::demo(&[]);
    let list = json!({ "type": "array", "items": { "type": "string" } });
    let either =
        json!({ "anyOf": [{ "$ref": "#/$defs/list" }, { "type": "object" }], "$defs": { "list": list } });
    for api in ALL {
        // The dump is an object, which fits this schema.
        let dumped = api.dumped(&server, &formatted(api, api.ask("dump:"), &either));
        let root = &dumped["tools"][0]["inputSchema"];
        assert_eq!((&root["type"], &root["$defs"]["list"]), (&json!("object"), &list), "{api:?}: {root}");
        for schema in [&list, &either] {
            for called in [r#"["a","b"]"#, r#"{"value":["a","b"]}"#] {
                let request = formatted(api, api.ask(&format!("call:answer {called}")), schema);
                assert_eq!(api.text(&api.post(&server, &request)), r#"["a","b"]"#, "{api:?}");
                let streamed = server.post(
                    &gemini_form::in_mode(api.path(), true),
                    &with(request, &json!({ "stream": true })),
                );
                let text = streamed.text();
                assert_eq!(streamed.status, 200, "{api:?}: {text}");
                assert!(text.contains(r#"[\"a\",\"b\"]"#) && !text.contains("value"), "{api:?}: {text}");
            }
        }
        let plain = json!({ "type": "object", "properties": { "a": { "type": "integer" } } });
        let dumped = api.dumped(&server, &formatted(api, api.ask("dump:"), &plain));
        assert_eq!(dumped["tools"][0]["inputSchema"], plain, "{api:?}");
    }
}

#[test]
fn calls_of_a_tool_with_a_wrapped_schema_are_unwrapped() {
    let server = Server::demo(&[]);
    let schema = json!({ "anyOf": [{ "type": "object", "required": ["a"] }, { "type": "object", "required": ["b"] }] });
    let tool = json!({ "type": "function", "function": { "name": "f", "parameters": schema } });
    let ask = |request: Value| with(request, &json!({ "tools": [tool] }));
    let response = server.post(Api::Chat.path(), &ask(Api::Chat.ask(r#"call:f {"value":{"a":1}}"#))).json();
    let call = &response["choices"][0]["message"]["tool_calls"][0]["function"];
    assert_eq!(call["arguments"], r#"{"a":1}"#);
    // In the next turn the model sees the call as it made it.
    let dumped = Api::Chat.dumped(&server, &ask(Api::Chat.call("c1", &json!({ "a": 1 }), "dump:")));
    assert_eq!(dumped["messages"][1]["parts"][0]["input"], json!({ "value": { "a": 1 } }));
}

#[test]
fn verbosity_is_an_instruction_at_the_end() {
    let server = Server::demo(&[]);
    for api in [Api::Chat, Api::Responses] {
        let with_verbosity = |verbosity: &str| {
            let verbosity = match api {
                Api::Responses => json!({ "text": { "verbosity": verbosity } }),
                _ => json!({ "verbosity": verbosity }),
            };
            with(api.ask("dump:"), &verbosity)
        };
        let messages = |request: &Value| api.dumped(&server, request)["messages"].take();
        let plain = messages(&api.ask("dump:"));
        assert_eq!(messages(&with_verbosity("medium")), plain, "{api:?}");
        for (verbosity, word) in [("low", "short"), ("high", "detail")] {
            let messages = messages(&with_verbosity(verbosity));
            assert_eq!((&messages[0], messages.as_array().unwrap().len()), (&plain[0], 2), "{api:?}");
            assert!(messages[1]["parts"][0]["text"].as_str().unwrap().contains(word), "{api:?}: {messages}");
        }
        let refusal = api.refusal(&server, &with_verbosity("loud"));
        assert!(refusal.contains("unknown variant `loud`"), "{api:?}: {refusal}");
    }
}

/// A call and its result, whose content has these parts.
fn result_of(api: Api, content: &Value) -> Vec<Value> {
    match api {
        Api::Chat => vec![
            json!({ "role": "assistant", "tool_calls": [
                { "id": "c1", "type": "function", "function": { "name": "f", "arguments": "{}" } },
            ] }),
            json!({ "role": "tool", "tool_call_id": "c1", "content": content }),
        ],
        Api::Responses => vec![
            json!({ "type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}" }),
            json!({ "type": "function_call_output", "call_id": "c1", "output": content }),
        ],
        Api::Messages => vec![
            json!({ "role": "assistant", "content": [{ "type": "tool_use", "id": "c1", "name": "f", "input": {} }] }),
            json!({ "role": "user", "content": [{ "type": "tool_result", "tool_use_id": "c1", "content": content }] }),
        ],
        Api::Gemini => gemini_form::call_and_result("c1", &json!({}), "r", content).into(),
        Api::Ollama => unreachable!("its content has no parts"),
    }
}

#[test]
fn unsupported_blocks_of_the_history_become_text() {
    let server = Server::demo(&[]);
    let pdf = "JVBERi0xLjQK";
    let data_url = format!("data:application/pdf;base64,{pdf}");
    let source = |source: Value| json!({ "type": "document", "title": "a.pdf", "source": source });
    for (api, block, text) in [
        (Api::Chat, json!({ "type": "file", "file": { "filename": "a.pdf", "file_data": data_url } }), "PDF"),
        (Api::Chat, json!({ "type": "file", "file": { "file_id": "file-1" } }), "file-1"),
        (
            Api::Chat,
            json!({ "type": "input_audio", "input_audio": { "data": pdf, "format": "wav" } }),
            "audio",
        ),
        (
            Api::Chat,
            json!({ "type": "image_url", "image_url": { "url": "https://example.com/a.png" } }),
            "https://example.com/a.png",
        ),
        (Api::Chat, json!({ "type": "connector_text", "text": "hello" }), "hello"),
        (Api::Chat, json!({ "type": "new", "source": { "data": pdf, "place": "here" } }), "here"),
        (Api::Responses, json!({ "type": "input_file", "filename": "a.pdf", "file_data": data_url }), "PDF"),
        (
            Api::Responses,
            json!({ "type": "input_file", "file_url": "https://example.com/a" }),
            "https://example.com/a",
        ),
        (Api::Responses, json!({ "type": "input_image", "file_id": "file-1" }), "file-1"),
        (Api::Responses, json!({ "type": "connector_text", "text": "hello" }), "hello"),
        (Api::Responses, json!({ "type": "new", "source": { "data": pdf, "place": "here" } }), "here"),
        (
            Api::Messages,
            source(json!({ "type": "base64", "media_type": "application/pdf", "data": pdf })),
            "PDF",
        ),
        (
            Api::Messages,
            source(json!({ "type": "url", "url": "https://example.com/a.pdf" })),
            "https://example.com/a.pdf",
        ),
        (Api::Messages, source(json!({ "type": "file", "file_id": "file-1" })), "file-1"),
        (Api::Messages, json!({ "type": "image", "source": { "type": "new", "place": "here" } }), "here"),
        (Api::Messages, json!({ "type": "connector_text", "text": "hello" }), "hello"),
        (Api::Messages, json!({ "type": "new", "source": { "data": pdf, "place": "here" } }), "here"),
    ] {
        let user = |content: Value| json!({ "role": "user", "content": content });
        let old =
            json!([user(json!([block])), { "role": "assistant", "content": "a" }, user(json!("dump:"))]);
        let of_assistant =
            json!([user(json!("x")), { "role": "assistant", "content": [block] }, user(json!("dump:"))]);
        let mut result = vec![user(json!("x"))];
        result.extend(result_of(api, &json!([block])));
        let newest_result = Value::from(result.clone());
        result.push(user(json!("dump:")));
        for history in [old, of_assistant, Value::from(result)] {
            let messages = api.dumped(&server, &api.request(history))["messages"].to_string();
            assert!(messages.contains(text), "{api:?} {block}: {messages}");
            assert!(!messages.contains(pdf), "{api:?} {block}: {messages}");
        }
        // A result is no user's message, even where it comes last.
        assert_eq!(api.post(&server, &api.request(newest_result)).status, 200, "{api:?} {block}");
        // Its author can replace what stands in the newest message.
        api.refusal(&server, &api.request(json!([user(json!([block]))])));
    }
    // Counted as the words, not as the base64.
    let block =
        source(json!({ "type": "base64", "media_type": "application/pdf", "data": pdf.repeat(10_000) }));
    let mut history = vec![json!({ "role": "user", "content": "x" })];
    history.extend(result_of(Api::Messages, &json!([block])));
    let counted =
        server.post("/v1/messages/count_tokens", &Api::Messages.request(Value::from(history))).json();
    assert!(counted["input_tokens"].as_u64().is_some_and(|tokens| tokens < 100), "{counted}");
}

#[test]
fn text_file_is_read_in_every_message() {
    let server = Server::demo(&[]);
    let (data, url) = ("aGVsbG8=", "data:text/plain;base64,aGVsbG8=");
    for (api, block, text) in [
        (
            Api::Chat,
            json!({ "type": "file", "file": { "filename": "a.txt", "file_data": url } }),
            "a.txt:\nhello",
        ),
        (Api::Chat, json!({ "type": "file", "file": { "file_data": data } }), "hello"),
        (
            Api::Responses,
            json!({ "type": "input_file", "filename": "a.txt", "file_data": url }),
            "a.txt:\nhello",
        ),
        (
            Api::Messages,
            json!({ "type": "document", "source": { "type": "base64", "media_type": "text/plain", "data": data } }),
            "hello",
        ),
    ] {
        let kind = if api == Api::Responses { "input_text" } else { "text" };
        let content = json!([block, { "type": kind, "text": "dump:" }]);
        let dumped = api.dumped(&server, &api.request(json!([{ "role": "user", "content": content }])));
        assert_eq!(dumped["messages"][0]["parts"][0]["text"], text, "{api:?}");
    }
}

#[test]
fn call_of_an_unknown_type_becomes_text() {
    let server = Server::demo(&[]);
    let call = json!({ "id": "c1", "type": "new", "new": { "place": "here" } });
    let dumped = Api::Chat.dumped(
        &server,
        &Api::Chat.request(json!([
            { "role": "user", "content": "x" },
            { "role": "assistant", "content": null, "tool_calls": [call] },
            { "role": "tool", "tool_call_id": "c1", "content": "r" },
            { "role": "user", "content": "dump:" },
        ])),
    );
    assert_eq!(dumped["messages"][1]["parts"][0]["text"], r#"[new: {"new":{"place":"here"}}]"#);
}

#[test]
fn tools_change_in_any_message() {
    let server = Server::demo(&[]);
    let tool =
        |name: &str| json!({ "name": name, "input_schema": { "type": "object" }, "defer_loading": true });
    let change =
        |kind: &str, name: &str| json!({ "type": kind, "tool": { "type": "tool_reference", "name": name } });
    let content = json!([change("tool_addition", "f"), { "type": "text", "text": "dump:" }]);
    let request = Api::Messages.request(json!([{ "role": "user", "content": content }]));
    let dumped = Api::Messages.dumped(&server, &with(request, &json!({ "tools": [tool("f"), tool("g")] })));
    let names: Vec<&Value> = dumped["tools"].as_array().unwrap().iter().map(|tool| &tool["name"]).collect();
    assert_eq!(names, ["f"]);
}
