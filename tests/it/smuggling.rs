//! The smuggling table: requests whose end can be read in two ways get an error and a closed connection, so that no byte of
//! them is ever read as another request.

use crate::client::Client;
use crate::server::Server;

/// A request that must never be served; it is the body, or behind it, depending on the reader.
const SMUGGLED: &str = "GET /v1/models HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n";

/// Headers that leave the end of the body, or of a header, open.
const AMBIGUOUS: [&str; 66] = [
    // Two framings, or two lengths.
    "content-length: 0\r\ntransfer-encoding: chunked",
    "transfer-encoding: chunked\r\ncontent-length: 0",
    "content-length: 5\r\ntransfer-encoding: chunked",
    "transfer-encoding: chunked\r\ncontent-length: 5",
    "Content-Length: 5\r\nTRANSFER-ENCODING: CHUNKED",
    "connection: transfer-encoding\r\ntransfer-encoding: chunked\r\ncontent-length: 3",
    "content-length: 0\r\ncontent-length: 50",
    "content-length: 50\r\ncontent-length: 0",
    "content-length: 0\r\ncontent-length: 0",
    "content-length: 0\r\nContent-Length: +0",
    "content-length: 0, 50",
    "content-length: 0,",
    "content-length: ,0",
    "connection: content-length\r\ncontent-length: 5, 6",
    // Lengths that are no decimal numbers.
    "content-length: +5",
    "content-length: -5",
    "content-length: 0x5",
    "content-length: 5 5",
    "content-length: 5a",
    "content-length: 5;",
    "content-length: 5.0",
    "content-length: 1e1",
    "content-length: 0\x0005",
    "content-length: \x0b5",
    "content-length: 5\x0c",
    "content-length: \u{665}",
    "content-length: 18446744073709551617",
    "content-length:",
    // Codings that are not one final `chunked`.
    "transfer-encoding: chunked\r\ntransfer-encoding: identity",
    "transfer-encoding: chunked\r\ntransfer-encoding: chunked",
    "transfer-encoding: chunked\r\ntransfer-encoding: gzip",
    "transfer-encoding: gzip\r\ntransfer-encoding: chunked",
    "transfer-encoding: identity, chunked\r\ncontent-length: 0",
    "transfer-encoding: chunked, chunked",
    "transfer-encoding: chunked, identity",
    "transfer-encoding: chunked,",
    "transfer-encoding: ,chunked",
    "transfer-encoding: chunked;q=1",
    "transfer-encoding: chunked x",
    "transfer-encoding: xchunked",
    "transfer-encoding: \"chunked\"",
    "transfer-encoding: gzip",
    "transfer-encoding: identity",
    "transfer-encoding:",
    "transfer-encoding: \x0bchunked",
    "transfer-encoding: chunked\x0b",
    // Names that some readers mend, and lines that continue the one before.
    "transfer-encoding : chunked",
    "transfer-encoding\t: chunked",
    "content-length : 5",
    "transfer-encoding chunked",
    "transfer\x00encoding: chunked",
    " transfer-encoding: chunked",
    "\ttransfer-encoding: chunked",
    "x: y\r\n transfer-encoding: chunked",
    "x: y\n transfer-encoding: chunked",
    "x: y\r\n\tz",
    "content-length: 0\r\n 5",
    "x: y\rtransfer-encoding: chunked",
    "x: y\rcontent-length: 0\r\ncontent-length: 5",
    "transfer-encoding: chunked\r",
    ": y",
    "x y: z",
    "x(y: z",
    "x\x01: z",
    "x\r: z",
    "x: y\x00z",
];

/// Chunked bodies whose chunks can be read in two ways.
const BAD_CHUNKS: [&str; 33] = [
    // Sizes that are no hexadecimal numbers, or too large.
    "g\r\n",
    "0x5\r\nhello\r\n0\r\n\r\n",
    "0x\r\n\r\n",
    "+5\r\nhello\r\n0\r\n\r\n",
    "-1\r\n",
    "5_0\r\nhello",
    "5 6\r\nhello\r\n0\r\n\r\n",
    " 5\r\nhello\r\n0\r\n\r\n",
    "\u{665}\r\nhello\r\n0\r\n\r\n",
    "5\x00\r\nhello\r\n0\r\n\r\n",
    "10000000000000005\r\nhello\r\n0\r\n\r\n",
    "ffffffffffffffffff\r\n",
    "5000000000000000000000000000000000000\r\n",
    // Data that is longer than its size, or has no end.
    "5\r\nhelloX\r\n0\r\n\r\n",
    "5\r\nhello0\r\n\r\n",
    // Lines that end with one of the two bytes, or with another one between them.
    "5\nhello\n0\n\n",
    "\n5\r\nhello\r\n0\r\n\r\n",
    "\r\n0\r\n\r\n",
    "5\rX\nhello\r\n0\r\n\r\n",
    "5\thello\r\n0\r\n\r\n",
    "5\r\r\nhello\r\n0\r\n\r\n",
    "5\r\nhello\n0\r\n\r\n",
    "5\r\nhello\r\r\n0\r\n\r\n",
    "0\n\r\n",
    "5\r\nhello\r\n0\r\n\n",
    "0\r\n\rX\r\n",
    "0\r\nX",
    "0\r\nx: y\n\r\n",
    // Extensions that hide the end of a line.
    "5;\nX\r\nhello\r\n0\r\n\r\n",
    "0;\n\r\n\r\n",
    "5;x\rX\r\nhello\r\n0\r\n\r\n",
    "5;x\x00y\r\nhello\r\n0\r\n\r\n",
    "5;x=\"\r\n\"\r\nhello\r\n0\r\n\r\n",
];

/// First lines that are no request line of HTTP/1, or ask for something else than a resource of this server.
const BAD_LINES: [&str; 24] = [
    "POST  /health HTTP/1.1",
    "POST /health HTTP/1.1 ",
    " POST /health HTTP/1.1",
    "POST\t/health\tHTTP/1.1",
    "POST /health\x0bHTTP/1.1",
    "POST /health HTTP/1.1\x0b",
    "POST /health HTTP/1.1\rx: y",
    "POST /he alth HTTP/1.1",
    "POST /he\x00alth HTTP/1.1",
    "POST /he\x01alth HTTP/1.1",
    "P\x00ST /health HTTP/1.1",
    "P(ST /health HTTP/1.1",
    "POST /health",
    "POST /health HTTP/0.9",
    "POST /health HTTP/1.",
    "POST /health HTTP/11",
    "POST /health HTTP/1.2",
    "POST /health HTTP/2.0",
    "POST /health http/1.1",
    "POST /health XTTP/1.1",
    "POST http:/health HTTP/1.1",
    "POST http:///health HTTP/1.1",
    "CONNECT 127.0.0.1:80 HTTP/1.1",
    "CONNECT /health HTTP/1.1",
];

/// `Host` headers that are missing, twice there, or name another host for some readers.
const BAD_HOSTS: [&str; 10] = [
    "x: y",
    "host:",
    "host : 127.0.0.1",
    "host: 127.0.0.1\r\nhost: 127.0.0.1",
    "host: example.com\r\nhost: 127.0.0.1",
    "host: 127.0.0.1\r\nhost: example.com",
    "host: 127.0.0.1, example.com",
    "host: 127.0.0.1@example.com",
    "host: 127.0.0.1/example.com",
    "host: 127.0.0.1\x00",
];

/// Requests that are odd but end at one place for every reader: the one behind them is served as well.
const CLEAR: [&str; 14] = [
    "GET /health HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n",
    "GET http://127.0.0.1/health HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n",
    "\r\nGET /health HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n",
    "GET /health HTTP/1.1\r\nhost:127.0.0.1 \t\r\n\r\n",
    "GET http://example.com/health HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n",
    "GET //example.com/health HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n",
    "GET /health HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 5\r\n\r\nhello",
    "GET /health HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 00005\r\n\r\nhello",
    "GET /health HTTP/1.1\r\nhost: 127.0.0.1\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    "GET /health HTTP/1.1\r\nhost: 127.0.0.1\r\ntransfer-encoding: Chunked\r\n\r\n0005\r\nhello\r\n000\r\n\r\n",
    "GET /health HTTP/1.1\r\nhost: 127.0.0.1\r\ntransfer-encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n0;z\r\n\r\n",
    // The fields behind the last chunk change nothing.
    "GET /health HTTP/1.1\r\nhost: 127.0.0.1\r\ntransfer-encoding: chunked\r\n\r\n0\r\ncontent-length: 90\r\n\r\n",
    "GET /health HTTP/1.1\r\nhost: 127.0.0.1\r\ntransfer-encoding: chunked\r\n\r\n0\r\nhost: example.com\r\n\r\n",
    // HTTP/1.1's name for a length is no header of another name.
    "GET /health HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent_length: 50\r\ntransfer_encoding: chunked\r\n\r\n",
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

/// A head with these lines behind its first one.
fn head(lines: &str) -> String {
    format!("POST /v1/chat/completions HTTP/1.1\r\n{lines}\r\n\r\n")
}

fn expect_refused(requests: impl IntoIterator<Item = String>) {
    let server = Server::serve(&[]);
    let deviations: Vec<String> =
        requests.into_iter().filter_map(|bytes| deviation(&server, &bytes)).collect();
    assert_eq!(deviations, Vec::<String>::new());
    assert_eq!(server.get("/health").status, 200);
}

#[test]
fn ambiguous_headers_end_their_connection() {
    expect_refused(AMBIGUOUS.iter().flat_map(|headers| {
        ["/v1/chat/completions", "/health"].map(|path| {
            format!("POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\n{headers}\r\n\r\n0\r\n\r\n{SMUGGLED}")
        })
    }));
}

#[test]
fn ambiguous_chunks_end_their_connection() {
    let chunked = head("host: 127.0.0.1\r\ncontent-type: application/json\r\ntransfer-encoding: chunked");
    expect_refused(BAD_CHUNKS.map(|chunks| format!("{chunked}{chunks}{SMUGGLED}")));
}

#[test]
fn malformed_request_lines_end_their_connection() {
    expect_refused(BAD_LINES.map(|line| format!("{line}\r\nhost: 127.0.0.1\r\n\r\n{SMUGGLED}")));
}

#[test]
fn chunks_in_http_1_0_end_their_connection() {
    let fields = ["", "content-length: 5\r\n", "connection: keep-alive\r\n"];
    expect_refused(fields.map(|fields| {
        let head = head(&format!("host: 127.0.0.1\r\n{fields}transfer-encoding: chunked"));
        format!("{}0\r\n\r\n{SMUGGLED}", head.replace("HTTP/1.1", "HTTP/1.0"))
    }));
}

#[test]
fn ambiguous_hosts_are_refused() {
    expect_refused(BAD_HOSTS.map(|host| head(&format!("{host}\r\ncontent-length: 0"))));
}

#[test]
fn heads_of_any_size_end_their_connection() {
    let long = "x".repeat(200_000);
    let many: Vec<String> = (0..200).map(|number| format!("x{number}: y")).collect();
    let fields = [format!("{long}: y"), format!("x: {long}"), many.join("\r\n")];
    let with_fields = fields.map(|fields| head(&format!("host: 127.0.0.1\r\n{fields}")) + SMUGGLED);
    let long_path = format!("GET /{long} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n{SMUGGLED}");
    let long_method = format!("{long} / HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n{SMUGGLED}");
    expect_refused(with_fields.into_iter().chain([long_path, long_method]));
}

/// The request behind an odd one is served once, whether it comes with that, in single bytes or later.
#[test]
fn requests_with_a_clear_end_are_served_in_turn() {
    let server = Server::demo(&[]);
    for bytes in CLEAR {
        for cut in [bytes.len() + SMUGGLED.len(), bytes.len(), 1] {
            let mut client: Client = server.client();
            for part in [bytes, SMUGGLED].concat().as_bytes().chunks(cut) {
                client.send_bytes(part).unwrap();
            }
            let statuses = [client.response().status, client.response().status];
            assert!(matches!(statuses, [200 | 403 | 404, 200]), "{statuses:?}: {bytes:?}");
        }
    }
}
