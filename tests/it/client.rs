//! A raw HTTP/1.1 client: it sends exactly the given bytes, and records when the bytes of responses arrived.

use std::fmt::Write as _;
use std::io::{ErrorKind, Read, Write as _};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::wait::DEADLINE;

/// A request, sent exactly as given.
#[derive(Clone, Debug)]
pub struct Request {
    method: &'static str,
    path: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Request {
    pub fn new(method: &'static str, path: &str) -> Request {
        Request { method, path: path.into(), headers: Vec::new(), body: Vec::new() }
    }

    pub fn get(path: &str) -> Request {
        Request::new("GET", path)
    }

    pub fn post(path: &str, body: &Value) -> Request {
        Request::new("POST", path).header("content-type", "application/json").body(body.to_string())
    }

    /// Adds a header; `host` or `content-length` replaces the default.
    pub fn header(mut self, name: &str, value: &str) -> Request {
        self.headers.push((name.into(), value.into()));
        self
    }

    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Request {
        self.body = body.into();
        self
    }

    fn has(&self, name: &str) -> bool {
        self.headers.iter().any(|(known, _)| known == name)
    }

    /// The bytes on the connection.
    pub fn bytes(&self) -> Vec<u8> {
        let mut head = format!("{} {} HTTP/1.1\r\n", self.method, self.path);
        if !self.has("host") {
            head += "host: 127.0.0.1\r\n";
        }
        let is_framed = self.has("content-length") || self.has("transfer-encoding");
        if !is_framed && (!self.body.is_empty() || self.method == "POST") {
            write!(head, "content-length: {}\r\n", self.body.len()).unwrap();
        }
        for (name, value) in &self.headers {
            write!(head, "{name}: {value}\r\n").unwrap();
        }
        let mut bytes = (head + "\r\n").into_bytes();
        bytes.extend_from_slice(&self.body);
        bytes
    }
}

/// A whole response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Response {
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut found =
            self.headers.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str());
        let first = found.next();
        assert_eq!(found.next(), None, "{name} occurs twice: {self:?}");
        first
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("a body of text")
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// Status, type, code and message of an error in OpenAI's form.
    pub fn error(&self) -> (u16, Value, Value, String) {
        let error = &self.json()["error"];
        let message = error["message"].as_str().unwrap_or_else(|| panic!("no error: {}", self.text()));
        (self.status, error["type"].clone(), error["code"].clone(), message.to_owned())
    }
}

/// One connection.
pub struct Client {
    socket: TcpStream,
    unread: Vec<u8>,
    /// Times and sizes of all reads.
    pub received: Vec<(Instant, usize)>,
    /// The last request was a HEAD: its response has no body, whatever it declares.
    is_head: bool,
}

/// The way that the end of a body is marked.
enum Framing {
    Length(usize),
    Chunked,
    UntilClosed,
}

impl Client {
    pub fn to(port: u16) -> Client {
        Client::on(TcpStream::connect(("127.0.0.1", port)).expect("a server that listens"))
    }

    pub fn on(socket: TcpStream) -> Client {
        socket.set_nodelay(true).unwrap();
        socket.set_read_timeout(Some(DEADLINE)).unwrap();
        socket.set_write_timeout(Some(DEADLINE)).unwrap();
        Client { socket, unread: Vec::new(), received: Vec::new(), is_head: false }
    }

    pub fn send(&mut self, request: &Request) {
        self.is_head = request.method == "HEAD";
        self.send_bytes(&request.bytes()).expect("a server that reads");
    }

    pub fn send_bytes(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.socket.write_all(bytes)
    }

    /// Closes the sending half of the connection, as a client that closes does; reading goes on.
    pub fn shut_down_write(&self) {
        // The server may have closed already.
        let _ = self.socket.shutdown(Shutdown::Write);
    }

    /// Reads the next response, with its whole body.
    pub fn response(&mut self) -> Response {
        let (mut response, framing) = self.head();
        while let Some(more) = self.more(&framing, response.body.len()) {
            response.body.extend_from_slice(&more);
        }
        response
    }

    /// Reads the head of the next response; its body is read as it arrives.
    pub fn stream(mut self) -> Stream {
        let (head, framing) = self.head();
        Stream { client: self, head, framing, unread: String::new() }
    }

    /// Whether the server closes the connection without sending anything more.
    pub fn is_closed(&mut self) -> bool {
        self.unread.is_empty() && !self.receive()
    }

    /// Reads until the server closes the connection; returns the status of each response.
    pub fn statuses(&mut self) -> Vec<u16> {
        while self.receive() {}
        let text = String::from_utf8_lossy(&self.unread);
        let heads = text.split("HTTP/1.").skip(1);
        heads.filter_map(|head| head.get(2..5)?.parse().ok()).collect()
    }

    /// Reads and discards until the server closes the connection.
    pub fn read_until_closed(&mut self) {
        while self.receive() {}
    }

    /// Whether the first byte of a response arrives within this time.
    pub fn responds_within(&mut self, limit: Duration) -> bool {
        self.socket.set_read_timeout(Some(limit)).unwrap();
        let begun = !matches!(self.socket.peek(&mut [0]), Err(error) if is_timeout(&error));
        self.socket.set_read_timeout(Some(DEADLINE)).unwrap();
        begun
    }

    /// Reads and discards raw bytes up to and including these.
    pub fn skip_past(&mut self, wanted: &str) {
        loop {
            if let Some(at) = find(&self.unread, wanted.as_bytes()) {
                self.unread.drain(..at + wanted.len());
                return;
            }
            assert!(self.receive(), "closed before {wanted:?}");
        }
    }

    fn head(&mut self) -> (Response, Framing) {
        let end = loop {
            if let Some(end) = find(&self.unread, b"\r\n\r\n") {
                break end;
            }
            assert!(self.receive(), "closed before a response: {:?}", String::from_utf8_lossy(&self.unread));
        };
        let head: Vec<u8> = self.unread.drain(..end + 4).collect();
        let head = String::from_utf8(head).expect("a head of text");
        let mut lines = head.trim_end().split("\r\n");
        let status =
            lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok()).expect("a status line");
        let headers: Vec<_> = lines
            .map(|line| line.split_once(": ").expect("a header"))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        let response = Response { status, headers, body: Vec::new() };
        if status == 100 {
            return self.head();
        }
        let framing = if self.is_head || status == 204 || status == 304 {
            Framing::Length(0)
        } else if response.header("transfer-encoding") == Some("chunked") {
            Framing::Chunked
        } else if let Some(length) = response.header("content-length") {
            Framing::Length(length.parse().expect("a length"))
        } else {
            Framing::UntilClosed
        };
        (response, framing)
    }

    /// Reads the next part of a body of which `received` bytes have been read; `None` at its end.
    fn more(&mut self, framing: &Framing, received: usize) -> Option<Vec<u8>> {
        match framing {
            Framing::Length(length) if received >= *length => None,
            Framing::Length(length) => {
                assert!(
                    !self.unread.is_empty() || self.receive(),
                    "cut off after {received} of {length} bytes"
                );
                let due = self.unread.len().min(length - received);
                Some(self.unread.drain(..due).collect())
            }
            Framing::UntilClosed => {
                (!self.unread.is_empty() || self.receive()).then(|| std::mem::take(&mut self.unread))
            }
            Framing::Chunked => self.chunk(),
        }
    }

    fn chunk(&mut self) -> Option<Vec<u8>> {
        loop {
            if let Some(end) = find(&self.unread, b"\r\n") {
                let length = std::str::from_utf8(&self.unread[..end]).expect("a chunk's length");
                let length = usize::from_str_radix(length, 16).expect("a chunk's length");
                let whole = end + 2 + length + 2;
                if self.unread.len() >= whole {
                    let chunk: Vec<u8> = self.unread.drain(..whole).collect();
                    return (length > 0).then(|| chunk[end + 2..end + 2 + length].to_vec());
                }
            }
            assert!(self.receive(), "cut off in a chunked body");
        }
    }

    /// Waits for more bytes; false if the server has closed the connection.
    fn receive(&mut self) -> bool {
        let mut buffer = [0; 16 * 1024];
        match self.socket.read(&mut buffer) {
            Ok(0) => false,
            Ok(read) => {
                self.received.push((Instant::now(), read));
                self.unread.extend_from_slice(&buffer[..read]);
                true
            }
            Err(error) if error.kind() == ErrorKind::ConnectionReset => false,
            // A test that was stopped and continued goes on.
            Err(error) if error.kind() == ErrorKind::Interrupted => true,
            Err(error) => panic!("nothing received for {DEADLINE:?}: {error}"),
        }
    }
}

/// A streamed response, read as server-sent events or lines. Dropping it closes the connection.
pub struct Stream {
    pub client: Client,
    /// Status and headers; the body stays empty.
    pub head: Response,
    framing: Framing,
    unread: String,
}

impl Stream {
    /// The next event, without the blank line that ends it; `None` at a complete end of the stream.
    pub fn event(&mut self) -> Option<String> {
        self.until("\n\n")
    }

    /// The JSON of the next line; `None` at a complete end of the stream.
    pub fn line(&mut self) -> Option<Value> {
        let line = self.until("\n")?;
        Some(serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}")))
    }

    fn until(&mut self, end: &str) -> Option<String> {
        loop {
            if let Some((piece, rest)) = self.unread.split_once(end) {
                let (piece, rest) = (piece.to_owned(), rest.to_owned());
                self.unread = rest;
                return Some(piece);
            }
            let Some(more) = self.client.more(&self.framing, 0) else {
                assert_eq!(self.unread, "", "an unfinished event or line");
                return None;
            };
            self.unread += std::str::from_utf8(&more).expect("UTF-8 that no chunk splits");
        }
    }

    /// All remaining events.
    pub fn rest(mut self) -> Vec<String> {
        std::iter::from_fn(|| self.event()).collect()
    }
}

fn is_timeout(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

fn find(in_bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    in_bytes.windows(wanted.len()).position(|window| window == wanted)
}
