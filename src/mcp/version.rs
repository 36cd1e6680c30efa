//! Versions of the protocol, and the era that a message belongs to.
//!
//! Since 2026-07-28 each request carries its version, and there are no sessions. Before, a client begins a session with
//! `initialize`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::message::{INVALID_PARAMS, METHOD_NOT_FOUND, Message, Request, RpcError};

/// The version without sessions.
pub const STATELESS: &str = "2026-07-28";

/// Versions with sessions, the latest first. For tools the two oldest differ in nothing that this server sends.
pub const WITH_SESSIONS: [&str; 4] = ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"];

/// Key of a request's version in its `_meta`.
const META_VERSION: &str = "io.modelcontextprotocol/protocolVersion";

/// Key of the client's capabilities in a request's `_meta`.
const META_CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";

/// Markers around the Base64 of a header's value.
const ENCODED_BEGIN: &str = "=?base64?";
const ENCODED_END: &str = "?=";

/// Headers do not repeat what the body says.
const HEADER_MISMATCH: i32 = -32020;

/// The server doesn't have the version.
const UNSUPPORTED_VERSION: i32 = -32022;

/// The era that a message belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Era {
    /// Each request stands for itself.
    Stateless,
    /// Requests belong to a session.
    WithSessions,
}

/// Headers of a request that repeat fields of its body.
#[derive(Clone, Copy, Debug, Default)]
pub struct MirroredHeaders<'a> {
    /// `MCP-Protocol-Version`.
    pub version: Option<&'a str>,
    /// `Mcp-Method`.
    pub method: Option<&'a str>,
    /// `Mcp-Name`.
    pub name: Option<&'a str>,
}

/// The version of a session whose client asks for `requested`.
pub fn negotiated(requested: &str) -> &'static str {
    let [latest, ..] = WITH_SESSIONS;
    WITH_SESSIONS.into_iter().find(|version| *version == requested).unwrap_or(latest)
}

/// All versions, the latest first.
pub fn supported() -> Vec<&'static str> {
    std::iter::once(STATELESS).chain(WITH_SESSIONS).collect()
}

impl Era {
    /// Finds the era of a message, and checks what its era demands of every message.
    pub fn of(message: &Message, headers: MirroredHeaders<'_>) -> Result<Era, RpcError> {
        let version = match message {
            // It selects the older era, whatever else it carries.
            Message::Request(request) if request.method == "initialize" => return Ok(Era::WithSessions),
            Message::Request(request) => meta(&request.params).and_then(|meta| meta.get(META_VERSION)),
            Message::Notification(notification) => {
                meta(&notification.params).and_then(|meta| meta.get(META_VERSION))
            }
            Message::Response => None,
        };
        match (message, version) {
            (Message::Request(request), Some(version)) => {
                check_stateless(request, version, headers)?;
                Ok(Era::Stateless)
            }
            (Message::Request(_), None) if headers.version == Some(STATELESS) => {
                Err(missing_field(META_VERSION))
            }
            (Message::Notification(_) | Message::Response, Some(_)) => Ok(Era::Stateless),
            (_, None) => Era::of_version(headers.version),
        }
    }

    /// The era of a request without a body, by its version header.
    pub fn of_version(version: Option<&str>) -> Result<Era, RpcError> {
        match version {
            Some(STATELESS) => Ok(Era::Stateless),
            Some(version) if !WITH_SESSIONS.contains(&version) => Err(unsupported_version(version)),
            Some(_) | None => Ok(Era::WithSessions),
        }
    }

    /// The error for a method that the server doesn't have.
    pub fn method_not_found(self, method: &str) -> RpcError {
        let status = match self {
            Era::Stateless => 404,
            Era::WithSessions => 200,
        };
        let method: String = method.chars().take(100).collect();
        RpcError {
            status,
            code: METHOD_NOT_FOUND,
            message: format!("method not found: {method}"),
            data: None,
        }
    }
}

/// The version of a message without a session; `None` for one that belongs to a session.
pub fn stateless_version(message: &Value) -> Option<&str> {
    let meta = message.get("params")?.get("_meta")?;
    let is_initialize = message.get("method").is_some_and(|method| method == "initialize");
    meta.get(META_VERSION)?.as_str().filter(|_| !is_initialize)
}

/// The `_meta` of parameters.
pub fn meta(params: &Map<String, Value>) -> Option<&Map<String, Value>> {
    params.get("_meta")?.as_object()
}

fn check_stateless(request: &Request, version: &Value, headers: MirroredHeaders<'_>) -> Result<(), RpcError> {
    let Some(version) = version.as_str() else {
        return Err(malformed(format!("params._meta.{META_VERSION}: expected a string")));
    };
    check_header("MCP-Protocol-Version", headers.version, version)?;
    if version != STATELESS {
        return Err(unsupported_version(version));
    }
    check_header("Mcp-Method", headers.method, &request.method)?;
    if request.method == "tools/call"
        && let Some(name) = request.params.get("name").and_then(Value::as_str)
    {
        check_header("Mcp-Name", headers.name.map(decoded).as_deref(), name)?;
    }
    if !meta(&request.params).is_some_and(|meta| meta.get(META_CAPABILITIES).is_some_and(Value::is_object)) {
        return Err(missing_field(META_CAPABILITIES));
    }
    Ok(())
}

/// Checks that a header repeats a value of the body.
fn check_header(name: &str, found: Option<&str>, expected: &str) -> Result<(), RpcError> {
    let problem = match found {
        Some(found) if found == expected => return Ok(()),
        Some(_) => "doesn't match the body",
        None => "is missing",
    };
    let message = format!("the header {name} {problem}, expected `{expected}`");
    Err(RpcError { status: 400, code: HEADER_MISMATCH, message, data: None })
}

/// The value as a header, encoded if it can't be one as it is.
pub fn header_value(value: &str) -> String {
    let is_plain = value.bytes().all(|byte| matches!(byte, b' '..=b'~')) && value.trim() == value;
    let is_plain = is_plain && !(value.starts_with(ENCODED_BEGIN) && value.ends_with(ENCODED_END));
    if is_plain {
        value.to_owned()
    } else {
        format!("{ENCODED_BEGIN}{}{ENCODED_END}", STANDARD.encode(value))
    }
}

/// The value of a header that may be encoded as Base64 between markers.
fn decoded(value: &str) -> String {
    let encoded = value.strip_prefix(ENCODED_BEGIN).and_then(|rest| rest.strip_suffix(ENCODED_END));
    let bytes = encoded.and_then(|encoded| STANDARD.decode(encoded).ok());
    bytes.and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_else(|| value.to_owned())
}

fn missing_field(key: &str) -> RpcError {
    malformed(format!("params._meta.{key}: missing; version {STATELESS} has it in each request"))
}

fn malformed(message: String) -> RpcError {
    RpcError { status: 400, code: INVALID_PARAMS, message, data: None }
}

fn unsupported_version(requested: &str) -> RpcError {
    let requested: String = requested.chars().take(100).collect();
    RpcError {
        status: 400,
        code: UNSUPPORTED_VERSION,
        message: format!(
            "unsupported protocol version `{requested}`, expected one of: {}",
            supported().join(", ")
        ),
        data: Some(json!({ "supported": supported(), "requested": requested })),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mcp::message::{self, RequestId};

    fn request(method: &str, params: &Value) -> Message {
        let params = params.as_object().unwrap().clone();
        Message::Request(Request { id: RequestId::Number(1.into()), method: method.into(), params })
    }

    fn stateless(version: &str) -> Value {
        json!({ "_meta": { META_VERSION: version, META_CAPABILITIES: {} } })
    }

    fn headers<'a>(version: &'a str, method: &'a str) -> MirroredHeaders<'a> {
        MirroredHeaders { version: Some(version), method: Some(method), name: None }
    }

    #[test]
    fn request_decides_its_era() {
        let list = |params: Value| request("tools/list", &params);
        let none = MirroredHeaders::default();
        assert_eq!(Era::of(&list(json!({})), none), Ok(Era::WithSessions));
        for version in WITH_SESSIONS {
            assert_eq!(Era::of(&list(json!({})), headers(version, "")), Ok(Era::WithSessions));
        }
        assert_eq!(
            Era::of(&list(stateless(STATELESS)), headers(STATELESS, "tools/list")),
            Ok(Era::Stateless)
        );
        assert_eq!(Era::of(&request("initialize", &stateless(STATELESS)), none), Ok(Era::WithSessions));
        let notification = message::read(br#"{"jsonrpc":"2.0","method":"notifications/cancelled"}"#).unwrap();
        assert_eq!(Era::of(&notification, none), Ok(Era::WithSessions));
        assert_eq!(Era::of(&notification, headers(STATELESS, "")), Ok(Era::Stateless));
    }

    #[test]
    fn stateless_request_must_be_complete_and_match_its_headers() {
        let list = |params: Value| request("tools/list", &params);
        let call = json!({
            "name": "café", "_meta": { META_VERSION: STATELESS, META_CAPABILITIES: {} }
        });
        let named = |name| MirroredHeaders { name, ..headers(STATELESS, "tools/call") };
        for (message, headers, code) in [
            (list(stateless(STATELESS)), MirroredHeaders::default(), HEADER_MISMATCH),
            (list(stateless(STATELESS)), headers("2025-11-25", "tools/list"), HEADER_MISMATCH),
            (list(stateless(STATELESS)), headers(STATELESS, "tools/call"), HEADER_MISMATCH),
            (list(stateless("2030-01-01")), headers("2030-01-01", "tools/list"), UNSUPPORTED_VERSION),
            (list(stateless("2025-11-25")), headers("2025-11-25", "tools/list"), UNSUPPORTED_VERSION),
            (list(json!({})), headers("2030-01-01", "tools/list"), UNSUPPORTED_VERSION),
            (list(json!({})), headers(STATELESS, "tools/list"), INVALID_PARAMS),
            (
                list(json!({ "_meta": { META_VERSION: STATELESS } })),
                headers(STATELESS, "tools/list"),
                INVALID_PARAMS,
            ),
            (list(json!({ "_meta": { META_VERSION: 1 } })), headers(STATELESS, "tools/list"), INVALID_PARAMS),
            (request("tools/call", &call), named(None), HEADER_MISMATCH),
            (request("tools/call", &call), named(Some("cafe")), HEADER_MISMATCH),
        ] {
            let error = Era::of(&message, headers).unwrap_err();
            assert_eq!((error.status, error.code), (400, code), "{}", error.message);
        }
        assert_eq!(
            Era::of(&request("tools/call", &call), named(Some("=?base64?Y2Fmw6k=?="))),
            Ok(Era::Stateless)
        );
    }

    #[test]
    fn any_value_can_be_a_header() {
        for (value, header) in [
            ("get_time", "get_time"),
            ("café", "=?base64?Y2Fmw6k=?="),
            (" a", "=?base64?IGE=?="),
            ("a\nb", "=?base64?YQpi?="),
            ("=?base64?YQ==?=", "=?base64?PT9iYXNlNjQ/WVE9PT89?="),
        ] {
            assert_eq!(header_value(value), header);
            assert_eq!(decoded(header), value);
        }
    }

    #[test]
    fn session_gets_the_version_asked_for_or_the_latest() {
        assert_eq!(negotiated("2025-06-18"), "2025-06-18");
        assert_eq!(negotiated("2026-07-28"), "2025-11-25");
        assert_eq!(negotiated("a"), "2025-11-25");
    }
}
