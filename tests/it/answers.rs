//! What the server does to an answer that the editor can't: stops, limits, demands, counts. Through the OpenAI door;
//! all dialects share it.

use copilot_proxy::bridge::protocol::{FromEditor, ModelInfo, ResponsePart};
use copilot_proxy::conversation::{Part, ToolCall};
use serde_json::{Value, json};

use crate::client::{Request, Response};
use crate::editor::{Editor, model};
use crate::openai::{CHAT, chat, content, data, dumped, streamed, text_of, until_stats, with};
use crate::server::Server;

/// Text and reason for ending of a whole answer, which its stream must tell alike.
fn both(server: &Server, script: &str, fields: &Value) -> (String, String) {
    let whole = server.post(CHAT, &with(chat(script), fields));
    assert_eq!(whole.status, 200, "{}", whole.text());
    let finish = |choice: &Value| choice["finish_reason"].as_str().map(str::to_owned);
    let answer = (content(&whole), finish(&whole.json()["choices"][0]).unwrap());
    let events = server.stream(CHAT, &with(streamed(script), fields)).rest();
    let reasons = events.iter().filter(|event| event.starts_with("data: {"));
    let reasons: Vec<String> = reasons.filter_map(|event| finish(data(event)["choices"].get(0)?)).collect();
    assert_eq!((text_of(&events), reasons), (answer.0.clone(), vec![answer.1.clone()]));
    answer
}

fn ended(text: &str, reason: &str) -> (String, String) {
    (text.into(), reason.into())
}

#[test]
fn an_answer_ends_at_the_first_of_several_stops_wherever_the_parts_are_cut() {
    let server = Server::demo(&[]);
    for (script, stop, text) in [
        ("say:one two three", json!(["three", "two"]), "one "),
        ("units:one two three", json!(["two", "wo t"]), "one "),
        ("say:a b c d", json!(["b c", "z"]), "a "),
        ("say:one two", json!(["twofold", "x"]), "one two"),
        ("say:one two", json!("two"), "one "),
    ] {
        let wanted = ended(text, "stop");
        assert_eq!(both(&server, script, &json!({ "stop": stop })), wanted, "{script} {stop}");
    }
}

#[test]
fn the_model_is_cancelled_where_an_answer_is_cut() {
    let server = Server::demo(&[]);
    let fields = json!({ "stop": ["END", "STOP"] });
    let answer = server.post(CHAT, &with(chat("say:all of it END\nhang:"), &fields));
    assert_eq!(content(&answer), "all of it ");
    until_stats(&server, &json!({ "started": 1, "completed": 0, "failed": 0, "cancelled": 1, "active": 0 }));
}

#[test]
fn a_limit_of_tokens_is_a_true_limit() {
    let server = Server::demo(&[]);
    for field in ["max_tokens", "max_completion_tokens"] {
        let (text, reason) = both(&server, "say:one two three four five six", &json!({ field: 3 }));
        assert_eq!((text.as_str(), reason.as_str()), ("one two three", "length"));
    }
    assert_eq!(both(&server, "say:one two", &json!({ "max_tokens": 3 })), ended("one two", "stop"));
}

#[test]
fn an_answer_that_the_provider_cut_says_so() {
    let server = Server::demo(&[]);
    let of = |model: &str| json!({ "model": model });
    // Only the missing usage tells, and only of models that always send it.
    assert_eq!(both(&server, "say:cut sho\ncut:", &of("scripted-usage")), ended("cut sho", "length"));
    assert_eq!(both(&server, "say:whole", &of("scripted-usage")), ended("whole", "stop"));
    assert_eq!(both(&server, "say:whole", &of("scripted-1")), ended("whole", "stop"));
}

#[test]
fn usage_is_the_providers_where_it_tells_and_counted_where_not() {
    let server = Server::demo(&[]);
    let ask = |script: &str, model: &str| server.post(CHAT, &with(chat(script), &json!({ "model": model })));
    let usage = |answer: &Response| {
        let usage = &answer.json()["usage"];
        ["prompt_tokens", "completion_tokens", "total_tokens"].map(|field| usage[field].as_u64().unwrap())
    };
    let reported = ask("say:Hello\nusage:12 34 5", "scripted-1");
    assert_eq!(
        (usage(&reported), reported.header("x-copilot-proxy-usage")),
        ([12, 34, 46], Some("reported"))
    );
    assert_eq!(reported.json()["usage"]["prompt_tokens_details"]["cached_tokens"], 5);

    let counted = ask("say:Hello there", "scripted-1");
    let [input, output, total] = usage(&counted);
    assert_eq!((output, total, counted.header("x-copilot-proxy-usage")), (2, input + 2, Some("counted")));
    assert!(input > 3, "{input}");

    let request =
        with(streamed("say:Hello\nusage:12 34 5"), &json!({ "stream_options": { "include_usage": true } }));
    let events = server.stream(CHAT, &request).rest();
    let cost = data(&events[events.len() - 2]);
    assert_eq!(cost["usage"], reported.json()["usage"], "a stream tells the same as a whole answer");
    assert_eq!(cost["copilot_proxy"]["usage"], "reported");
}

#[test]
fn a_prompt_that_does_not_fit_is_refused_and_not_trimmed() {
    let server = Server::demo(&[]);
    let long = "word ".repeat(17_000);
    let request = with(chat(&format!("say:a\n{long}")), &json!({ "model": "scripted-mini" }));
    let (status, kind, code, message) = server.post(CHAT, &request).error();
    assert_eq!((status, kind, code), (400, json!("invalid_request_error"), json!("context_length_exceeded")));
    assert!(
        message.starts_with("prompt is too long: ") && message.ends_with(" tokens > 16384 maximum"),
        "{message}"
    );
    assert_eq!(content(&server.post(CHAT, &with(request, &json!({ "model": "scripted-1" })))), "a");
}

#[test]
fn more_than_128_tools_are_refused() {
    let server = Server::demo(&[]);
    let tools = |number: usize| -> Value {
        let tool = |number| json!({ "type": "function", "function": { "name": format!("t{number}") } });
        json!({ "tools": (0..number).map(tool).collect::<Vec<_>>() })
    };
    let (status, _, _, message) = server.post(CHAT, &with(chat("say:a"), &tools(129))).error();
    assert_eq!((status, message.as_str()), (400, "tools: found 129 tools, a request can have at most 128"));
    assert_eq!(dumped(&server, &with(chat("dump:"), &tools(128)))["tools"].as_array().unwrap().len(), 128);
}

fn of_m(request: Value) -> Value {
    with(request, &json!({ "model": "m" }))
}

fn calls(editor: &mut Editor, stream: u32, name: &str, input: Value) {
    let call = ToolCall { id: format!("id-{stream}"), name: name.into(), input };
    editor.send(stream, &FromEditor::Part(ResponsePart { part: Part::ToolCall(call) }));
    editor.send(stream, &FromEditor::End);
}

#[test]
fn one_of_several_tools_can_be_demanded_and_is_asked_for_once_more() {
    let server = Server::serve(&[]);
    let mut editor = Editor::with_models(&server.home, &[model("m")]);
    let tool = |name| json!({ "type": "function", "function": { "name": name } });
    let request =
        with(of_m(chat("Hello")), &json!({ "tools": [tool("a"), tool("b")], "tool_choice": "required" }));
    let mut client = server.client();
    client.send(&Request::post(CHAT, &request));
    let (asked, question) = editor.expect_chat();
    // Copilot's provider refuses to demand one of several.
    assert!(!question.required && question.tools.len() == 2);
    editor.respond(asked, "I would rather not");
    let (again, _) = editor.expect_chat();
    calls(&mut editor, again, "b", json!({ "x": 1 }));
    let choice = client.response().json()["choices"][0].clone();
    assert_eq!(choice["finish_reason"], "tool_calls");
    assert_eq!(
        choice["message"]["tool_calls"][0]["function"],
        json!({ "name": "b", "arguments": "{\"x\":1}" })
    );

    client.send(&Request::post(CHAT, &request));
    for _ in 0..2 {
        let (asked, _) = editor.expect_chat();
        editor.respond(asked, "I would rather not");
    }
    let (status, _, code, _) = client.response().error();
    assert_eq!((status, code), (502, json!("bad_answer")));
}

#[test]
fn json_of_a_schema_travels_as_one_required_tool_and_is_repaired_once() {
    let server = Server::serve(&[]);
    let mut editor = Editor::with_models(&server.home, &[model("m")]);
    let schema = json!({
        "type": "object",
        "properties": { "age": { "type": "integer" } },
        "required": ["age"],
        "additionalProperties": false,
    });
    let format = json!({ "type": "json_schema", "json_schema": { "name": "person", "schema": schema, "strict": true } });
    let request = with(of_m(chat("How old?")), &json!({ "response_format": format }));
    for (first, is_mended) in [(json!({ "age": 7 }), false), (json!({ "age": "seven" }), true)] {
        let mut client = server.client();
        client.send(&Request::post(CHAT, &request));
        let (asked, question) = editor.expect_chat();
        assert!(question.required);
        let [tool] = question.tools.as_slice() else { panic!("{:?}", question.tools) };
        assert_eq!(tool.input_schema.as_ref(), Some(&schema));
        calls(&mut editor, asked, &tool.name, first);
        if is_mended {
            let (again, question) = editor.expect_chat();
            assert!(question.messages.len() > 1);
            calls(&mut editor, again, &tool.name, json!({ "age": 7 }));
        }
        let answer = client.response();
        assert_eq!(content(&answer), "{\"age\":7}");
        let choice = &answer.json()["choices"][0];
        assert_eq!((&choice["finish_reason"], choice["message"].get("tool_calls")), (&json!("stop"), None));
    }
}

#[test]
fn a_lone_blank_before_a_call_is_dropped_and_elsewhere_kept() {
    let server = Server::serve(&[]);
    let mut editor = Editor::with_models(&server.home, &[model("m")]);
    let tool = json!([{ "type": "function", "function": { "name": "a" } }]);
    for (is_called, wanted) in [(true, "Hello"), (false, "Hello ")] {
        let mut client = server.client();
        client.send(&Request::post(CHAT, &with(of_m(chat("Hello")), &json!({ "tools": tool }))));
        let (asked, _) = editor.expect_chat();
        editor.send_text(asked, "Hello");
        editor.send_text(asked, " ");
        if is_called {
            calls(&mut editor, asked, "a", json!({}));
        } else {
            editor.send(asked, &FromEditor::End);
        }
        assert_eq!(content(&client.response()), wanted);
    }
}

#[test]
fn what_the_provider_attaches_for_itself_reaches_no_client() {
    let server = Server::serve(&[]);
    let marked = ModelInfo { reports_usage: true, ..model("m") };
    let mut editor = Editor::with_models(&server.home, &[marked]);
    let mut client = server.client();
    client.send(&Request::post(CHAT, &of_m(chat("Hello"))));
    let (asked, _) = editor.expect_chat();
    editor.send_text(asked, "Hi");
    let data = |mime: &str, base64: &str| {
        let data = copilot_proxy::conversation::Data { mime: mime.into(), base64: base64.into() };
        FromEditor::Part(ResponsePart { part: Part::Data(data) })
    };
    editor.send(asked, &data("stateful_marker", "bW9kZWxccmVzcF8x"));
    // {"prompt_tokens":7,"completion_tokens":5,"total_tokens":12}
    editor.send(
        asked,
        &data("usage", "eyJwcm9tcHRfdG9rZW5zIjo3LCJjb21wbGV0aW9uX3Rva2VucyI6NSwidG90YWxfdG9rZW5zIjoxMn0="),
    );
    editor.send(asked, &FromEditor::End);
    let answer = client.response();
    assert_eq!((content(&answer).as_str(), answer.text().contains("resp_1")), ("Hi", false));
    assert_eq!(answer.json()["usage"]["total_tokens"], 12);
}
