//! Tools, calls and results in MCP's form.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::message::{Request, RpcError, kind_of};
use super::version::Era;
use crate::conversation::{Content, Data, Tool, ToolCall, ToolResult};

/// Time for which clients without a subscription may keep the list, in milliseconds.
const LIST_TTL: u32 = 5_000;

/// The keyword by which a server of VS Code's asks for a parameter as a header, which concerns that server alone.
const HEADER_KEYWORD: &str = "x-mcp-header";

/// Checks the parameters of `tools/list`. The list is one page, so no cursor is valid.
pub fn check_list(params: &Map<String, Value>) -> Result<(), RpcError> {
    match params.get("cursor") {
        None | Some(Value::Null) => Ok(()),
        Some(_) => Err(RpcError::invalid_params("params.cursor: unknown cursor, the list has one page")),
    }
}

/// The result of `tools/list`.
pub fn list(tools: &[Tool], era: Era) -> Value {
    let tool = |tool: &Tool| {
        json!({
            "name": tool.name,
            "description": tool.description,
            "inputSchema": input_schema(tool.input_schema.clone()),
        })
    };
    let tools: Vec<Value> = tools.iter().map(tool).collect();
    match era {
        Era::Stateless => json!({ "tools": tools, "ttlMs": LIST_TTL, "cacheScope": "private" }),
        Era::WithSessions => json!({ "tools": tools }),
    }
}

/// A schema whose root is an object, as MCP demands.
fn input_schema(schema: Option<Value>) -> Value {
    let Some(Value::Object(mut schema)) = schema else { return json!({ "type": "object" }) };
    if schema.get("type") != Some(&json!("object")) {
        schema.insert("type".into(), json!("object"));
    }
    let mut schema = Value::Object(schema);
    remove_header_keywords(&mut schema);
    schema
}

fn remove_header_keywords(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            if fields.get(HEADER_KEYWORD).is_some_and(Value::is_string) {
                fields.shift_remove(HEADER_KEYWORD);
            }
            fields.values_mut().for_each(remove_header_keywords);
        }
        Value::Array(items) => items.iter_mut().for_each(remove_header_keywords),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Reads a `tools/call`.
pub fn read_call(request: Request, call_id: String) -> Result<ToolCall, RpcError> {
    let mut params = request.params;
    let name = match params.shift_remove("name") {
        Some(Value::String(name)) => name,
        Some(other) => {
            let found = kind_of(&other);
            return Err(RpcError::invalid_params(format!("params.name: found {found}, expected a string")));
        }
        None => return Err(RpcError::invalid_params("params.name: missing")),
    };
    let input = match params.shift_remove("arguments") {
        Some(arguments @ Value::Object(_)) => arguments,
        None | Some(Value::Null) => json!({}),
        Some(other) => {
            let found = kind_of(&other);
            let message = format!("params.arguments: found {found}, expected an object");
            return Err(RpcError::invalid_params(message));
        }
    };
    Ok(ToolCall { id: call_id, name, input })
}

/// The error for a tool that isn't offered.
pub fn unknown_tool(name: &str) -> RpcError {
    let name: String = name.chars().take(100).collect();
    RpcError::invalid_params(format!(
        "params.name: unknown tool `{name}`; tools/list has those of the window, without those that the setting \
         `copilotProxy.autoTools` denies"
    ))
}

/// The result of `tools/call`.
pub fn called(result: ToolResult, era: Era) -> Value {
    let structured = structured(&result.content, era);
    let content: Vec<Value> = result.content.into_iter().enumerate().map(content_block).collect();
    let is_error = result.is_error;
    match structured {
        Some(value) => json!({ "content": content, "structuredContent": value, "isError": is_error }),
        None => json!({ "content": content, "isError": is_error }),
    }
}

/// The result of a call that could not be made.
pub fn failed(message: &str) -> Value {
    json!({ "content": [{ "type": "text", "text": message }], "isError": true })
}

/// The value of a result's one JSON part. Sessions know objects only.
fn structured(content: &[Content], era: Era) -> Option<Value> {
    let mut values = content.iter().filter_map(json_value);
    match (values.next(), values.next()) {
        (Some(value), None) if era == Era::Stateless || value.is_object() => Some(value),
        _ => None,
    }
}

fn json_value(content: &Content) -> Option<Value> {
    match content {
        Content::Data(data) if is_json(&data.mime) => {
            serde_json::from_slice(&STANDARD.decode(&data.base64).ok()?).ok()
        }
        Content::Data(_) | Content::Text { .. } => None,
    }
}

fn is_json(mime: &str) -> bool {
    let mime = mime.split(';').next().unwrap_or_default().trim();
    mime.eq_ignore_ascii_case("application/json") || mime.ends_with("+json")
}

fn content_block((index, content): (usize, Content)) -> Value {
    let data = match content {
        Content::Text { text } => return json!({ "type": "text", "text": text }),
        Content::Data(data) => data,
    };
    // The label of an image may be wrong.
    let mime = data.image_type().map_or_else(|| data.mime.clone(), str::to_owned);
    if mime.starts_with("image/") {
        return json!({ "type": "image", "data": data.base64, "mimeType": mime });
    }
    if mime.starts_with("audio/") {
        return json!({ "type": "audio", "data": data.base64, "mimeType": mime });
    }
    match text_of(&data) {
        Some(text) => json!({ "type": "text", "text": text }),
        None => json!({
            "type": "resource",
            "resource": {
                "uri": format!("copilot-proxy://tool-result/{index}"),
                "mimeType": mime,
                "blob": data.base64,
            },
        }),
    }
}

fn text_of(data: &Data) -> Option<String> {
    let text = String::from_utf8(STANDARD.decode(&data.base64).ok()?).ok()?;
    (!text.contains('\0')).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mcp::RequestId;

    fn data(mime: &str, bytes: &[u8]) -> Content {
        Content::Data(Data { mime: mime.into(), base64: STANDARD.encode(bytes) })
    }

    fn result(content: Vec<Content>) -> ToolResult {
        ToolResult { id: "1".into(), content, is_error: false }
    }

    #[test]
    fn schema_is_an_object_at_its_root() {
        for (schema, expected) in [
            (None, json!({ "type": "object" })),
            (Some(json!(true)), json!({ "type": "object" })),
            (
                Some(json!({ "properties": { "a": { "type": "string" } } })),
                json!({ "properties": { "a": { "type": "string" } }, "type": "object" }),
            ),
            (
                Some(
                    json!({ "type": "object", "properties": { "a": { "type": "string", "x-mcp-header": "A" } } }),
                ),
                json!({ "type": "object", "properties": { "a": { "type": "string" } } }),
            ),
        ] {
            assert_eq!(input_schema(schema), expected);
        }
    }

    #[test]
    fn content_keeps_its_kind() {
        let png = [0x89, b'P', b'N', b'G', 13, 10, 26, 10, 0, 0, 0, 0, 0];
        let contents = vec![
            Content::Text { text: "a".into() },
            data("image/jpeg", &png),
            data("audio/wav", b"RIFF\0"),
            data("text/csv", b"a,b"),
            data("application/zip", b"PK\0"),
        ];
        let content = called(result(contents), Era::Stateless)["content"].clone();
        assert_eq!(
            content,
            json!([
                { "type": "text", "text": "a" },
                { "type": "image", "data": STANDARD.encode(png), "mimeType": "image/png" },
                { "type": "audio", "data": STANDARD.encode(b"RIFF\0"), "mimeType": "audio/wav" },
                { "type": "text", "text": "a,b" },
                {
                    "type": "resource",
                    "resource": {
                        "uri": "copilot-proxy://tool-result/4",
                        "mimeType": "application/zip",
                        "blob": STANDARD.encode(b"PK\0"),
                    },
                },
            ])
        );
    }

    #[test]
    fn one_json_part_is_structured_content_and_text() {
        let part = |json: &str| data("application/json", json.as_bytes());
        let structured =
            |content: Vec<Content>, era| called(result(content), era).get("structuredContent").cloned();
        let object = json!({ "a": 1 });
        let called = called(result(vec![part(r#"{"a":1}"#)]), Era::WithSessions);
        assert_eq!(called["structuredContent"], object);
        assert_eq!(called["content"], json!([{ "type": "text", "text": "{\"a\":1}" }]));
        assert_eq!(structured(vec![part("[1]")], Era::Stateless), Some(json!([1])));
        assert_eq!(structured(vec![part("[1]")], Era::WithSessions), None);
        assert_eq!(structured(vec![part("{}"), part("{}")], Era::Stateless), None);
        assert_eq!(structured(vec![part("{")], Era::Stateless), None);
        assert_eq!(structured(vec![Content::Text { text: "{}".into() }], Era::Stateless), None);
    }

    #[test]
    fn call_needs_a_name_and_an_object_of_arguments() {
        let read = |params: Value| {
            let params = params.as_object().unwrap().clone();
            let request = Request { id: RequestId::Number(1.into()), method: "tools/call".into(), params };
            read_call(request, "c".into()).map(|call| (call.name, call.input)).map_err(|error| error.message)
        };
        assert_eq!(read(json!({ "name": "a" })), Ok(("a".into(), json!({}))));
        assert_eq!(
            read(json!({ "name": "a", "arguments": { "b": 1 } })),
            Ok(("a".into(), json!({ "b": 1 })))
        );
        for (params, message) in [
            (json!({}), "params.name: missing"),
            (json!({ "name": 1 }), "params.name: found a number, expected a string"),
            (json!({ "name": "a", "arguments": [] }), "params.arguments: found an array, expected an object"),
        ] {
            assert_eq!(read(params), Err(message.to_owned()));
        }
    }
}
