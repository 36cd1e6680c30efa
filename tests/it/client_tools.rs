//! Tools that the client runs, and that OpenAI's APIs name by a type: `shell`, `local_shell`, `apply_patch`, and those
//! that take free text; and screenshots.

use serde_json::{Value, json};

use crate::openai::{self, CHAT, chat, data, with};
use crate::server::Server;

const RESPONSES: &str = "/v1/responses";

fn request(input: &Value, tools: &Value) -> Value {
    json!({ "model": "scripted-1", "input": input, "tools": tools })
}

/// The request as the model received it.
fn dumped(server: &Server, request: &Value) -> Value {
    let response = server.post(RESPONSES, request).json();
    let text = response["output"][0]["content"][0]["text"].as_str().unwrap_or_else(|| panic!("{response}"));
    serde_json::from_str(text).unwrap()
}

fn tools() -> Value {
    json!([{ "type": "shell" }, { "type": "local_shell" }, { "type": "apply_patch" }])
}

#[test]
fn client_tools_are_offered_as_functions() {
    let server = Server::demo(&[]);
    let dump = dumped(&server, &request(&json!("dump:"), &tools()));
    let offered = dump["tools"].as_array().unwrap();
    let names: Vec<_> = offered.iter().map(|tool| tool["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["shell", "local_shell", "apply_patch"]);
    assert!(offered.iter().all(|tool| tool["inputSchema"]["type"] == "object"));

    // OpenAI runs a shell in a container itself; a local one is the client's.
    let container = json!([{ "type": "shell", "environment": { "type": "container_auto" } }]);
    assert_eq!(dumped(&server, &request(&json!("dump:"), &container))["tools"], json!([]));
    let local = json!([{ "type": "shell", "environment": { "type": "local" } }]);
    assert_eq!(dumped(&server, &request(&json!("dump:"), &local))["tools"][0]["name"], "shell");
    // A function of the same name is another tool.
    let both = json!([{ "type": "function", "name": "shell" }, { "type": "shell" }]);
    let dump = dumped(&server, &request(&json!("dump:"), &both));
    assert_eq!((&dump["tools"][0]["name"], &dump["tools"][1]["name"]), (&json!("shell"), &json!("shell_2")));
}

#[test]
fn calls_are_items_of_the_vendors_types_whole_and_streamed() {
    let server = Server::demo(&[]);
    for (script, kind, field, expected) in [
        (
            r#"call:shell {"commands":["ls","pwd"],"timeout_ms":5}"#,
            "shell_call",
            "action",
            json!({ "commands": ["ls", "pwd"], "timeout_ms": 5, "max_output_length": null }),
        ),
        (
            r#"call:local_shell {"command":["ls","-l"]}"#,
            "local_shell_call",
            "action",
            json!({ "type": "exec", "command": ["ls", "-l"], "env": {}, "timeout_ms": null,
                    "working_directory": null, "user": null }),
        ),
        (
            r#"call:apply_patch {"operation":{"type":"create_file","path":"a","diff":"+x"}}"#,
            "apply_patch_call",
            "operation",
            json!({ "type": "create_file", "path": "a", "diff": "+x" }),
        ),
        (
            r#"call:apply_patch {"type":"delete_file","path":"a"}"#,
            "apply_patch_call",
            "operation",
            json!({ "type": "delete_file", "path": "a" }),
        ),
    ] {
        let request = request(&json!(script), &tools());
        let whole = server.post(RESPONSES, &request).json();
        let item = &whole["output"][0];
        assert_eq!(
            (&item["type"], &item[field], &item["status"]),
            (&json!(kind), &expected, &json!("completed"))
        );
        assert!(item["id"].is_string() && item["call_id"].is_string(), "{item}");

        let events = server.stream(RESPONSES, &with(request, &json!({ "stream": true }))).rest();
        let events: Vec<Value> = events
            .iter()
            .map(|event| serde_json::from_str(event.split_once("data: ").unwrap().1).unwrap())
            .collect();
        let added = &events[2];
        assert_eq!(
            (&added["type"], &added["item"]["status"]),
            (&json!("response.output_item.added"), &json!("in_progress"))
        );
        let done = &events[3];
        assert_eq!(
            (&done["type"], &done["item"]["type"]),
            (&json!("response.output_item.done"), &json!(kind))
        );
        assert_eq!((&done["item"][field], &done["item"]["id"]), (&expected, &added["item"]["id"]));
        assert_eq!(events[4]["response"]["output"], json!([done["item"]]));
    }
}

#[test]
fn choice_may_name_a_client_tool() {
    let server = Server::demo(&[]);
    for kind in ["shell", "local_shell", "apply_patch"] {
        let choice = json!({ "tool_choice": { "type": kind } });
        let script = json!(format!("call:{kind} {{}}"));
        let response = server.post(RESPONSES, &with(request(&script, &tools()), &choice)).json();
        assert_eq!(response["output"][0]["type"], format!("{kind}_call"), "{response}");
        let without = server.post(RESPONSES, &with(request(&script, &json!([])), &choice));
        assert_eq!(without.status, 400, "{kind}");
    }
    let allowed = json!({ "tool_choice": { "type": "allowed_tools", "mode": "required", "tools": [{ "type": "shell" }] } });
    let response = server.post(RESPONSES, &with(request(&json!("call:shell {}"), &tools()), &allowed)).json();
    assert_eq!(response["output"][0]["type"], "shell_call");
}

#[test]
fn history_of_client_tools_is_calls_and_results() {
    let server = Server::demo(&[]);
    let input = json!([
        { "role": "user", "content": "x" },
        { "type": "shell_call", "id": "sh_1", "call_id": "c1", "status": "completed",
          "action": { "commands": ["ls"], "timeout_ms": null, "max_output_length": null }, "environment": null },
        { "type": "shell_call_output", "call_id": "c1", "max_output_length": null, "output": [
            { "stdout": "a.rs\n", "stderr": "odd\n", "outcome": { "type": "exit", "exit_code": 1 } },
            { "stdout": "", "stderr": "", "outcome": { "type": "timeout" } } ] },
        { "type": "local_shell_call", "id": "lsh_1", "call_id": "c2", "status": "completed",
          "action": { "type": "exec", "command": ["pwd"], "env": {} } },
        { "type": "local_shell_call_output", "id": "c2", "output": "/home" },
        { "type": "apply_patch_call", "id": "apc_1", "call_id": "c3", "status": "completed",
          "operation": { "type": "create_file", "path": "a", "diff": "+x" } },
        { "type": "apply_patch_call_output", "call_id": "c3", "status": "failed", "output": "no such file" },
        { "role": "user", "content": "dump:" },
    ]);
    for tools in [tools(), json!([])] {
        let dump = dumped(&server, &request(&input, &tools));
        let parts: Vec<&Value> = dump["messages"]
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|message| message["parts"].as_array().unwrap())
            .filter(|part| part["type"] != "text")
            .collect();
        let calls: Vec<_> = parts.iter().filter(|part| part["type"] == "tool_call").collect();
        let called: Vec<_> =
            calls.iter().map(|call| (call["name"].as_str().unwrap(), call["input"].clone())).collect();
        assert_eq!(
            called,
            [
                ("shell", json!({ "commands": ["ls"] })),
                ("local_shell", json!({ "command": ["pwd"], "env": {} })),
                ("apply_patch", json!({ "operation": { "type": "create_file", "path": "a", "diff": "+x" } })),
            ]
        );
        let results: Vec<_> = parts
            .iter()
            .filter(|part| part["type"] == "tool_result")
            .map(|part| part["text"].clone())
            .collect();
        assert_eq!(
            results,
            ["a.rs\nstderr:\nodd\n[exit code 1]\n[timed out]", "/home", "[The tool failed.]\nno such file"]
        );
    }
}

#[test]
fn screenshot_is_an_image() {
    const PNG: &str =
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
    let server = Server::demo(&[]);
    let input = |output: Value| {
        json!([
            { "role": "user", "content": "x" },
            { "type": "computer_call", "id": "cu_1", "call_id": "c1", "status": "completed",
              "pending_safety_checks": [], "action": { "type": "screenshot" } },
            { "type": "computer_call_output", "call_id": "c1", "output": output },
            { "role": "user", "content": "dump:" },
        ])
    };
    let shown = json!({ "type": "computer_screenshot", "image_url": format!("data:image/png;base64,{PNG}") });
    let response = server.post(RESPONSES, &request(&input(shown), &json!([]))).json();
    let dump = response["output"][0]["content"][0]["text"].as_str().unwrap();
    assert!(dump.contains("image/png") && !dump.contains("iVBOR"), "{dump}");
    for output in [
        json!({ "type": "computer_screenshot", "image_url": "https://example.com/a.png" }),
        json!({ "type": "computer_screenshot", "file_id": "file_1" }),
        json!({ "type": "computer_screenshot", "image_url": "data:image/svg+xml;base64,PHN2Zy8+" }),
        json!({ "type": "computer_screenshot" }),
    ] {
        let response = server.post(RESPONSES, &request(&input(output), &json!([])));
        assert_eq!(response.status, 200, "{}", response.text());
        assert!(!response.text().contains("PHN2Zy8"), "{}", response.text());
    }
}

/// A tool of chat completions that takes free text.
fn free_text(name: &str) -> Value {
    let grammar = json!({ "syntax": "lark", "definition": "start: /[a-z]+/" });
    let format = json!({ "type": "grammar", "grammar": grammar });
    json!({ "type": "custom", "custom": { "name": name, "description": "Runs code.", "format": format } })
}

#[test]
fn free_text_tool_of_a_chat_is_a_function_with_one_string() {
    let server = Server::demo(&[]);
    let f = json!({ "type": "function", "function": { "name": "f" } });
    let tools = json!({ "tools": [free_text("code"), f] });
    let dump = openai::dumped(&server, &with(chat("dump:"), &tools));
    let code = &dump["tools"][0];
    assert_eq!((&code["name"], &dump["tools"][1]["name"]), (&json!("code"), &json!("f")));
    assert_eq!(code["inputSchema"]["properties"], json!({ "input": { "type": "string" } }));
    let description = code["description"].as_str().unwrap();
    assert!(description.starts_with("Runs code.\n\n`input` must follow this lark grammar:"), "{description}");

    let script = chat(r#"call:code {"input":"print(1)\nx"}"#);
    let custom = json!({ "name": "code", "input": "print(1)\nx" });
    let reference = json!({ "type": "custom", "custom": { "name": "code" } });
    let allowed = json!({ "mode": "required", "tools": [reference] });
    for choice in [
        json!("auto"),
        json!("required"),
        reference,
        json!({ "type": "allowed_tools", "allowed_tools": allowed }),
    ] {
        let request = with(with(script.clone(), &tools), &json!({ "tool_choice": choice }));
        let choices = server.post(CHAT, &request).json()["choices"].take();
        let call = &choices[0]["message"]["tool_calls"][0];
        assert_eq!((&call["type"], &call["custom"]), (&json!("custom"), &custom), "{choice}: {choices}");
        assert_eq!((call.get("function"), &choices[0]["finish_reason"]), (None, &json!("tool_calls")));

        let events = server.stream(CHAT, &with(request, &json!({ "stream": true }))).rest();
        let deltas: Vec<Value> = events
            .iter()
            .filter(|event| event.contains("tool_calls\":"))
            .map(|event| data(event)["choices"][0]["delta"]["tool_calls"][0].take())
            .collect();
        assert_eq!(deltas.len(), 1, "{choice}: {events:?}");
        let delta = &deltas[0];
        assert_eq!(
            (&delta["index"], &delta["type"], &delta["custom"]),
            (&json!(0), &json!("custom"), &custom)
        );
    }

    let history = json!([
        { "role": "user", "content": "x" },
        { "role": "assistant", "tool_calls": [{ "id": "c1", "type": "custom", "custom": custom }] },
        { "role": "tool", "tool_call_id": "c1", "content": "r" },
        { "role": "user", "content": "dump:" },
    ]);
    let dump =
        openai::dumped(&server, &with(chat(""), &json!({ "messages": history, "tools": tools["tools"] })));
    let call = &dump["messages"][1]["parts"][0];
    assert_eq!((&call["name"], &call["input"]), (&json!("code"), &json!({ "input": "print(1)\nx" })));
}

#[test]
fn free_text_tools_follow_the_rules_of_names() {
    let server = Server::demo(&[]);
    let send = |tools: Value| server.post(CHAT, &with(chat("dump:"), &json!({ "tools": tools })));
    assert_eq!(send(json!([free_text("f"), free_text("f")])).status, 200);
    let bare = json!({ "type": "custom", "custom": { "name": "f" } });
    let function = json!({ "type": "function", "function": { "name": "f" } });
    for (tools, at) in [
        (json!([free_text("f"), bare]), "tools[1].custom.name"),
        (json!([bare, function]), "tools[1].function.name"),
        (json!([{ "type": "custom", "custom": { "name": "" } }]), "tools[0].custom.name"),
        (json!([{ "type": "custom", "custom": {} }]), "tools[0].custom.name"),
    ] {
        let (status, .., message) = send(tools).error();
        assert!(status == 400 && message.starts_with(at), "{message}");
    }
}
