//! Bodies with a `Content-Encoding`, and with a byte order mark, at every endpoint that reads a body.

use std::io::Write as _;

use copilot_proxy::options::MAX_BODY;
use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use serde_json::json;

use crate::client::Request;
use crate::openai::{CHAT, chat, content};
use crate::server::Server;

/// `{"model":"scripted-1","messages":[{"role":"user","content":"say:ok"}]}`
const ZSTD: &str = "28b52ffd20463102007b226d6f64656c223a2273637269707465642d31222c226d65737361676573223a5b7b22726f\
                    6c65223a2275736572222c22636f6e74656e74223a227361793a6f6b227d5d7d";

/// The same.
const BROTLI: &str = "1b4500902c0aec06f91e5b5ac0d11adaf31f21c96c8becad6dad98b7d661e9ea9b2264792dd2a253d6314e0496bb06\
                      391f163a52fa85a6270e02c759ef1729c3d20ad24204f3de77";

/// 16 MiB of zeros.
const BROTLI_BOMB: &str = "cbffff3ff82700e2b14020f7fe8fffff7ff04f00c4611180eefddf";

fn hex(digits: &str) -> Vec<u8> {
    let digit = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).unwrap();
    (0..digits.len()).step_by(2).map(digit).collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn packed(path: &str, coding: &str, body: Vec<u8>) -> Request {
    Request::new("POST", path)
        .header("content-type", "application/json")
        .header("content-encoding", coding)
        .body(body)
}

#[test]
fn every_coding_is_unpacked() {
    let server = Server::demo(&[]);
    let body = chat("say:ok").to_string().into_bytes();
    for (coding, body) in [
        ("identity", body.clone()),
        ("", body.clone()),
        ("gzip", gzip(&body)),
        ("X-GZIP", gzip(&body)),
        ("deflate", zlib(&body)),
        ("zstd", hex(ZSTD)),
        ("br", hex(BROTLI)),
        ("Br, identity", hex(BROTLI)),
        ("zstd, gzip", gzip(&hex(ZSTD))),
        ("br, gzip, deflate", zlib(&gzip(&hex(BROTLI)))),
    ] {
        assert_eq!(content(&server.send(&packed(CHAT, coding, body))), "ok", "{coding}");
    }
}

#[test]
fn bodies_are_unpacked_at_every_endpoint() {
    let server = Server::demo(&[]);
    for (path, request) in [
        ("/v1/responses", json!({ "model": "scripted-1", "input": "say:ok" })),
        ("/v1/completions", json!({ "model": "scripted-1", "prompt": "say:ok" })),
        (
            "/v1/messages",
            json!({ "model": "scripted-1", "max_tokens": 9, "messages": [{ "role": "user", "content": "a" }] }),
        ),
        ("/v1/messages/count_tokens", json!({ "messages": [{ "role": "user", "content": "a" }] })),
        ("/api/chat", json!({ "model": "scripted-1", "messages": [{ "role": "user", "content": "a" }] })),
        ("/api/show", json!({ "model": "scripted-1" })),
        ("/v1beta/models/scripted-1:generateContent", json!({ "contents": { "parts": { "text": "a" } } })),
        ("/v1beta/models/scripted-1:countTokens", json!({ "contents": { "parts": { "text": "a" } } })),
    ] {
        let body = request.to_string().into_bytes();
        assert_eq!(server.send(&packed(path, "gzip", gzip(&body))).status, 200, "{path}");
        let marked = [b"\xef\xbb\xbf", body.as_slice()].concat();
        assert_eq!(server.send(&Request::new("POST", path).body(marked.clone())).status, 200, "{path}");
        assert_eq!(server.send(&packed(path, "deflate", zlib(&marked))).status, 200, "{path}");
    }
}

#[test]
fn bytes_of_another_coding_get_400() {
    let server = Server::demo(&[]);
    let body = chat("say:ok").to_string().into_bytes();
    for coding in ["gzip", "deflate", "zstd", "br", "gzip, br"] {
        let (status, _, _, message) = server.send(&packed(CHAT, coding, body.clone())).error();
        assert_eq!(status, 400, "{coding}");
        assert!(message.contains("content-encoding"), "{message}");
    }
    for (coding, body) in [("zstd", hex(ZSTD)), ("br", hex(BROTLI)), ("gzip", gzip(&body))] {
        let cut = body[..body.len() - 1].to_vec();
        assert_eq!(server.send(&packed(CHAT, coding, cut)).status, 400, "{coding}");
        let longer = [body.as_slice(), b"\0\0"].concat();
        assert_eq!(server.send(&packed(CHAT, coding, longer)).status, 400, "{coding}");
    }
    assert_eq!(content(&server.send(&packed(CHAT, "identity", body))), "ok");
}

#[test]
fn unknown_coding_gets_415_with_the_accepted_ones() {
    let server = Server::demo(&[]);
    for path in [CHAT, "/v1/messages", "/v1/responses", "/api/chat", "/v1beta/models/m:generateContent"] {
        let response = server.send(&packed(path, "gzip, rot13", b"{}".to_vec()));
        let accepted = response.header("accept-encoding");
        assert_eq!((response.status, accepted), (415, Some("gzip, deflate, zstd, br")), "{path}");
        assert!(response.text().contains("rot13"), "{}", response.text());
    }
}

#[test]
fn limit_counts_unpacked_bytes() {
    let server = Server::demo(&[]);
    for (coding, bomb) in [
        ("br", hex(BROTLI_BOMB)),
        ("gzip", gzip(&vec![b' '; MAX_BODY + 1])),
        ("deflate", zlib(&vec![b' '; MAX_BODY + 1])),
        ("br, gzip", gzip(&hex(BROTLI_BOMB))),
    ] {
        assert_eq!(server.send(&packed(CHAT, coding, bomb)).status, 413, "{coding}");
    }
    let (status, _, _, message) = server.send(&packed(CHAT, "gzip", gzip(&vec![b' '; MAX_BODY]))).error();
    assert_eq!((status, message.contains("empty")), (400, true), "{message}");
}
