//! Whether all bytes that a connection has passed on to actix-web belong to requests that were answered, so that it holds
//! none of the next one. actix-web doesn't reveal that; here the requests' heads and bodies are counted.

use memchr::memchr_iter;

/// The bytes of one connection since its last request began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum RequestBytes {
    /// Nothing of the next request has been received.
    #[default]
    Between,
    /// A request is being received or answered.
    Request {
        /// Length of its head.
        head: usize,
        /// All that has been received since its first byte.
        received: usize,
    },
    /// The end of a request is not known; that stays so.
    Unclear,
}

impl RequestBytes {
    /// Counts received bytes.
    pub fn received(&mut self, bytes: &[u8]) {
        *self = match *self {
            RequestBytes::Between => match head_length(bytes) {
                Some(head) => RequestBytes::Request { head, received: bytes.len() },
                None => RequestBytes::Unclear,
            },
            RequestBytes::Request { head, received } => {
                RequestBytes::Request { head, received: received.saturating_add(bytes.len()) }
            }
            RequestBytes::Unclear => RequestBytes::Unclear,
        };
    }

    /// Notes the end of a response. `body` is the length of its request's body, if that has been received to its end.
    pub fn answered(&mut self, body: Option<usize>) {
        *self = match (*self, body) {
            (RequestBytes::Request { head, received }, Some(body))
                if received.checked_sub(head) == Some(body) =>
            {
                RequestBytes::Between
            }
            (RequestBytes::Between | RequestBytes::Request { .. } | RequestBytes::Unclear, _) => {
                RequestBytes::Unclear
            }
        };
    }
}

/// Length of the head that these bytes begin with, up to and with its empty line; `None` if it isn't complete. As actix-web
/// does, it takes a bare line feed for the end of a line, and skips empty lines before the head.
fn head_length(bytes: &[u8]) -> Option<usize> {
    let begin = bytes.iter().position(|byte| !matches!(byte, b'\r' | b'\n'))?;
    let mut line = begin;
    for end in memchr_iter(b'\n', bytes).filter(|&end| end >= begin) {
        if matches!(bytes.get(line..end)?, b"" | b"\r") {
            return Some(end + 1);
        }
        line = end + 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const GET: &[u8] = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n";

    fn after(parts: &[&[u8]], body: Option<usize>) -> RequestBytes {
        let mut bytes = RequestBytes::default();
        for part in parts {
            bytes.received(part);
        }
        bytes.answered(body);
        bytes
    }

    #[test]
    fn head_ends_with_its_first_empty_line() {
        assert_eq!(head_length(GET), Some(GET.len()));
        assert_eq!(head_length(&GET[..GET.len() - 1]), None);
        assert_eq!(head_length(b"\r\n\nGET / HTTP/1.1\r\n\r\nrest\r\n\r\n"), Some(21));
        assert_eq!(head_length(b"GET / HTTP/1.1\nhost: a\n\nrest\r\n\r\n"), Some(24));
        assert_eq!(head_length(b"\r\n\r\n"), None);
        assert_eq!(head_length(b""), None);
    }

    #[test]
    fn nothing_is_left_behind_a_request_that_was_received_whole() {
        assert_eq!(after(&[GET], Some(0)), RequestBytes::Between);
        assert_eq!(after(&[GET, b"body"], Some(4)), RequestBytes::Between);
        let whole = [GET, b"body"].concat();
        assert_eq!(after(&[&whole], Some(4)), RequestBytes::Between);
    }

    #[test]
    fn bytes_behind_a_request_leave_its_end_unclear() {
        let followed = [GET, b"G"].concat();
        assert_eq!(after(&[&followed], Some(0)), RequestBytes::Unclear);
        assert_eq!(after(&[GET, GET], Some(0)), RequestBytes::Unclear);
        assert_eq!(after(&[GET], Some(4)), RequestBytes::Unclear);
        assert_eq!(after(&[GET], None), RequestBytes::Unclear);
        assert_eq!(after(&[&GET[..9], &GET[9..]], Some(0)), RequestBytes::Unclear);
        // A second response without a request of its own.
        let mut bytes = after(&[GET], Some(0));
        bytes.answered(Some(0));
        assert_eq!(bytes, RequestBytes::Unclear);
    }

    #[test]
    fn unclear_end_stays_unclear() {
        let mut bytes = after(&[GET], None);
        bytes.received(GET);
        bytes.answered(Some(0));
        assert_eq!(bytes, RequestBytes::Unclear);
    }
}
