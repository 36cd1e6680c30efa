//! Notifications that the server sends, and the subscriptions that ask for them.

use serde_json::{Map, Value, json};

use super::message::{Request, RequestId, RpcError, kind_of, request_id};

/// Key of the subscription that a message belongs to, in its `_meta`.
const META_SUBSCRIPTION: &str = "io.modelcontextprotocol/subscriptionId";

/// Method of the notification that the tools have changed.
const TOOLS_CHANGED: &str = "notifications/tools/list_changed";

/// The token by which a client recognizes the progress of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProgressToken(RequestId);

impl ProgressToken {
    /// Reads the token of a request; `None` if its client wants no progress.
    pub fn of(request: &Request) -> Option<ProgressToken> {
        super::version::meta(&request.params)?.get("progressToken").and_then(request_id).map(ProgressToken)
    }

    /// The progress of a call that has been running for this many seconds: VS Code tells nothing else about it.
    pub fn notification(&self, seconds: u64, message: &str) -> Value {
        let params = json!({ "progressToken": self.0, "progress": seconds, "message": message });
        json!({ "jsonrpc": "2.0", "method": "notifications/progress", "params": params })
    }
}

/// The request that a `notifications/cancelled` names.
pub fn cancelled(params: &Map<String, Value>) -> Option<RequestId> {
    params.get("requestId").and_then(request_id)
}

/// The tools have changed, for the stream of a session.
pub fn tools_changed() -> Value {
    json!({ "jsonrpc": "2.0", "method": TOOLS_CHANGED })
}

/// A request for notifications, as long as its stream is open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    id: RequestId,
    /// Whether it asks for changes of the tools.
    pub tools: bool,
}

impl Subscription {
    /// Reads a `subscriptions/listen`.
    pub fn read(request: &Request) -> Result<Subscription, RpcError> {
        let filter = match request.params.get("notifications") {
            Some(Value::Object(filter)) => filter,
            Some(other) => {
                let found = kind_of(other);
                let message = format!("params.notifications: found {found}, expected an object");
                return Err(RpcError::invalid_params(message));
            }
            None => return Err(RpcError::invalid_params("params.notifications: missing")),
        };
        let tools = filter.get("toolsListChanged").and_then(Value::as_bool).unwrap_or(false);
        Ok(Subscription { id: request.id.clone(), tools })
    }

    /// The first message of its stream: the notifications that will come.
    pub fn acknowledged(&self) -> Value {
        let granted = if self.tools { json!({ "toolsListChanged": true }) } else { json!({}) };
        json!({
            "jsonrpc": "2.0",
            "method": "notifications/subscriptions/acknowledged",
            "params": { "_meta": self.meta(), "notifications": granted },
        })
    }

    /// The tools have changed.
    pub fn tools_changed(&self) -> Value {
        let params = json!({ "_meta": self.meta() });
        json!({ "jsonrpc": "2.0", "method": TOOLS_CHANGED, "params": params })
    }

    /// The result that ends it.
    pub fn closed(&self) -> Value {
        json!({ "_meta": self.meta() })
    }

    fn meta(&self) -> Value {
        json!({ META_SUBSCRIPTION: self.id })
    }
}
