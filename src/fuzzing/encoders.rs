//! Encoders: the stream of any response folds to the whole response, in every dialect.

use serde_json::{Value, json};

use super::source::Source;
use crate::conversation::{Event, Finish, Thinking, ToolCall, Usage};
use crate::dialect::anthropic::Anthropic;
use crate::dialect::gemini::Gemini;
use crate::dialect::legacy_completions::Completions;
use crate::dialect::ollama::{Chat, Generate, Ollama};
use crate::dialect::openai_chat::OpenAiChat;
use crate::dialect::openai_responses::OpenAiResponses;
use crate::dialect::{Dialect, Encoder, RequestHead, ResponseMeta};

/// Content of a response as a client has it: the text, the calls with their inputs, and whether it ended.
#[derive(Debug, Default, PartialEq)]
struct Answer {
    text: String,
    calls: Vec<(String, Value)>,
    end: Option<Value>,
}

/// Encodes the same events in every dialect, streamed and whole.
pub fn encoders(data: &[u8]) {
    let mut source = Source(data);
    let finish = match source.below(5) {
        0 => Finish::Stop,
        1 => Finish::Length,
        2 => Finish::ToolCalls,
        3 => Finish::StopSequence(source.text()),
        _ => Finish::ContentFilter,
    };
    let mut events = Vec::new();
    while !source.0.is_empty() {
        events.push(match source.below(6) {
            0 => {
                let id = source.flag().then(|| source.text());
                Event::Thinking(Thinking { id, ..Thinking::text(source.text()) })
            }
            1 => {
                let name = source.text();
                Event::ToolCall(ToolCall {
                    id: format!("call_{}", events.len()),
                    name,
                    input: Value::Object(source.object(2)),
                })
            }
            _ => Event::Text(source.text()),
        });
    }
    events.push(Event::Finish(finish, Usage { input: 3, output: 2, ..Usage::default() }));

    let messages = json!({ "messages": [{ "role": "user", "content": "x" }], "max_tokens": 9 });
    check::<OpenAiChat>(&messages, &events, chat_stream, chat_whole);
    check::<Completions>(&json!({ "prompt": "x" }), &events, completions_stream, completions_whole);
    check::<Anthropic>(&messages, &events, anthropic_stream, anthropic_whole);
    check::<OpenAiResponses>(&json!({ "input": "x" }), &events, responses_stream, responses_whole);
    let contents = json!({ "contents": [{ "parts": [{ "text": "x" }] }] });
    check::<Gemini>(&contents, &events, gemini_stream, gemini_whole);
    check::<Ollama<Chat>>(&messages, &events, ollama_stream, ollama_whole);
    check::<Ollama<Generate>>(&json!({ "prompt": "x" }), &events, ollama_stream, ollama_whole);
}

fn check<D: Dialect>(
    request: &Value,
    events: &[Event],
    streamed: fn(&[(String, Value)], &mut Answer),
    whole: fn(&Value, &mut Answer),
) {
    let body = request.to_string();
    let (_, options) = D::read(&RequestHead::default(), body.as_bytes(), &D::Memory::default()).unwrap();
    let meta = ResponseMeta { id: "0f".into(), created: 1, model: "scripted-1".into(), counted_input: 3 };

    let mut out = Vec::new();
    let mut encoder = D::encoder(&meta, &options);
    encoder.open(&mut out);
    for event in events {
        encoder.event(0, event, &mut out);
    }
    encoder.close(&mut out);
    let mut stream = Answer::default();
    let text = String::from_utf8(out).unwrap();
    if D::stream_content_type(&options) == crate::dialect::EVENT_STREAM {
        streamed(&server_sent_events(&text), &mut stream);
    } else if text.starts_with('[') {
        let items: Vec<Value> = serde_json::from_str(&text).unwrap();
        streamed(&items.into_iter().map(|item| (String::new(), item)).collect::<Vec<_>>(), &mut stream);
    } else {
        let lines = text.strip_suffix('\n').unwrap().split('\n');
        let lines: Vec<_> = lines.map(|line| (String::new(), serde_json::from_str(line).unwrap())).collect();
        streamed(&lines, &mut stream);
    }

    let mut folded = Answer::default();
    whole(&D::response(&meta, &options, &[events.to_vec()]), &mut folded);
    assert_eq!(stream, folded, "{}", D::NAME);
    assert!(stream.end.is_some_and(|end| !end.is_null()), "{}", D::NAME);
}

/// Name and data of each event, read as by the strictest clients, which end a line wherever Unicode does.
fn server_sent_events(text: &str) -> Vec<(String, Value)> {
    let mut events = Vec::new();
    let mut name = String::new();
    for line in text.split(['\n', '\r', '\u{b}', '\u{c}', '\u{85}', '\u{2028}', '\u{2029}']) {
        if let Some(event) = line.strip_prefix("event: ") {
            event.clone_into(&mut name);
        } else if let Some(data) = line.strip_prefix("data: ") {
            let data = if data == "[DONE]" { json!("[DONE]") } else { serde_json::from_str(data).unwrap() };
            events.push((std::mem::take(&mut name), data));
        } else {
            assert!(line.is_empty() || line.starts_with(':'), "a line cut in two: {line}");
        }
    }
    events
}

fn string(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn parsed(arguments: &str) -> Value {
    serde_json::from_str(if arguments.is_empty() { "{}" } else { arguments }).unwrap()
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn chat_stream(events: &[(String, Value)], answer: &mut Answer) {
    let (last, chunks) = events.split_last().unwrap();
    assert_eq!(last.1, "[DONE]");
    let mut calls: Vec<(String, String)> = Vec::new();
    for (_, chunk) in chunks {
        for choice in items(&chunk["choices"]) {
            answer.text += string(&choice["delta"]["content"]);
            for call in items(&choice["delta"]["tool_calls"]) {
                let index = usize::try_from(call["index"].as_u64().unwrap()).unwrap();
                calls.resize(calls.len().max(index + 1), (String::new(), String::new()));
                calls[index].0 += string(&call["function"]["name"]);
                calls[index].1 += string(&call["function"]["arguments"]);
            }
            if !choice["finish_reason"].is_null() {
                answer.end = Some(choice["finish_reason"].clone());
            }
        }
    }
    answer.calls = calls.into_iter().map(|(name, arguments)| (name, parsed(&arguments))).collect();
}

fn chat_whole(body: &Value, answer: &mut Answer) {
    let choice = &body["choices"][0];
    string(&choice["message"]["content"]).clone_into(&mut answer.text);
    for call in items(&choice["message"]["tool_calls"]) {
        let function = &call["function"];
        answer.calls.push((string(&function["name"]).to_owned(), parsed(string(&function["arguments"]))));
    }
    answer.end = Some(choice["finish_reason"].clone());
}

fn completions_stream(events: &[(String, Value)], answer: &mut Answer) {
    let (last, chunks) = events.split_last().unwrap();
    assert_eq!(last.1, "[DONE]");
    for choice in chunks.iter().flat_map(|(_, chunk)| items(&chunk["choices"])) {
        answer.text += string(&choice["text"]);
        if !choice["finish_reason"].is_null() {
            answer.end = Some(choice["finish_reason"].clone());
        }
    }
}

fn completions_whole(body: &Value, answer: &mut Answer) {
    string(&body["choices"][0]["text"]).clone_into(&mut answer.text);
    answer.end = Some(body["choices"][0]["finish_reason"].clone());
}

fn anthropic_stream(events: &[(String, Value)], answer: &mut Answer) {
    assert_eq!(events.last().unwrap().0, "message_stop");
    let mut input = None;
    for (name, data) in events {
        assert_eq!(*name, data["type"]);
        match name.as_str() {
            "content_block_start" if data["content_block"]["type"] == "tool_use" => {
                input = Some((string(&data["content_block"]["name"]).to_owned(), String::new()));
            }
            "content_block_start" => answer.text += string(&data["content_block"]["text"]),
            "content_block_delta" => {
                answer.text += string(&data["delta"]["text"]);
                if let Some((_, json)) = &mut input {
                    *json += string(&data["delta"]["partial_json"]);
                }
            }
            "content_block_stop" => {
                answer.calls.extend(input.take().map(|(name, json)| (name, parsed(&json))));
            }
            "message_delta" => answer.end = Some(data["delta"]["stop_reason"].clone()),
            _ => {}
        }
    }
}

fn anthropic_whole(body: &Value, answer: &mut Answer) {
    for block in items(&body["content"]) {
        answer.text += string(&block["text"]);
        if block["type"] == "tool_use" {
            answer.calls.push((string(&block["name"]).to_owned(), block["input"].clone()));
        }
    }
    answer.end = Some(body["stop_reason"].clone());
}

fn responses_stream(events: &[(String, Value)], answer: &mut Answer) {
    let mut text = String::new();
    for (number, (name, data)) in events.iter().enumerate() {
        assert_eq!(*name, data["type"]);
        assert_eq!(data["sequence_number"], number);
        if name == "response.output_text.delta" {
            text += string(&data["delta"]);
        }
    }
    responses_whole(&events.last().unwrap().1["response"], answer);
    assert_eq!(answer.text, text, "the last event has another text than the deltas");
}

fn responses_whole(body: &Value, answer: &mut Answer) {
    for item in items(&body["output"]) {
        answer.text.extend(items(&item["content"]).map(|part| string(&part["text"])));
        if item["type"] == "function_call" {
            answer.calls.push((string(&item["name"]).to_owned(), parsed(string(&item["arguments"]))));
        }
    }
    answer.end = Some(body["status"].clone());
}

fn gemini_stream(chunks: &[(String, Value)], answer: &mut Answer) {
    for (_, chunk) in chunks {
        assert!(answer.end.is_none(), "a chunk after the end");
        gemini_whole(chunk, answer);
    }
}

fn gemini_whole(body: &Value, answer: &mut Answer) {
    let candidate = &body["candidates"][0];
    for part in items(&candidate["content"]["parts"]) {
        answer.text += string(&part["text"]);
        if let Some(call) = part.get("functionCall") {
            answer.calls.push((string(&call["name"]).to_owned(), call["args"].clone()));
        }
    }
    answer.end = candidate.get("finishReason").cloned();
}

fn ollama_stream(lines: &[(String, Value)], answer: &mut Answer) {
    for (_, line) in lines {
        assert!(answer.end.is_none(), "a line after the end");
        ollama_whole(line, answer);
    }
}

fn ollama_whole(body: &Value, answer: &mut Answer) {
    answer.text += string(&body["message"]["content"]);
    answer.text += string(&body["response"]);
    for call in items(&body["message"]["tool_calls"]) {
        answer
            .calls
            .push((string(&call["function"]["name"]).to_owned(), call["function"]["arguments"].clone()));
    }
    if body["done"] == true {
        answer.end = Some(body["done_reason"].clone());
    }
}
