//! A raw HTTP/1.1 client: it sends exactly what a test says, and keeps what came with the time it came.

use std::fmt::Write as _;
use std::io::{ErrorKind, Read, Write as _};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::wait::DEADLINE;

/// What is sent.
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

    /// A `host` or `content-length` given here stands in place of the right one.
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

    /// As it travels.
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

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut found =
            self.headers.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str());
        let first = found.next();
        assert_eq!(found.next(), None, "{name} stands there twice: {self:?}");
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
    /// When bytes came, and how many.
    pub came: Vec<(Instant, usize)>,
    /// The last request was a HEAD: its answer has no body, whatever it declares.
    is_head: bool,
}

/// How the end of a body is known.
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
        Client { socket, unread: Vec::new(), came: Vec::new(), is_head: false }
    }

    pub fn send(&mut self, request: &Request) {
        self.is_head = request.method == "HEAD";
        self.send_bytes(&request.bytes()).expect("a server that reads");
    }

    pub fn send_bytes(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.socket.write_all(bytes)
    }

    /// Says that nothing more will be sent, as a client that closes does; still reads.
    pub fn say_goodbye(&self) {
        // The server may have closed already.
        let _ = self.socket.shutdown(Shutdown::Write);
    }

    /// The next answer, whole.
    pub fn answer(&mut self) -> Answer {
        let (mut answer, framing) = self.head();
        while let Some(more) = self.more(&framing, answer.body.len()) {
            answer.body.extend_from_slice(&more);
        }
        answer
    }

    /// The next answer, as it comes.
    pub fn stream(mut self) -> Stream {
        let (head, framing) = self.head();
        Stream { client: self, head, framing, unread: String::new() }
    }

    /// The server has closed the connection and says nothing more.
    pub fn is_closed(&mut self) -> bool {
        self.unread.is_empty() && !self.receive()
    }

    /// Reads and forgets until the server closes, which it must.
    pub fn read_to_the_end(&mut self) {
        while self.receive() {}
    }

    /// Whether an answer has begun to come, after so much patience.
    pub fn answers_within(&mut self, patience: Duration) -> bool {
        self.socket.set_read_timeout(Some(patience)).unwrap();
        let begun = !matches!(self.socket.peek(&mut [0]), Err(error) if is_silence(&error));
        self.socket.set_read_timeout(Some(DEADLINE)).unwrap();
        begun
    }

    /// Reads raw bytes until these have come, and forgets them.
    pub fn skip_past(&mut self, wanted: &str) {
        loop {
            if let Some(at) = find(&self.unread, wanted.as_bytes()) {
                self.unread.drain(..at + wanted.len());
                return;
            }
            assert!(self.receive(), "closed before {wanted:?}");
        }
    }

    fn head(&mut self) -> (Answer, Framing) {
        let end = loop {
            if let Some(end) = find(&self.unread, b"\r\n\r\n") {
                break end;
            }
            assert!(self.receive(), "closed before an answer: {:?}", String::from_utf8_lossy(&self.unread));
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
        let answer = Answer { status, headers, body: Vec::new() };
        if status == 100 {
            return self.head();
        }
        let framing = if self.is_head || status == 204 || status == 304 {
            Framing::Length(0)
        } else if answer.header("transfer-encoding") == Some("chunked") {
            Framing::Chunked
        } else if let Some(length) = answer.header("content-length") {
            Framing::Length(length.parse().expect("a length"))
        } else {
            Framing::UntilClosed
        };
        (answer, framing)
    }

    /// The next piece of a body of which so much has come; none at its end.
    fn more(&mut self, framing: &Framing, come: usize) -> Option<Vec<u8>> {
        match framing {
            Framing::Length(length) if come >= *length => None,
            Framing::Length(length) => {
                assert!(!self.unread.is_empty() || self.receive(), "cut off after {come} of {length} bytes");
                let due = self.unread.len().min(length - come);
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

    /// Waits for more bytes; false when the server has closed.
    fn receive(&mut self) -> bool {
        let mut buffer = [0; 16 * 1024];
        match self.socket.read(&mut buffer) {
            Ok(0) => false,
            Ok(read) => {
                self.came.push((Instant::now(), read));
                self.unread.extend_from_slice(&buffer[..read]);
                true
            }
            Err(error) if error.kind() == ErrorKind::ConnectionReset => false,
            Err(error) => panic!("nothing came for {DEADLINE:?}: {error}"),
        }
    }
}

/// An answer that is still coming, cut into server-sent events or lines. Dropping it hangs up.
pub struct Stream {
    pub client: Client,
    /// Its body stays empty.
    pub head: Answer,
    framing: Framing,
    unread: String,
}

impl Stream {
    /// The next event as it stands, without the blank line that ends it; none when the stream has ended well.
    pub fn event(&mut self) -> Option<String> {
        self.until("\n\n")
    }

    /// The JSON of the next line; none when the stream has ended well.
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
                assert_eq!(self.unread, "", "a piece that has no end");
                return None;
            };
            self.unread += std::str::from_utf8(&more).expect("text that no chunk cuts");
        }
    }

    /// All that is still to come.
    pub fn rest(mut self) -> Vec<String> {
        std::iter::from_fn(|| self.event()).collect()
    }
}

fn is_silence(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

fn find(in_bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    in_bytes.windows(wanted.len()).position(|window| window == wanted)
}
