//! The client: raw HTTP/1.1 on one connection with minimal work per byte, so that the server is measured. It passes the
//! text of responses on to be checked.

use std::io;

use memchr::memmem::{find, rfind};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::Result;

/// Delimiters of a response's text.
const CONTENT: &[u8] = b"\"content\":\"";

/// A kept connection to one port.
pub struct Connection {
    socket: TcpStream,
    unread: Vec<u8>,
}

/// A question in the API's form.
pub fn question(stream: bool, messages: &str) -> Vec<u8> {
    post(&format!(r#"{{"model":"bench","stream":{stream},"messages":[{messages}]}}"#))
}

/// A question with tools.
pub fn question_with_tools(stream: bool, messages: &str, tools: &str) -> Vec<u8> {
    post(&format!(r#"{{"model":"bench","stream":{stream},"messages":[{messages}],"tools":[{tools}]}}"#))
}

fn post(body: &str) -> Vec<u8> {
    let head = "POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n";
    format!("{head}content-length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

/// A question that is one order to the model.
pub fn order(stream: bool, order: &str) -> Vec<u8> {
    question(stream, &format!(r#"{{"role":"user","content":"{order}"}}"#))
}

impl Connection {
    pub async fn open(port: u16) -> io::Result<Connection> {
        let socket = TcpStream::connect(("127.0.0.1", port)).await?;
        socket.set_nodelay(true)?;
        Ok(Connection { socket, unread: Vec::with_capacity(64 * 1024) })
    }

    pub async fn send(&mut self, request: &[u8]) -> io::Result<()> {
        self.socket.write_all(request).await
    }

    /// Sends a request and returns the body of the response.
    pub async fn body(&mut self, request: &[u8]) -> Result<Vec<u8>> {
        self.send(request).await?;
        match self.head().await? {
            Framing::Chunked => Err("a whole answer that comes in chunks".into()),
            Framing::Length(length) => {
                while self.unread.len() < length {
                    self.receive().await?;
                }
                Ok(self.unread.drain(..length).collect())
            }
        }
    }

    /// Sends a request and returns the text of a whole response.
    pub async fn whole_text(&mut self, request: &[u8]) -> Result<String> {
        let body = self.body(request).await?;
        let text = content(&body).ok_or_else(|| format!("no content in {}", shown(&body)))?;
        Ok(String::from_utf8(text.to_vec())?)
    }

    /// Sends a streamed request; ready when the head of the response has arrived.
    pub async fn stream(&mut self, request: &[u8]) -> Result<Stream<'_>> {
        self.send(request).await?;
        match self.head().await? {
            Framing::Length(_) => Err("a stream that is no stream".into()),
            Framing::Chunked => Ok(Stream {
                from: self,
                left: 0,
                lines: Vec::new(),
                finish: false,
                done: false,
                ended: false,
            }),
        }
    }

    async fn head(&mut self) -> Result<Framing> {
        let end = loop {
            if let Some(end) = find(&self.unread, b"\r\n\r\n") {
                break end + 4;
            }
            self.receive().await?;
        };
        let head = String::from_utf8_lossy(&self.unread[..end]).to_ascii_lowercase();
        if !head.starts_with("http/1.1 200") {
            return Err(format!("refused: {}", shown(&self.unread)).into());
        }
        self.unread.drain(..end);
        let length = head.split("\r\n").find_map(|line| line.strip_prefix("content-length:"));
        Ok(match length {
            Some(length) => Framing::Length(length.trim().parse()?),
            None => Framing::Chunked,
        })
    }

    async fn receive(&mut self) -> io::Result<()> {
        self.unread.reserve(64 * 1024);
        match self.socket.read_buf(&mut self.unread).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }
}

enum Framing {
    Length(usize),
    Chunked,
}

/// A response that is being read.
pub struct Stream<'a> {
    from: &'a mut Connection,
    /// Of the chunk that is being read, with the line break after it.
    left: usize,
    lines: Vec<u8>,
    finish: bool,
    done: bool,
    ended: bool,
}

impl Stream<'_> {
    /// Takes received bytes and passes on their text; returns false at a good end.
    pub async fn more(&mut self, mut receive_text: impl FnMut(&[u8]) -> Result<()>) -> Result<bool> {
        if self.ended {
            return Ok(false);
        }
        loop {
            self.ended = self.decode_chunks()?;
            if self.ended || self.lines.contains(&b'\n') {
                break;
            }
            self.from.receive().await?;
        }
        let whole = memchr::memrchr(b'\n', &self.lines).map_or(0, |end| end + 1);
        for line in self.lines[..whole].split(|byte| *byte == b'\n') {
            let Some(data) = line.strip_prefix(b"data: ") else { continue };
            if let Some(text) = content(data) {
                if !text.is_empty() {
                    receive_text(text)?;
                }
            } else if data == b"[DONE]" {
                self.done = true;
            } else if find(data, b"\"finish_reason\":\"stop\"").is_some() {
                self.finish = true;
            } else if find(data, b"\"error\"").is_some() {
                return Err(format!("failed: {}", shown(data)).into());
            }
        }
        self.lines.drain(..whole);
        if self.ended && !(self.finish && self.done && self.lines.is_empty()) {
            return Err("a stream that did not end well".into());
        }
        Ok(!self.ended)
    }

    /// Reads the rest of the response.
    pub async fn rest(&mut self, mut receive_text: impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
        while self.more(&mut receive_text).await? {}
        Ok(())
    }

    /// Takes the chunks apart as far as they have come; true at the last one.
    fn decode_chunks(&mut self) -> Result<bool> {
        let unread = &self.from.unread;
        let mut at = 0;
        let ended = loop {
            if self.left > 0 {
                let taken = self.left.min(unread.len() - at);
                let text = taken.min(self.left.saturating_sub(2));
                self.lines.extend_from_slice(&unread[at..at + text]);
                self.left -= taken;
                at += taken;
                if self.left > 0 {
                    break false;
                }
            }
            let Some(end) = find(&unread[at..], b"\r\n") else { break false };
            let length = usize::from_str_radix(std::str::from_utf8(&unread[at..at + end])?, 16)?;
            if length == 0 {
                if unread.len() < at + end + 4 {
                    break false;
                }
                at += end + 4;
                break true;
            }
            at += end + 2;
            self.left = length + 2;
        };
        self.from.unread.drain(..at);
        Ok(ended)
    }
}

/// The text of one event or whole response; the model's text needs no escapes.
fn content(json: &[u8]) -> Option<&[u8]> {
    let start = rfind(json, CONTENT)? + CONTENT.len();
    let text = &json[start..];
    let end = memchr::memchr(b'"', text)?;
    Some(&text[..end])
}

fn shown(bytes: &[u8]) -> String {
    String::from_utf8_lossy(&bytes[..bytes.len().min(500)]).into_owned()
}
