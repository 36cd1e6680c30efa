//! JSON-RPC 2.0 as MCP uses it: one message a body, ids that are strings or integers, parameters by name.

use serde::Serialize;
use serde_json::{Map, Number, Value, json};

/// The id of a request.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(untagged)]
pub enum RequestId {
    /// An integer.
    Number(Number),
    /// A text.
    Text(String),
}

/// A message of a client.
#[derive(Clone, Debug, PartialEq)]
pub enum Message {
    /// It expects a response.
    Request(Request),
    /// It expects none.
    Notification(Notification),
    /// A response to a request of the server, which sends none.
    Response,
}

/// A request of a client.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// Unique among the client's running requests.
    pub id: RequestId,
    /// For example `tools/call`.
    pub method: String,
    /// Empty if absent.
    pub params: Map<String, Value>,
}

/// A notification of a client.
#[derive(Clone, Debug, PartialEq)]
pub struct Notification {
    /// For example `notifications/cancelled`.
    pub method: String,
    /// Empty if absent.
    pub params: Map<String, Value>,
}

/// An error response without its id.
#[derive(Clone, Debug, PartialEq)]
pub struct RpcError {
    /// HTTP status of a response that is nothing but this error.
    pub status: u16,
    /// JSON-RPC's code.
    pub code: i32,
    /// The mistake, its place, and the values accepted.
    pub message: String,
    /// Facts for programs.
    pub data: Option<Value>,
}

/// A body that is no valid message.
#[derive(Clone, Debug, PartialEq)]
pub struct InvalidMessage {
    /// The id, as far as it can be read.
    pub id: Option<RequestId>,
    /// The reason.
    pub error: RpcError,
}

/// The body isn't JSON.
pub const PARSE_ERROR: i32 = -32700;
/// The body isn't a JSON-RPC message.
pub const INVALID_REQUEST: i32 = -32600;
/// The server doesn't have the method.
pub const METHOD_NOT_FOUND: i32 = -32601;
/// The method doesn't take these parameters.
pub const INVALID_PARAMS: i32 = -32602;
/// The server failed.
pub const INTERNAL_ERROR: i32 = -32603;

impl RpcError {
    /// An error about a body that is no message.
    fn invalid_request(message: impl Into<String>) -> RpcError {
        RpcError { status: 400, code: INVALID_REQUEST, message: message.into(), data: None }
    }

    /// An error about a request as a whole, such as an id that is in use.
    pub fn refused(message: impl Into<String>) -> RpcError {
        RpcError::invalid_request(message)
    }

    /// An error about a parameter.
    pub fn invalid_params(message: impl Into<String>) -> RpcError {
        RpcError { status: 200, code: INVALID_PARAMS, message: message.into(), data: None }
    }

    /// An error of the server itself.
    pub fn internal(message: impl Into<String>) -> RpcError {
        RpcError { status: 200, code: INTERNAL_ERROR, message: message.into(), data: None }
    }

    /// The body of the error response.
    pub fn response(&self, id: Option<&RequestId>) -> Value {
        let RpcError { code, message, data, .. } = self;
        let error = match data {
            Some(data) => json!({ "code": code, "message": message, "data": data }),
            None => json!({ "code": code, "message": message }),
        };
        match id {
            Some(id) => json!({ "jsonrpc": "2.0", "id": id, "error": error }),
            None => json!({ "jsonrpc": "2.0", "error": error }),
        }
    }
}

/// The body of a response.
pub fn response(id: &RequestId, result: &Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "result": result })
}

/// Reads the one message of a body.
pub fn read(body: &[u8]) -> Result<Message, Box<InvalidMessage>> {
    let parsed: Value = serde_json::from_slice(body).map_err(|error| {
        let message = format!("the body is not valid JSON: {error}");
        let error = RpcError { status: 400, code: PARSE_ERROR, message, data: None };
        Box::new(InvalidMessage { id: None, error })
    })?;
    let invalid = |id: Option<RequestId>, message: String| {
        Box::new(InvalidMessage { id, error: RpcError::invalid_request(message) })
    };
    let mut fields = match parsed {
        Value::Object(fields) => fields,
        Value::Array(_) => {
            let message = "found a batch; the versions of MCP that this server offers have none: send each message by itself";
            return Err(invalid(None, message.into()));
        }
        other => return Err(invalid(None, format!("found {}, expected an object", kind_of(&other)))),
    };
    let id = fields.remove("id");
    let known_id = id.as_ref().and_then(request_id);
    if fields.get("jsonrpc") != Some(&json!("2.0")) {
        return Err(invalid(known_id, "jsonrpc: expected \"2.0\"".into()));
    }
    if id.is_some() && known_id.is_none() {
        return Err(invalid(None, "id: expected a string or an integer".into()));
    }
    let method = match fields.remove("method") {
        Some(Value::String(method)) => method,
        Some(other) => {
            return Err(invalid(known_id, format!("method: found {}, expected a string", kind_of(&other))));
        }
        None if known_id.is_some() && (fields.contains_key("result") || fields.contains_key("error")) => {
            return Ok(Message::Response);
        }
        None => return Err(invalid(known_id, "method: missing".into())),
    };
    let params = match fields.remove("params") {
        Some(Value::Object(params)) => params,
        None | Some(Value::Null) => Map::new(),
        Some(other) => {
            let message = format!("params: found {}, expected an object", kind_of(&other));
            let error = RpcError { status: 400, ..RpcError::invalid_params(message) };
            return Err(Box::new(InvalidMessage { id: known_id, error }));
        }
    };
    Ok(match known_id {
        Some(id) => Message::Request(Request { id, method, params }),
        None => Message::Notification(Notification { method, params }),
    })
}

/// The id that a value is, if it is one.
pub fn request_id(value: &Value) -> Option<RequestId> {
    match value {
        Value::String(text) => Some(RequestId::Text(text.clone())),
        Value::Number(number) if !number.is_f64() => Some(RequestId::Number(number.clone())),
        _ => None,
    }
}

/// The type of a value in messages.
pub fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(body: &str) -> (i32, String, Option<RequestId>) {
        let InvalidMessage { id, error } = *read(body.as_bytes()).unwrap_err();
        assert_eq!(error.status, 400);
        (error.code, error.message, id)
    }

    #[test]
    fn requests_notifications_and_responses_are_told_apart() {
        let read = |body: Value| read(body.to_string().as_bytes()).unwrap();
        let params = json!({ "cursor": "a" }).as_object().unwrap().clone();
        assert_eq!(
            read(json!({ "jsonrpc": "2.0", "id": 7, "method": "tools/list", "params": params })),
            Message::Request(Request {
                id: RequestId::Number(7.into()),
                method: "tools/list".into(),
                params
            })
        );
        assert_eq!(
            read(json!({ "jsonrpc": "2.0", "method": "notifications/initialized", "params": null })),
            Message::Notification(Notification {
                method: "notifications/initialized".into(),
                params: Map::new()
            })
        );
        assert_eq!(read(json!({ "jsonrpc": "2.0", "id": "a", "result": {} })), Message::Response);
        assert_eq!(read(json!({ "jsonrpc": "2.0", "id": -1, "error": {} })), Message::Response);
    }

    #[test]
    fn invalid_messages_get_the_code_of_their_fault() {
        let number = |number: i32| Some(RequestId::Number(number.into()));
        let nested = "[".repeat(100_000);
        for (body, code, message, id) in [
            ("", PARSE_ERROR, "the body is not valid JSON: EOF", None),
            ("{\"jsonrpc\":", PARSE_ERROR, "the body is not valid JSON: EOF", None),
            (&nested, PARSE_ERROR, "the body is not valid JSON: recursion limit", None),
            ("[]", INVALID_REQUEST, "found a batch;", None),
            (r#"[{"jsonrpc":"2.0","id":1,"method":"ping"}]"#, INVALID_REQUEST, "found a batch;", None),
            ("17", INVALID_REQUEST, "found a number, expected an object", None),
            ("{}", INVALID_REQUEST, "jsonrpc: expected \"2.0\"", None),
            (r#"{"jsonrpc":"1.0","id":1,"method":"ping"}"#, INVALID_REQUEST, "jsonrpc: expected", number(1)),
            (
                r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#,
                INVALID_REQUEST,
                "id: expected a string",
                None,
            ),
            (r#"{"jsonrpc":"2.0","id":1.5,"method":"ping"}"#, INVALID_REQUEST, "id: expected a string", None),
            (r#"{"jsonrpc":"2.0","id":2}"#, INVALID_REQUEST, "method: missing", number(2)),
            (r#"{"jsonrpc":"2.0","id":3,"method":4}"#, INVALID_REQUEST, "method: found a number", number(3)),
            (
                r#"{"jsonrpc":"2.0","id":5,"method":"ping","params":[]}"#,
                INVALID_PARAMS,
                "params: found an array, expected an object",
                number(5),
            ),
        ] {
            let (found_code, found_message, found_id) = error(body);
            assert_eq!((found_code, found_id), (code, id), "{message}");
            assert!(found_message.starts_with(message), "{found_message}");
        }
    }

    #[test]
    fn error_about_an_unreadable_message_has_no_id() {
        let error = RpcError::refused("no");
        assert_eq!(
            error.response(None),
            json!({ "jsonrpc": "2.0", "error": { "code": -32600, "message": "no" } })
        );
        let error = RpcError { data: Some(json!(1)), ..RpcError::invalid_params("a") };
        let id = RequestId::Text("x".into());
        assert_eq!(
            error.response(Some(&id)),
            json!({ "jsonrpc": "2.0", "id": "x", "error": { "code": -32602, "message": "a", "data": 1 } })
        );
    }
}
