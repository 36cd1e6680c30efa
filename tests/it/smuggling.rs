//! The smuggling table: requests whose end can be read in two ways get an error and a closed connection, so that no byte of
//! them is ever read as another request.

use crate::client::Client;
use crate::server::Server;

/// A request that must never be served; it is the body, or behind it, depending on the reader.
const SMUGGLED: &str = "GET /v1/models HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n";

/// Headers that leave the end of the body open.
const AMBIGUOUS: [&str; 24] = [
    "content-length: 0\r\ntransfer-encoding: chunked",
    "transfer-encoding: chunked\r\ncontent-length: 0",
    "content-length: 0\r\ncontent-length: 50",
    "content-length: 50\r\ncontent-length: 0",
    "content-length: 0, 50",
    "content-length: +5",
    "content-length: -5",
    "content-length: 0x5",
    "content-length: 5 5",
    "content-length: 5a",
    "content-length: 18446744073709551617",
    "content-length:",
    "transfer-encoding: chunked\r\ntransfer-encoding: identity",
    "transfer-encoding: identity, chunked\r\ncontent-length: 0",
    "transfer-encoding: xchunked",
    "transfer-encoding: chunked, identity",
    "transfer-encoding: \"chunked\"",
    "transfer-encoding: gzip",
    "transfer-encoding : chunked",
    "content-length : 5",
    " transfer-encoding: chunked",
    "x: y\r\n transfer-encoding: chunked",
    "transfer-encoding: chunked\x0b",
    "transfer\x00encoding: chunked",
];

/// Chunked bodies whose chunks can be read in two ways.
const BAD_CHUNKS: [&str; 8] = [
    "g\r\n",
    "0x5\r\nhello\r\n0\r\n\r\n",
    "+5\r\nhello\r\n0\r\n\r\n",
    "-1\r\n",
    "ffffffffffffffffff\r\n",
    "5\r\nhelloX\r\n0\r\n\r\n",
    "5\nhello\n0\n\n",
    "\r\n0\r\n\r\n",
];

/// Reads everything until the server closes; fails unless it is one error.
fn deviation(server: &Server, bytes: &str) -> Option<String> {
    let mut client: Client = server.client();
    client.send_bytes(bytes.as_bytes()).ok()?;
    client.shut_down_write();
    let statuses = client.statuses();
    let refused = matches!(statuses.as_slice(), [] | [400..=499 | 501]);
    (!refused).then(|| format!("{statuses:?}: {bytes:?}"))
}

#[test]
fn ambiguous_requests_end_their_connection() {
    let server = Server::serve(&[]);
    let heads = AMBIGUOUS.iter().flat_map(|headers| {
        ["/v1/chat/completions", "/health"].map(|path| {
            format!("POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\n{headers}\r\n\r\n0\r\n\r\n{SMUGGLED}")
        })
    });
    let chunks = BAD_CHUNKS.iter().map(|chunks| {
        format!(
            "POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n\
             transfer-encoding: chunked\r\n\r\n{chunks}{SMUGGLED}"
        )
    });
    let deviations: Vec<String> =
        heads.chain(chunks).filter_map(|bytes| deviation(&server, &bytes)).collect();
    assert_eq!(deviations, Vec::<String>::new());
    assert_eq!(server.get("/health").status, 200);
}
