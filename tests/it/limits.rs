//! Limits of requests and responses: size, time, number, valid JSON, and keep-alives of silent streams.

use std::io::Write as _;

use copilot_proxy::bridge::protocol::{FromEditor, ToEditor};
use copilot_proxy::options::MAX_BODY;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use crate::client::{Client, Request, Response};
use crate::editor::{Editor, model, person_key};
use crate::openai::{
    CHAT, chat, complete, content, data, read_until, stream, streamed, text_of, until_stats, with,
};
use crate::server::Server;
use crate::wait::until;

/// A request of exactly this many bytes.
fn sized(bytes: usize) -> Vec<u8> {
    let request = |padding: &str| with(chat("say:fits"), &json!({ "padding": padding })).to_string();
    let padding = bytes - request("").len();
    request(&"x".repeat(padding)).into_bytes()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn chunked(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    for chunk in bytes.chunks(64 * 1024) {
        write!(out, "{:x}\r\n", chunk.len()).unwrap();
        out.extend_from_slice(chunk);
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b"0\r\n\r\n");
    out
}

fn post() -> Request {
    Request::new("POST", CHAT).header("content-type", "application/json")
}

fn assert_too_large(response: &Response) {
    let (status, kind, code, message) = response.error();
    assert_eq!((status, kind, code), (413, json!("invalid_request_error"), json!("request_too_large")));
    assert_eq!(message, "the request body is larger than 10485760 bytes");
    assert_eq!(response.header("access-control-allow-origin"), Some("*"));
}

#[test]
fn body_of_exactly_the_limit_is_accepted() {
    let server = Server::demo(&[]);
    let body = sized(MAX_BODY);
    assert_eq!(content(&server.send(&post().body(body.clone()))), "fits");
    assert_eq!(content(&server.send(&post().header("content-encoding", "gzip").body(gzip(&body)))), "fits");
}

#[test]
fn oversized_body_gets_413_that_the_client_can_read() {
    let server = Server::demo(&[]);
    // The client reads nothing before it has sent everything: it would see an early close as a reset.
    assert_too_large(&server.send(&post().body(sized(MAX_BODY + 1))));
    let far_over = chunked(&sized(2 * MAX_BODY));
    assert_too_large(&server.send(&post().header("transfer-encoding", "chunked").body(far_over)));
    assert_eq!(complete(&server, "say:still here"), "still here");
}

/// Resident memory of the server, in MiB.
#[cfg(target_os = "linux")]
fn resident(server: &Server) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.process.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().strip_suffix(" kB").unwrap().parse::<u64>().unwrap() / 1024
}

#[cfg(target_os = "linux")]
#[test]
fn oversized_bodies_are_not_kept_in_memory() {
    let server = Server::demo(&[]);
    let large = sized(11 * 1024 * 1024);
    let bodies = [
        post().body(large.clone()),
        post().header("transfer-encoding", "chunked").body(chunked(&large)),
        post().header("content-encoding", "gzip").body(gzip(&large)),
    ];
    // After the first of each, the allocator keeps its buffers.
    bodies.iter().for_each(|body| assert_too_large(&server.send(body)));
    assert_eq!(complete(&server, "say:ready"), "ready");
    let before = resident(&server);
    for _ in 0..5 {
        bodies.iter().for_each(|body| assert_too_large(&server.send(body)));
    }
    let after = resident(&server);
    assert!(after < before + 22, "{before} MiB before, {after} MiB after 15 bodies of 11 MiB");
}

#[test]
fn body_that_decompresses_over_the_limit_gets_413() {
    let server = Server::demo(&[]);
    let bomb = gzip(&sized(16 * 1024 * 1024));
    assert!(bomb.len() < 1024 * 1024, "{}", bomb.len());
    assert_too_large(&server.send(&post().header("content-encoding", "gzip").body(bomb)));
    assert_eq!(complete(&server, "say:still here"), "still here");
}

#[test]
fn invalid_gzip_body_gets_400() {
    let server = Server::demo(&[]);
    let whole = gzip(chat("say:a").to_string().as_bytes());
    for body in [b"no gzip at all".to_vec(), whole[..whole.len() / 2].to_vec()] {
        let response = server.send(&post().header("content-encoding", "gzip").body(body));
        assert_eq!(response.status, 400, "{}", response.text());
    }
}

#[test]
fn early_refusal_reaches_a_client_that_sends_a_large_body() {
    let server = Server::demo(&[]);
    let body = vec![b' '; 8 * 1024 * 1024];
    let json = |request: Request| request.header("content-type", "application/json").body(body.clone());
    for (status, request) in [
        (403, json(Request::new("POST", CHAT).header("host", "evil.test"))),
        (404, json(Request::new("POST", "/nothing"))),
        (405, json(Request::new("PUT", CHAT))),
        (415, Request::new("POST", CHAT).header("origin", "http://localhost").body(body.clone())),
        (
            404,
            json(Request::new("POST", "/nothing").header("transfer-encoding", "chunked"))
                .body(chunked(&body)),
        ),
    ] {
        // The client reads nothing before it has sent everything, and uses the connection again.
        let mut client = server.client();
        for _ in 0..2 {
            client.send(&request);
            assert_eq!(client.response().status, status, "{request:?}");
        }
    }
}

#[test]
fn refusal_for_the_key_reaches_a_client_that_sends_a_large_body() {
    let server = Server::serve(&[]);
    let mut editor = Editor::with_models(&server.home, &[model("m")]);
    editor.send_keys(&[person_key("mine", "sesame")]);
    until("the key to be required", || (server.get("/v1/models").status == 401).then_some(()));
    let response = server.send(&post().body(vec![b' '; 8 * 1024 * 1024]));
    assert_eq!(response.status, 401);
}

#[test]
fn expected_body_over_the_limit_is_refused_before_it_is_sent() {
    let server = Server::demo(&[]);
    let declared =
        |length: usize| post().header("expect", "100-continue").header("content-length", &length.to_string());
    let mut client = server.client();
    client.send(&declared(MAX_BODY + 1));
    let response = client.response();
    assert_too_large(&response);
    assert_eq!(response.header("connection"), Some("close"));
    let mut client = server.client();
    client.send(&declared(MAX_BODY));
    client.skip_past("HTTP/1.1 100 Continue\r\n\r\n");
}

#[test]
fn oversized_body_that_is_sent_slowly_gets_413_at_once() {
    let server = Server::demo(&[]);
    let mut client = server.client();
    client.send(&post().header("content-length", &(MAX_BODY + 1).to_string()).body("{"));
    assert_too_large(&client.response());
    assert!(client.is_closed());
}

#[test]
fn long_text_of_a_client_is_cut_in_errors() {
    let server = Server::demo(&[]);
    let long = "x".repeat(5 * 1024 * 1024);
    for body in
        [with(chat("say:a"), &json!({ "model": long })), with(chat("say:a"), &json!({ "tool_choice": long }))]
    {
        let response = server.post(CHAT, &body);
        assert!((400..500).contains(&response.status));
        assert!(response.body.len() < 20_000, "{}", response.body.len());
    }
    let (status, _, _, message) = server.post(CHAT, &with(chat("say:a"), &json!({ "model": long }))).error();
    assert_eq!(status, 404);
    assert!(message.contains("available: scripted"), "{message}");
}

#[test]
fn model_with_an_id_illegal_in_headers_is_served() {
    let server = Server::serve(&[]);
    let mut editor = Editor::with_models(&server.home, &[model("a\u{1}b")]);
    let mut client = server.client();
    client.send(&Request::post(CHAT, &with(chat("hello"), &json!({ "model": "a\u{1}b" }))));
    let (stream, _) = editor.expect_chat();
    editor.respond(stream, "hi");
    let response = client.response();
    assert_eq!((content(&response).as_str(), response.header("x-copilot-proxy-model")), ("hi", None));
}

const SHORT_RECEIVE_TIMEOUT: [&str; 2] = ["--receive-timeout", "300"];

/// Sends a byte every 20 ms until the server responds.
fn trickle(mut client: Client, bytes: &[u8]) -> Response {
    for byte in bytes {
        if client.responds_within(std::time::Duration::from_millis(20)) {
            break;
        }
        // The server may have closed just now: then the response has arrived.
        if client.send_bytes(&[*byte]).is_err() {
            break;
        }
    }
    client.response()
}

fn assert_late(response: &Response) {
    let (status, _, code, _) = response.error();
    assert_eq!((status, code), (408, json!("request_timeout")));
    assert_eq!(response.header("connection"), Some("close"));
}

#[test]
fn slow_body_gets_408() {
    let server = Server::demo(&SHORT_RECEIVE_TIMEOUT);
    let request = post().header("content-length", "5000").body(vec![b' '; 1000]);
    assert_late(&server.send(&request));
    let mut client = server.client();
    client.send(&post().header("content-length", "5000"));
    assert_late(&trickle(client, &[b' '; 5000]));
}

#[test]
fn slow_chunked_body_ends_its_connection_while_its_client_sends() {
    let server = Server::demo(&SHORT_RECEIVE_TIMEOUT);
    let mut client = server.client();
    client.send(&post().header("transfer-encoding", "chunked"));
    until("the end of the connection", || client.send_bytes(b"1\r\nx\r\n").err());
}

#[test]
fn slow_head_gets_408() {
    let server = Server::demo(&SHORT_RECEIVE_TIMEOUT);
    let mut stalled = server.client();
    stalled.send_bytes(b"POST /v1/chat/completions HTTP/1.1\r\nhost: local").unwrap();
    let response = stalled.response();
    assert_eq!(response.status, 408);
    assert!(stalled.is_closed());
    let head = format!("GET /health HTTP/1.1\r\nx-padding: {}\r\n\r\n", "x".repeat(5000));
    assert_eq!(trickle(server.client(), head.as_bytes()).status, 408);
}

#[test]
fn slow_later_head_on_a_connection_gets_408() {
    let server = Server::demo(&["--receive-timeout", "1000"]);
    let kept = || {
        let mut client = server.client();
        client.send(&Request::post(CHAT, &chat("say:first")));
        assert_eq!(content(&client.response()), "first");
        client
    };
    let mut stalled = kept();
    stalled.send_bytes(b"GET /health HTTP/1.1\r\nhost: local").unwrap();
    assert_eq!(stalled.response().status, 408);
    assert!(stalled.is_closed());
    let head = format!("GET /health HTTP/1.1\r\nx-padding: {}\r\n\r\n", "x".repeat(5000));
    assert_eq!(trickle(kept(), head.as_bytes()).status, 408);
}

#[test]
fn partial_head_sent_during_a_response_does_not_keep_the_connection() {
    let server = Server::demo(&["--keep-alive", "1000"]);
    let mut client = server.client();
    let half = [&Request::post(CHAT, &chat("say:first")).bytes()[..], b"GET /health HTTP/1.1\r\n"].concat();
    client.send_bytes(&half).unwrap();
    assert_eq!(content(&client.response()), "first");
    client.read_until_closed();
}

#[test]
fn idle_connection_is_kept_until_the_keep_alive_timeout() {
    let server = Server::demo(&["--keep-alive", "3000"]);
    assert_eq!(complete(&server, "say:awake"), "awake");
    let mut client = server.client();
    for _ in 0..3 {
        client.send(&Request::post(CHAT, &chat("say:again")));
        assert_eq!(content(&client.response()), "again");
    }
    assert!(client.is_closed());
}

#[test]
fn running_stream_has_no_limit_of_total_time() {
    let server = Server::demo(&["--receive-timeout", "1500", "--keep-alive", "1500", "--ping-every", "200"]);
    let wanted: String = (0..20).map(|number| format!("p{number} ")).collect();
    assert_eq!(text_of(&stream(&server, "slow:20 100").rest()), wanted);
    assert_eq!(complete(&server, "slow:20 100"), wanted);
}

#[test]
fn silent_stream_opens_and_sends_keep_alives() {
    let server = Server::demo(&["--open-after", "100", "--ping-every", "100"]);
    let mut stream = stream(&server, "hang:");
    let first = stream.event().unwrap();
    assert_eq!(data(&first)["choices"][0]["delta"]["role"], "assistant");
    for _ in 0..3 {
        assert_eq!(stream.event().as_deref(), Some(": ping"));
    }
}

#[test]
fn busy_stream_sends_no_keep_alives() {
    let server = Server::demo(&["--ping-every", "60000"]);
    let events = stream(&server, "slow:5 20").rest();
    assert!(events.iter().all(|event| event.starts_with("data: ")), "{events:?}");
}

#[test]
fn failure_after_opening_without_text_is_an_error_event() {
    let server = Server::demo(&["--open-after", "50"]);
    let events = stream(&server, "wait:2000\nfail:ChatQuotaExceeded used up").rest();
    assert_eq!(events.len(), 2, "{events:?}");
    assert_eq!(data(&events[1])["error"]["code"], "insufficient_quota");
}

#[test]
fn silent_model_fails_with_model_timeout() {
    let server = Server::demo(&["--model-timeout", "1500", "--open-after", "50"]);
    let (status, kind, code, _) = server.post(CHAT, &chat("say:a\nhang:")).error();
    assert_eq!((status, kind, code), (504, json!("server_error"), json!("model_timeout")));
    for (script, text_before) in [("hang:", ""), ("say:so far\nhang:", "so far")] {
        let events = stream(&server, script).rest();
        assert_eq!(text_of(&events), text_before);
        assert_eq!(data(events.last().unwrap())["error"]["code"], "model_timeout");
    }
    // The time without output is limited, not the total time.
    assert_eq!(complete(&server, "slow:3 600"), "p0 p1 p2 ");
    until_stats(&server, &json!({ "started": 4, "completed": 1, "failed": 0, "cancelled": 3, "active": 0 }));
}

#[test]
fn model_timeout_before_the_stream_opens_gets_504() {
    let server = Server::demo(&["--model-timeout", "100"]);
    assert_eq!(server.post(CHAT, &streamed("hang:")).error().0, 504);
}

#[test]
fn invalid_json_gets_400_with_its_position() {
    let server = Server::demo(&[]);
    for (body, wanted) in [
        ("", "the body is empty, expected a JSON object"),
        ("   \n", "the body is empty, expected a JSON object"),
        ("{", "the body is not valid JSON: EOF while parsing an object at line 1 column 1"),
        ("{\"messages\":\n[}", "the body is not valid JSON: expected value at line 2 column 2"),
        ("hello", "the body is not valid JSON: expected value at line 1 column 1"),
        ("[]", "invalid type: a list, expected an object"),
        ("null", "invalid type: null, expected an object"),
        ("{}", "messages: required, but missing"),
        ("{\"messages\":[]}", "messages: empty, expected at least one message"),
        (
            "{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":7}]}]}",
            "messages[0].content[0].text: invalid type: integer `7`, expected a string",
        ),
    ] {
        let (status, kind, code, message) = server.send(&post().body(body)).error();
        assert_eq!((status, kind, code), (400, json!("invalid_request_error"), Value::Null), "{body}");
        assert_eq!(message, wanted, "{body}");
    }
    assert_eq!(complete(&server, "say:still here"), "still here");
}

#[test]
fn invalid_utf8_gets_400_with_its_position() {
    let server = Server::demo(&[]);
    let mut body = chat("say:a").to_string().into_bytes();
    let at = body.len() - 6;
    body[at] = 0xff;
    let (status, _, _, message) = server.send(&post().body(body)).error();
    assert_eq!((status, message), (400, format!("the body is not UTF-8: byte {at} is wrong")));
}

#[test]
fn deeply_nested_body_gets_400_and_the_server_survives() {
    let server = Server::demo(&[]);
    let deep = |open: &str, close: &str| format!("{}1{}", open.repeat(100_000), close.repeat(100_000));
    for body in [
        deep("[", "]"),
        deep("{\"a\":", "}"),
        "[".repeat(1_000_000),
        format!("{{\"messages\":[{{\"role\":\"user\",\"content\":{}}}]}}", deep("[", "]")),
        format!(
            "{{\"messages\":[{{\"role\":\"user\"}}],\"tools\":[{{\"type\":\"function\",\"function\":{{\"name\":\"f\",\"parameters\":{}}}}}]}}",
            deep("{\"a\":", "}")
        ),
    ] {
        let response = server.send(&post().body(body));
        assert_eq!(response.status, 400, "{}", response.text());
        assert!(response.body.len() < 2000, "{}", response.text());
    }
    // A field that isn't read isn't parsed in depth either.
    let unknown = format!("{{\"messages\":[{{\"role\":\"user\"}}],\"unknown\":{}}}", deep("[", "]"));
    assert_eq!(server.send(&post().body(unknown)).status, 200);
    assert_eq!(complete(&server, "say:still here"), "still here");
}

#[test]
fn request_without_origin_needs_no_content_type() {
    let server = Server::demo(&[]);
    let body = chat("say:a").to_string();
    for content_type in ["application/x-www-form-urlencoded", "text/plain", "application/json; charset=utf-8"]
    {
        let request = Request::new("POST", CHAT).header("content-type", content_type).body(body.clone());
        assert_eq!(content(&server.send(&request)), "a", "{content_type}");
    }
    assert_eq!(content(&server.send(&Request::new("POST", CHAT).body(body))), "a");
}

#[test]
fn request_of_a_page_without_json_content_type_gets_415() {
    // A page can send other types without a preflight; JSON needs one.
    let server = Server::demo(&["--allow-origin", "https://page.test"]);
    let send = |content_type: Option<&str>| {
        let request =
            Request::new("POST", CHAT).header("origin", "https://page.test").body(chat("say:a").to_string());
        server.send(&match content_type {
            Some(content_type) => request.header("content-type", content_type),
            None => request,
        })
    };
    for content_type in [None, Some("text/plain"), Some("text/plain; a=application/json")] {
        let response = send(content_type);
        assert_eq!(
            (response.status, response.error().2),
            (415, json!("unsupported_media_type")),
            "{content_type:?}"
        );
        assert_eq!(response.header("access-control-allow-origin"), Some("*"));
    }
    for content_type in ["application/json", "Application/JSON; charset=utf-8"] {
        assert_eq!(content(&send(Some(content_type))), "a");
    }
}

#[test]
fn invalid_http_ends_only_its_connection() {
    let server = Server::demo(&[]);
    for garbage in [&b"\x16\x03\x01\x02\x00\x01\x00"[..], b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n"] {
        let mut client = server.client();
        client.send_bytes(garbage).unwrap();
        client.shut_down_write();
        client.read_until_closed();
    }
    assert_eq!(complete(&server, "say:still here"), "still here");
}

fn of_m(request: Value) -> Value {
    with(request, &json!({ "model": "m" }))
}

#[test]
fn model_is_paused_while_its_client_does_not_read() {
    const PART_SIZE: usize = 64_000;
    let server = Server::serve(&[]);
    let mut editor = Editor::with_models(&server.home, &[model("m")]);
    let mut client = server.client();
    client.send(&Request::post(CHAT, &of_m(streamed("Hello"))));
    let (stream_id, _) = editor.expect_chat();
    let mut wanted = String::new();
    let mut send_part = |editor: &mut Editor| {
        let piece = format!("{:x<PART_SIZE$}", wanted.len());
        editor.send_text(stream_id, &piece);
        wanted += &piece;
    };
    // Far more than fits into the system's socket buffers.
    for _ in 0..1000 {
        send_part(&mut editor);
        if let Some(received) = editor.try_receive() {
            assert_eq!(received, (stream_id, ToEditor::Pause));
            break;
        }
    }
    let reading = std::thread::spawn(move || text_of(&client.stream().rest()));
    assert_eq!(editor.expect_message(), (stream_id, ToEditor::Resume));
    send_part(&mut editor);
    editor.send(stream_id, &FromEditor::End);
    let received = reading.join().unwrap();
    // The client may have fallen behind again.
    while let Some((stream, message)) = editor.try_receive() {
        assert!(stream == stream_id && matches!(message, ToEditor::Pause | ToEditor::Resume), "{message:?}");
    }
    // `assert_eq` would print both.
    assert!(received == wanted, "{} bytes received, {} sent", received.len(), wanted.len());
}

#[test]
fn editor_that_ignores_pause_fails_only_that_response() {
    let server = Server::serve(&[]);
    let mut editor = Editor::with_models(&server.home, &[model("m")]);
    let mut client = server.client();
    client.send(&Request::post(CHAT, &of_m(streamed("Hello"))));
    let (stream_id, _) = editor.expect_chat();
    let piece = "x".repeat(256 * 1024);
    let mut last = None;
    for _ in 0..400 {
        editor.send_text(stream_id, &piece);
        while let Some((stream, message)) = editor.try_receive() {
            assert_eq!(stream, stream_id);
            last = Some(message);
        }
        if last == Some(ToEditor::Cancel) {
            break;
        }
    }
    assert_eq!(last, Some(ToEditor::Cancel));
    let events = client.stream().rest();
    assert_eq!(data(events.last().unwrap())["error"]["code"], "client_too_slow");
    let mut next = server.client();
    next.send(&Request::post(CHAT, &of_m(chat("Hello"))));
    let (stream_id, _) = editor.expect_chat();
    editor.respond(stream_id, "Hello");
    assert_eq!(content(&next.response()), "Hello");
}

#[test]
fn client_that_never_reads_is_disconnected_and_its_model_cancelled() {
    let server = Server::demo(&["--stall-timeout", "300"]);
    let mut stalled = server.client();
    stalled.send(&Request::post(CHAT, &streamed("parts:64000 1000")));
    until_stats(&server, &json!({ "started": 1, "completed": 0, "failed": 0, "cancelled": 1, "active": 0 }));
}

#[test]
fn full_queue_gets_429() {
    let server = Server::serve(&["--max-running", "1", "--max-waiting", "1"]);
    let mut editor = Editor::with_models(&server.home, &[model("m")]);
    let send = || {
        let mut client = server.client();
        client.send(&Request::post(CHAT, &of_m(chat("Hello"))));
        client
    };
    let mut first = send();
    let (one, _) = editor.expect_chat();
    editor.expect_log("model resolved");
    let mut second = send();
    editor.expect_log("model resolved");
    // The first is running and the second waits.
    let refused = send().response();
    let (status, kind, code, _) = refused.error();
    assert_eq!((status, kind, code), (429, json!("rate_limit_error"), json!("too_many_requests")));
    assert_eq!(refused.header("retry-after"), Some("1"));
    editor.respond(one, "first");
    assert_eq!(content(&first.response()), "first");
    let (two, _) = editor.expect_chat();
    editor.respond(two, "second");
    assert_eq!(content(&second.response()), "second");
}

#[test]
fn disconnect_in_the_queue_frees_its_place() {
    let server = Server::serve(&["--max-running", "1", "--max-waiting", "1"]);
    let mut editor = Editor::with_models(&server.home, &[model("m")]);
    let send = || {
        let mut client = server.client();
        client.send(&Request::post(CHAT, &of_m(chat("Hello"))));
        client
    };
    let running = send();
    let (one, _) = editor.expect_chat();
    let waiting = send();
    editor.expect_status(|status| status.in_flight == 2);
    drop(waiting);
    editor.expect_status(|status| status.in_flight == 1);
    let mut next = send();
    editor.expect_status(|status| status.in_flight == 2);
    drop(running);
    editor.expect_cancel(one);
    let (two, _) = editor.expect_chat();
    editor.respond(two, "mine");
    assert_eq!(content(&next.response()), "mine");
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let server = Server::demo(&[]);
    let mut client = server.client();
    let both = [Request::post(CHAT, &chat("say:one")).bytes(), Request::post(CHAT, &chat("say:two")).bytes()];
    client.send_bytes(&both.concat()).unwrap();
    assert_eq!(content(&client.response()), "one");
    assert_eq!(content(&client.response()), "two");
}

#[test]
fn connection_is_reused_after_a_stream() {
    let server = Server::demo(&[]);
    let mut stream = stream(&server, "say:one");
    assert_eq!(read_until(&mut stream, "one"), "one");
    while stream.event().is_some() {}
    let mut client = stream.client;
    client.send(&Request::post(CHAT, &chat("say:two")));
    assert_eq!(content(&client.response()), "two");
}
