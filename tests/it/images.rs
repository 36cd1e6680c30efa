//! Images in all dialects: the bytes decide the type, and one that models don't take is rejected in the newest user
//! message only.

use serde_json::{Value, json};

use crate::gemini_form;
use crate::server::Server;

const PNG: &str = "iVBORw0KGgo=";
const SVG: &str = "PHN2Zy8+";
const ACCEPTED: &str = "PNG, JPEG, GIF or WebP";

/// An image as a client sends it: label and base64.
type Image<'a> = (&'a str, &'a str);

/// The position of an image in a request.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Place {
    Newest,
    Older,
    ToolResult,
}

fn data_url((label, base64): Image<'_>) -> String {
    format!("data:{label};base64,{base64}")
}

/// A history in which this message is not the newest of the user.
fn older_turn(message: Value) -> Value {
    json!([message, { "role": "assistant", "content": "a" }, { "role": "user", "content": "dump:" }])
}

fn openai_chat(image: Image<'_>, place: Place) -> (&'static str, Value) {
    let part = json!({ "type": "image_url", "image_url": { "url": data_url(image) } });
    let messages = match place {
        Place::Newest => json!([{ "role": "user", "content": [part, { "type": "text", "text": "dump:" }] }]),
        Place::Older => older_turn(json!({ "role": "user", "content": [part] })),
        Place::ToolResult => json!([
            { "role": "user", "content": "x" },
            { "role": "assistant", "tool_calls": [{ "id": "c1", "type": "function", "function": { "name": "f", "arguments": "{}" } }] },
            { "role": "tool", "tool_call_id": "c1", "content": [part] },
            { "role": "user", "content": "dump:" },
        ]),
    };
    ("/v1/chat/completions", json!({ "model": "scripted-1", "messages": messages }))
}

fn responses(image: Image<'_>, place: Place) -> (&'static str, Value) {
    let part = json!({ "type": "input_image", "image_url": data_url(image) });
    let input = match place {
        Place::Newest => {
            json!([{ "role": "user", "content": [part, { "type": "input_text", "text": "dump:" }] }])
        }
        Place::Older => older_turn(json!({ "role": "user", "content": [part] })),
        Place::ToolResult => json!([
            { "role": "user", "content": "x" },
            { "type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}" },
            { "type": "function_call_output", "call_id": "c1", "output": [part] },
            { "role": "user", "content": "dump:" },
        ]),
    };
    ("/v1/responses", json!({ "model": "scripted-1", "input": input }))
}

fn anthropic((label, base64): Image<'_>, place: Place) -> (&'static str, Value) {
    let block =
        json!({ "type": "image", "source": { "type": "base64", "media_type": label, "data": base64 } });
    let messages = match place {
        Place::Newest => json!([{ "role": "user", "content": [block, { "type": "text", "text": "dump:" }] }]),
        Place::Older => older_turn(json!({ "role": "user", "content": [block] })),
        Place::ToolResult => json!([
            { "role": "user", "content": "x" },
            { "role": "assistant", "content": [{ "type": "tool_use", "id": "c1", "name": "f", "input": {} }] },
            { "role": "user", "content": [
                { "type": "tool_result", "tool_use_id": "c1", "content": [block] },
                { "type": "text", "text": "dump:" },
            ] },
        ]),
    };
    ("/v1/messages", json!({ "model": "scripted-1", "max_tokens": 9999, "messages": messages }))
}

fn ollama((_, base64): Image<'_>, place: Place) -> (&'static str, Value) {
    let messages = match place {
        Place::Newest => json!([{ "role": "user", "content": "dump:", "images": [base64] }]),
        Place::Older => older_turn(json!({ "role": "user", "content": "", "images": [base64] })),
        Place::ToolResult => json!([
            { "role": "user", "content": "x" },
            { "role": "assistant", "content": "", "tool_calls": [{ "function": { "name": "f", "arguments": {} } }] },
            { "role": "tool", "tool_name": "f", "content": "", "images": [base64] },
            { "role": "user", "content": "dump:" },
        ]),
    };
    ("/api/chat", json!({ "model": "scripted-1", "stream": false, "messages": messages }))
}

fn gemini((label, base64): Image<'_>, place: Place) -> (&'static str, Value) {
    let part = json!({ "inlineData": { "mimeType": label, "data": base64 } });
    let dump = gemini_form::text("dump:");
    let contents = match place {
        Place::Newest => vec![gemini_form::user(&json!([part, { "text": "dump:" }]))],
        Place::Older => {
            vec![gemini_form::user(&json!([part])), gemini_form::model(&json!([{ "text": "a" }])), dump]
        }
        Place::ToolResult => {
            let [call, result] = gemini_form::call_and_result("c1", &json!({}), "", &json!([part]));
            vec![gemini_form::text("x"), call, result, dump]
        }
    };
    ("/v1beta/models/scripted-1:generateContent", gemini_form::request(&contents))
}

/// Builds a request of one dialect: path and body.
type Dialect = fn(Image<'_>, Place) -> (&'static str, Value);

const DIALECTS: [Dialect; 5] = [openai_chat, responses, anthropic, ollama, gemini];

/// Status and body, with the quotes of the dump in it as the model printed them.
fn send(server: &Server, (path, body): &(&'static str, Value)) -> (u16, String) {
    let response = server.post(path, body);
    (response.status, response.text().replace("\\\"", "\""))
}

#[test]
fn label_of_an_image_is_ignored() {
    let server = Server::demo(&[]);
    for dialect in DIALECTS {
        for label in ["image/jpeg", "image/jpg", "image/svg+xml"] {
            let request = dialect((label, PNG), Place::Newest);
            let (status, body) = send(&server, &request);
            assert_eq!(status, 200, "{request:?}: {body}");
            assert!(body.contains(r#""mime":"image/png""#), "{request:?}: {body}");
        }
        // Results of tools are dumped as their text: an image there has none.
        let request = dialect(("image/jpeg", PNG), Place::ToolResult);
        let (status, body) = send(&server, &request);
        assert!(status == 200 && !body.contains("left out"), "{request:?}: {body}");
    }
}

#[test]
fn unsupported_image_in_the_newest_user_message_gets_400() {
    let server = Server::demo(&[]);
    let heic = "AAAAGGZ0eXBoZWlj";
    for dialect in DIALECTS {
        for image in [
            ("image/svg+xml", SVG),
            ("image/png", SVG),
            ("image/bmp", "Qk0BAgME"),
            ("image/heic", heic),
            ("image/png", "AAAA"),
        ] {
            let request = dialect(image, Place::Newest);
            let (status, body) = send(&server, &request);
            assert_eq!(status, 400, "{request:?}: {body}");
            assert!(body.contains(ACCEPTED), "{request:?}: {body}");
        }
    }
}

#[test]
fn unsupported_image_becomes_text_in_older_turns_and_tool_results() {
    let server = Server::demo(&[]);
    for dialect in DIALECTS {
        for place in [Place::Older, Place::ToolResult] {
            for image in
                [("image/svg+xml", SVG), ("image/bmp", "Qk0BAgME"), ("image/png", "!!!!"), ("image/png", "")]
            {
                let request = dialect(image, place);
                let (status, body) = send(&server, &request);
                assert_eq!(status, 200, "{request:?}: {body}");
                assert!(body.contains("[image of type "), "{request:?}: {body}");
                assert!(image.1.is_empty() || !body.contains(image.1), "{request:?}: {body}");
            }
        }
    }
}

#[test]
fn image_by_address_is_named_in_older_turns_and_rejected_in_the_newest_message() {
    let server = Server::demo(&[]);
    let source = "https://example.com/a.png";
    let requests = |last: &str, content: Value| {
        let openai = json!([{ "role": "user", "content": [{ "type": "image_url", "image_url": { "url": source } }] }, { "role": last, "content": content }]);
        let input = json!([{ "role": "user", "content": [{ "type": "input_image", "image_url": source }] }, { "role": last, "content": content }]);
        let anthropic = json!([{ "role": "user", "content": [{ "type": "image", "source": { "type": "url", "url": source } }] }, { "role": last, "content": content }]);
        [
            ("/v1/chat/completions", json!({ "model": "scripted-1", "messages": openai })),
            ("/v1/responses", json!({ "model": "scripted-1", "input": input })),
            ("/v1/messages", json!({ "model": "scripted-1", "max_tokens": 9999, "messages": anthropic })),
        ]
    };
    for request in requests("user", json!("dump:")) {
        let (status, body) = send(&server, &request);
        assert!(status == 200 && body.contains(source), "{request:?}: {status} {body}");
    }
    for request in requests("assistant", json!("a prefill")) {
        assert_eq!(send(&server, &request).0, 400, "{request:?}");
    }
}

/// A request to a Claude-like model, with one image in each of `turns` messages and `newest` in the last one.
fn many_images(turns: usize, newest: usize) -> [(&'static str, Value); 5] {
    let model = "claude-sonnet-4";
    let history = |image: Value, text: Value| {
        let mut messages = Vec::new();
        for _ in 0..turns {
            messages.push(json!({ "role": "user", "content": [image] }));
            messages.push(json!({ "role": "assistant", "content": "a" }));
        }
        let mut parts = vec![image; newest];
        parts.push(text);
        messages.push(json!({ "role": "user", "content": parts }));
        json!(messages)
    };
    let url = data_url(("image/png", PNG));
    let text = json!({ "type": "text", "text": "dump:" });
    let chat = history(json!({ "type": "image_url", "image_url": { "url": url } }), text.clone());
    let input = history(
        json!({ "type": "input_image", "image_url": url }),
        json!({ "type": "input_text", "text": "dump:" }),
    );
    let source = json!({ "type": "base64", "media_type": "image/png", "data": PNG });
    let blocks = history(json!({ "type": "image", "source": source }), text);
    let mut plain = Vec::new();
    for _ in 0..turns {
        plain.push(json!({ "role": "user", "content": "x", "images": [PNG] }));
        plain.push(json!({ "role": "assistant", "content": "a" }));
    }
    plain.push(json!({ "role": "user", "content": "dump:", "images": vec![PNG; newest] }));
    let part = json!({ "inlineData": { "mimeType": "image/png", "data": PNG } });
    let mut contents = Vec::new();
    for _ in 0..turns {
        contents.push(gemini_form::user(&json!([part])));
        contents.push(gemini_form::model(&json!([{ "text": "a" }])));
    }
    let mut parts = vec![part; newest];
    parts.push(json!({ "text": "dump:" }));
    contents.push(gemini_form::user(&json!(parts)));
    [
        ("/v1beta/models/claude-sonnet-4:generateContent", gemini_form::request(&contents)),
        ("/v1/chat/completions", json!({ "model": model, "messages": chat })),
        ("/v1/responses", json!({ "model": model, "input": input })),
        ("/v1/messages", json!({ "model": model, "max_tokens": 99_999, "messages": blocks })),
        ("/api/chat", json!({ "model": model, "stream": false, "messages": plain })),
    ]
}

#[test]
fn oldest_images_beyond_the_models_limit_become_text() {
    let server = Server::demo(&[]);
    for (turns, words) in [(19, 0), (20, 10), (29, 10), (30, 20)] {
        for request in many_images(turns, 1) {
            let (status, body) = send(&server, &request);
            assert_eq!(status, 200, "{body}");
            let found =
                body.matches("[image left out: this model takes at most 20 images in a request]").count();
            assert_eq!(found, words, "{turns} {body}");
            assert_eq!(body.matches(r#""mime":"image/png""#).count(), turns + 1 - words, "{turns} {body}");
        }
    }
}

#[test]
fn newest_message_beyond_the_models_image_limit_gets_400() {
    let server = Server::demo(&[]);
    for request in many_images(0, 20) {
        assert_eq!(send(&server, &request).0, 200);
    }
    for request in many_images(3, 21) {
        let (status, body) = send(&server, &request);
        assert_eq!(status, 400, "{body}");
        assert!(body.contains("21 images") && body.contains("at most 20 images"), "{body}");
    }
}
