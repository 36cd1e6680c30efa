//! Connections that rest between two requests: the server drops all but their socket, and no client notices.

use std::thread::sleep;
use std::time::Duration;

use crate::client::{Client, Request};
use crate::openai::{CHAT, chat, content};
use crate::server::Server;

/// Longer than the second after which an idle connection rests.
const RESTING: Duration = Duration::from_millis(1600);

/// A request whose body comes after its head has been read, as Node.js sends it.
fn send_in_two_parts(client: &mut Client, text: &str) {
    let bytes = Request::post(CHAT, &chat(text)).bytes();
    let head = bytes.windows(4).position(|end| end == b"\r\n\r\n").unwrap() + 4;
    client.send_bytes(&bytes[..head]).unwrap();
    sleep(Duration::from_millis(50));
    client.send_bytes(&bytes[head..]).unwrap();
}

#[test]
fn connection_that_rested_serves_further_requests() {
    let server = Server::demo(&["--keep-alive", "10000"]);
    let mut client = server.client();
    for _ in 0..3 {
        client.send(&Request::post(CHAT, &chat("say:again")));
        assert_eq!(content(&client.response()), "again");
        sleep(RESTING);
        send_in_two_parts(&mut client, "say:in two parts");
        assert_eq!(content(&client.response()), "in two parts");
        client.send(&Request::get("/health"));
        assert_eq!(client.response().status, 200);
    }
}

#[test]
fn connection_rests_beyond_the_time_limit_of_a_request() {
    let server = Server::demo(&["--keep-alive", "10000", "--receive-timeout", "1500"]);
    let mut client = server.client();
    send_in_two_parts(&mut client, "say:first");
    assert_eq!(content(&client.response()), "first");
    sleep(Duration::from_secs(3));
    client.send(&Request::get("/health"));
    assert_eq!(client.response().status, 200);
    // The time of the next request begins with its first byte.
    sleep(RESTING);
    client.send_bytes(b"GET /health HTTP/1.1\r\nhost: local").unwrap();
    assert_eq!(client.response().status, 408);
    assert!(client.is_closed());
}

#[test]
fn bytes_of_the_next_request_are_not_lost_by_resting() {
    let server = Server::demo(&["--keep-alive", "10000", "--receive-timeout", "10000"]);
    let mut client = server.client();
    let next = Request::get("/v1/models").bytes();
    // They come with the first request, so that actix-web has them.
    client.send_bytes(&[&Request::get("/health").bytes()[..], &next[..20]].concat()).unwrap();
    assert_eq!(client.response().status, 200);
    sleep(RESTING);
    client.send_bytes(&next[20..]).unwrap();
    assert!(client.response().json()["data"].is_array());
}

#[test]
fn chunked_requests_are_served_one_after_the_other() {
    let server = Server::demo(&["--keep-alive", "10000"]);
    let mut client = server.client();
    let body = chat("say:in chunks").to_string();
    let chunked = format!(
        "POST {CHAT} HTTP/1.1\r\nhost: 127.0.0.1\r\ntransfer-encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n0\r\n\r\n",
        body.len(),
    );
    for _ in 0..2 {
        client.send_bytes(chunked.as_bytes()).unwrap();
        assert_eq!(content(&client.response()), "in chunks");
        sleep(RESTING);
    }
}

#[cfg(unix)]
#[test]
fn resting_connections_do_not_delay_the_end_of_the_server() {
    let mut server = Server::demo(&["--keep-alive", "600000"]);
    let mut client = server.client();
    client.send(&Request::get("/health"));
    assert_eq!(client.response().status, 200);
    sleep(RESTING);
    let began = std::time::Instant::now();
    server.process.terminate();
    client.read_until_closed();
    server.process.wait_for_exit();
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
}
