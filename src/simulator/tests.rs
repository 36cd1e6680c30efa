//! The whole simulated editor, with a fake server that exchanges frames only.

use std::collections::HashMap;
use std::time::Duration;

use bytes::BytesMut;
use serde_json::{Map, json};
use tokio::io::{AsyncWriteExt, DuplexStream, ReadHalf, WriteHalf};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::*;
use crate::bridge::frames::{Kind, put_message, put_text};
use crate::bridge::protocol::{InvokeTool, ProviderError, RefusedReason, ResponsePart, ToolOutput, Welcome};
use crate::conversation::{Content, Message, Part, Role, Tool, ToolCall, ToolResult};
use crate::simulator::script::{Directive, UsageCounts};
use crate::simulator::stats::Stats;

/// No test waits for it: the paused clock only moves when all tasks wait.
const LONG: Duration = Duration::from_secs(9999);

struct Server {
    reader: FrameReader<ReadHalf<DuplexStream>, FromEditor>,
    writer: WriteHalf<DuplexStream>,
    editor: JoinHandle<Result<(), PeerError>>,
}

impl Server {
    /// An editor that has connected and sent nothing yet.
    fn new() -> Server {
        let (here, there) = tokio::io::duplex(4096);
        let (from, writer) = tokio::io::split(here);
        let editor = tokio::spawn(async move { run(there, "secret", models::all()).await });
        Server { reader: FrameReader::new(from), writer, editor }
    }

    /// An editor has introduced itself.
    async fn attached() -> Server {
        let mut server = Server::new();
        server.next().await;
        server.send(0, &ToEditor::Welcome(Welcome { version: "1".into(), pid: 1 })).await;
        server.next().await;
        server
    }

    async fn send(&mut self, stream: u32, message: &ToEditor) {
        let mut out = BytesMut::new();
        put_message(stream, message, &mut out).unwrap();
        self.writer.write_all(&out).await.unwrap();
    }

    async fn ask(&mut self, stream: u32, text: &str) {
        self.send(stream, &chat_message(chat("scripted-1", text))).await;
    }

    async fn next(&mut self) -> (u32, Incoming<FromEditor>) {
        self.reader.next().await.unwrap().expect("the editor is there")
    }

    /// All of an answer, if no other is running.
    async fn response(&mut self, stream: u32) -> Vec<Incoming<FromEditor>> {
        let mut response = Vec::new();
        loop {
            let (of, message) = self.next().await;
            assert_eq!(of, stream, "{message:?}");
            let last = matches!(message, Incoming::Message(FromEditor::End | FromEditor::Failed(_)));
            response.push(message);
            if last {
                return response;
            }
        }
    }

    /// The response to a request of one message.
    async fn reply(&mut self, message: &ToEditor) -> FromEditor {
        self.send(77, message).await;
        match self.next().await {
            (77, Incoming::Message(reply)) => reply,
            other => panic!("{other:?}"),
        }
    }

    async fn stats(&mut self) -> String {
        self.ask(99, "stats:").await;
        texts(&self.response(99).await)
    }

    /// Everything that arrives until the editor answers a ping, without the pong.
    async fn until_pong(&mut self) -> Vec<(u32, Incoming<FromEditor>)> {
        self.send(0, &ToEditor::Ping).await;
        let mut before = Vec::new();
        loop {
            match self.next().await {
                (0, Incoming::Message(FromEditor::Pong)) => return before,
                other => before.push(other),
            }
        }
    }
}

fn chat(model: &str, text: &str) -> Chat {
    Chat {
        client: None,
        vendor: "demo".into(),
        model: model.into(),
        messages: vec![Message::text(Role::User, text)],
        tools: vec![Tool { name: "get".into(), description: "gets".into(), input_schema: None }],
        required: false,
        options: Map::new(),
        configuration: Map::new(),
        include_encrypted_thinking: false,
        digests: Vec::new(),
    }
}

fn chat_message(chat: Chat) -> ToEditor {
    ToEditor::Chat(Arc::new(chat))
}

fn text(text: &str) -> Incoming<FromEditor> {
    Incoming::Text(text.into())
}

fn end() -> Incoming<FromEditor> {
    Incoming::Message(FromEditor::End)
}

fn texts(response: &[Incoming<FromEditor>]) -> String {
    let text = |message: &Incoming<FromEditor>| {
        if let Incoming::Text(text) = message { text.clone() } else { String::new() }
    };
    response.iter().map(text).collect()
}

fn stats(started: u64, completed: u64, failed: u64, cancelled: u64, active: u64) -> String {
    json!(Stats { started, completed, failed, cancelled, active }).to_string()
}

fn failed(name: &str, code: Option<&str>, message: &str) -> Incoming<FromEditor> {
    let (name, code, message) = (name.into(), code.map(Into::into), message.into());
    Incoming::Message(FromEditor::Failed(ProviderError { name, code, message }))
}

#[tokio::test]
async fn editor_sends_hello_and_models() {
    let mut server = Server::new();
    assert_eq!(server.next().await, (0, Incoming::Message(FromEditor::Hello(hello("secret")))));
    server.send(0, &ToEditor::Welcome(Welcome { version: "1".into(), pid: 1 })).await;
    let offer = FromEditor::Models(Models { models: models::all() });
    assert_eq!(server.next().await, (0, Incoming::Message(offer.clone())));
    server.send(0, &ToEditor::RefreshModels).await;
    assert_eq!(server.next().await, (0, Incoming::Message(offer)));
}

#[tokio::test]
async fn refusal_is_an_error_with_its_reason() {
    let mut server = Server::new();
    let refused = Refused { reason: RefusedReason::Token, message: "the token is another server's".into() };
    server.send(0, &ToEditor::Refused(refused)).await;
    let error = server.editor.await.unwrap().unwrap_err();
    assert_eq!(error.to_string(), "the server refused: the token is another server's");
}

#[tokio::test]
async fn unexpected_message_ends_the_connection() {
    let mut server = Server::new();
    server.send(0, &ToEditor::Ping).await;
    assert!(matches!(server.editor.await.unwrap(), Err(PeerError::OutOfTurn)));

    let mut server = Server::attached().await;
    let mut out = BytesMut::new();
    put_text(Kind::Text, 1, "words are an editor's to say", &mut out);
    server.writer.write_all(&out).await.unwrap();
    assert!(matches!(server.editor.await.unwrap(), Err(PeerError::OutOfTurn)));
}

#[tokio::test]
async fn closed_connection_ends_the_editor_and_a_partial_frame_is_an_error() {
    let server = Server::new();
    drop((server.reader, server.writer));
    assert!(matches!(server.editor.await.unwrap(), Err(PeerError::NotWelcomed)));

    let mut server = Server::attached().await;
    server.ask(1, "say:a\nhang:").await;
    assert_eq!(server.next().await, (1, text("a")));
    drop((server.reader, server.writer));
    assert!(matches!(server.editor.await.unwrap(), Ok(())));

    let mut server = Server::attached().await;
    server.writer.write_all(&[9, 0, 0]).await.unwrap();
    server.writer.shutdown().await.unwrap();
    assert!(matches!(server.editor.await.unwrap(), Err(PeerError::Frame(FrameError::HalfFrame))));
}

#[tokio::test]
async fn response_is_streamed_in_words() {
    let mut server = Server::attached().await;
    server.ask(1, "say:Hello, world").await;
    assert_eq!(server.response(1).await, [text("Hello, "), text("world"), end()]);
}

#[tokio::test(start_paused = true)]
async fn request_without_directives_gets_the_models_default_text() {
    let mut server = Server::attached().await;
    for model in models::all() {
        server.send(1, &chat_message(chat(&model.id, "Good morning!"))).await;
        let (Directive::Say(expected) | Directive::Friendly(expected)) = models::idle(&model) else {
            panic!("{} has no text", model.id);
        };
        assert_eq!(texts(&server.response(1).await), expected);
    }
}

#[tokio::test]
async fn thinking_calls_and_usage_are_separate_parts() {
    let mut server = Server::attached().await;
    server.send(1, &chat_message(chat("scripted-usage", "think:hm\ncall:get {\"a\":1}\nusage:7 5 3"))).await;
    let answer = server.response(1).await;
    let [
        thought,
        Incoming::Message(FromEditor::Part(ResponsePart { part: Part::ToolCall(call) })),
        counts,
        last,
    ] = answer.as_slice()
    else {
        panic!("{answer:?}")
    };
    assert_eq!(*thought, Incoming::Thinking("hm".into()));
    assert_eq!((call.name.as_str(), &call.input), ("get", &json!({"a": 1})));
    let counted = usage::part(UsageCounts { prompt: 7, completion: 5, cached: 3, reasoning: 0 }, None);
    assert_eq!(*counts, Incoming::Message(FromEditor::Part(ResponsePart { part: counted })));
    assert_eq!(*last, end());
}

#[tokio::test]
async fn usage_is_reported_unless_the_response_is_cut() {
    let mut server = Server::attached().await;
    let counted = usage::part(UsageCounts { prompt: 3, completion: 2, cached: 0, reasoning: 0 }, None);
    server.send(1, &chat_message(chat("scripted-usage", "say:12345"))).await;
    assert_eq!(
        server.response(1).await,
        [text("12345"), Incoming::Message(FromEditor::Part(ResponsePart { part: counted })), end()]
    );
    server.send(1, &chat_message(chat("scripted-usage", "say:12345\ncut:"))).await;
    assert_eq!(server.response(1).await, [text("12345"), end()]);
}

#[tokio::test]
async fn each_tool_turn_runs_the_next_phase() {
    let mut server = Server::attached().await;
    let mut asked = chat("scripted-1", "call:get\nthen:\nsay:done");
    let call = ToolCall { id: "c".into(), name: "get".into(), input: json!({}) };
    let result = ToolResult { id: "c".into(), content: vec![], is_error: false };
    asked.messages.push(Message { role: Role::Assistant, name: None, parts: vec![Part::ToolCall(call)] });
    asked.messages.push(Message { role: Role::User, name: None, parts: vec![Part::ToolResult(result)] });
    server.send(1, &chat_message(asked)).await;
    assert_eq!(server.response(1).await, [text("done"), end()]);
}

#[tokio::test]
async fn failure_comes_after_the_parts_before_it() {
    let mut server = Server::attached().await;
    server.ask(1, "say:half\nfail:Blocked too many requests\nsay:never").await;
    assert_eq!(
        server.response(1).await,
        [text("half"), failed("LanguageModelError", Some("Blocked"), "too many requests")]
    );
    assert_eq!(server.stats().await, stats(1, 0, 1, 0, 0));
}

#[tokio::test]
async fn illegal_requests_and_unknown_models_fail() {
    let mut server = Server::attached().await;
    server.send(1, &chat_message(Chat { messages: vec![], ..chat("scripted-1", "") })).await;
    assert_eq!(server.response(1).await, [failed("Error", None, "Invalid request: no messages.")]);
    server.send(2, &chat_message(chat("scripted-9", "say:a"))).await;
    assert_eq!(server.response(2).await, [failed("LanguageModelError", Some("NotFound"), "demo/scripted-9")]);
    assert_eq!(server.stats().await, stats(1, 0, 1, 0, 0));
}

#[tokio::test]
async fn long_burst_arrives_complete_and_in_order() {
    let mut server = Server::attached().await;
    server.ask(1, "parts:20000 40").await;
    let answer = server.response(1).await;
    let wanted = (0..20_000).map(|number| Incoming::Text(format!("{number:.<40}"))).chain([end()]);
    assert!(answer.into_iter().eq(wanted));
}

#[tokio::test]
async fn large_request_is_dumped_completely() {
    let mut server = Server::attached().await;
    // 2 MiB in fewer tokens than the model takes.
    let long = format!("é{}\n", "=".repeat(61)).repeat(32 * 1024);
    server.ask(1, &format!("dump:\n{long}")).await;
    let dumped: serde_json::Value = serde_json::from_str(&texts(&server.response(1).await)).unwrap();
    assert!(dumped["messages"][0]["parts"][0]["text"] == format!("dump:\n{long}"));
}

#[tokio::test(start_paused = true)]
async fn concurrent_responses_do_not_mix() {
    let mut server = Server::attached().await;
    for stream in 1..=50 {
        server.ask(stream, &format!("slow:3 {stream}\nsay:{stream}")).await;
    }
    let (mut answers, mut ended) = (HashMap::<u32, Vec<_>>::new(), 0);
    while ended < 50 {
        let (stream, message) = server.next().await;
        ended += u32::from(message == end());
        answers.entry(stream).or_default().push(message);
    }
    for stream in 1..=50 {
        let wanted = [text("p0 "), text("p1 "), text("p2 "), text(&stream.to_string()), end()];
        assert_eq!(answers.remove(&stream).unwrap(), wanted);
    }
    assert_eq!(server.stats().await, stats(50, 50, 0, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn cancelled_response_ends_and_counts_as_cancelled() {
    let mut server = Server::attached().await;
    server.ask(1, "say:a\nhang:\nsay:never").await;
    server.ask(2, "say:b\nslow:9 10").await;
    assert_eq!(server.next().await, (1, text("a")));
    assert_eq!(server.next().await, (2, text("b")));
    assert_eq!(server.stats().await, stats(2, 0, 0, 0, 2));
    server.send(1, &ToEditor::Cancel).await;
    server.send(2, &ToEditor::Cancel).await;
    assert_eq!(server.stats().await, stats(2, 0, 0, 2, 0));
    assert!(timeout(LONG, server.next()).await.is_err());
    server.send(1, &ToEditor::Cancel).await;
    assert_eq!(server.until_pong().await, []);
}

#[tokio::test(start_paused = true)]
async fn paused_response_waits_while_others_continue() {
    let mut server = Server::attached().await;
    server.ask(1, "wait:10\nsay:a b").await;
    server.send(1, &ToEditor::Pause).await;
    server.ask(2, "wait:20\nsay:c").await;
    assert_eq!(server.response(2).await, [text("c"), end()]);
    assert!(timeout(LONG, server.next()).await.is_err());
    server.send(1, &ToEditor::Resume).await;
    assert_eq!(server.response(1).await, [text("a "), text("b"), end()]);
}

#[tokio::test]
async fn parts_are_generated_only_as_fast_as_the_server_reads() {
    let mut server = Server::attached().await;
    server.ask(1, "parts:18446744073709551615 1000").await;
    assert_eq!(server.next().await.0, 1);
    for _ in 0..1000 {
        tokio::task::yield_now().await;
    }
    server.send(1, &ToEditor::Cancel).await;
    let unread =
        texts(&server.until_pong().await.into_iter().map(|(_, message)| message).collect::<Vec<_>>()).len();
    assert!((64_000..300_000).contains(&unread), "{unread} bytes were waiting");
}

#[tokio::test(start_paused = true)]
async fn tools_are_listed_and_run() {
    let mut server = Server::attached().await;
    assert_eq!(server.reply(&ToEditor::ListTools).await, FromEditor::Tools(Tools { tools: tools::all() }));
    let invoke = |name: &str, input| ToEditor::InvokeTool(InvokeTool { name: name.into(), input });
    let content = vec![Content::Text { text: "2026-01-01T12:00:00Z".into() }];
    assert_eq!(
        server.reply(&invoke("get_time", json!({}))).await,
        FromEditor::ToolOutput(ToolOutput { content })
    );
    let content = vec![Content::Text { text: "waited 1000 ms".into() }];
    assert_eq!(
        server.reply(&invoke("wait_a_while", json!({}))).await,
        FromEditor::ToolOutput(ToolOutput { content })
    );
    assert_eq!(
        Incoming::Message(server.reply(&invoke("nonsense", json!({}))).await),
        failed("Error", None, "Tool nonsense was not contributed")
    );
    server.send(5, &invoke("wait_a_while", json!({}))).await;
    server.send(5, &ToEditor::Cancel).await;
    assert!(timeout(LONG, server.next()).await.is_err());
}
