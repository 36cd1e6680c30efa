//! Tools that OpenAI's API names by a type and that the client runs: `shell`, `local_shell` and `apply_patch`. The
//! model gets each as a function, and its calls become items of the vendor's own types.

use serde_json::{Map, Value, json};

use crate::conversation::{Content, ToolResult};

/// A tool that the client runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientTool {
    Shell,
    LocalShell,
    ApplyPatch,
}

impl ClientTool {
    /// The tool of this type; `None` for other types, and for a shell in a container, which OpenAI itself runs.
    pub fn of(tool: &Value) -> Option<ClientTool> {
        let environment = tool.pointer("/environment/type").and_then(Value::as_str);
        if environment.is_some_and(|environment| environment != "local") {
            return None;
        }
        ClientTool::of_kind(tool.get("type")?.as_str()?)
    }

    /// The tool of this type.
    pub fn of_kind(kind: &str) -> Option<ClientTool> {
        match kind {
            "shell" => Some(ClientTool::Shell),
            "local_shell" => Some(ClientTool::LocalShell),
            "apply_patch" => Some(ClientTool::ApplyPatch),
            _ => None,
        }
    }

    /// Its type, which is also the name of the function that stands for it.
    pub fn kind(self) -> &'static str {
        match self {
            ClientTool::Shell => "shell",
            ClientTool::LocalShell => "local_shell",
            ClientTool::ApplyPatch => "apply_patch",
        }
    }

    /// Begins the ids of its calls' items.
    pub fn id_prefix(self) -> &'static str {
        match self {
            ClientTool::Shell => "sh",
            ClientTool::LocalShell => "lsh",
            ClientTool::ApplyPatch => "apc",
        }
    }

    /// The tool whose calls or outputs have this type, and whether it is a call.
    pub fn of_item(kind: &str) -> Option<(ClientTool, bool)> {
        match kind.strip_suffix("_call") {
            Some(kind) => Some((ClientTool::of_kind(kind)?, true)),
            None => Some((ClientTool::of_kind(kind.strip_suffix("_call_output")?)?, false)),
        }
    }

    /// Description of the function.
    pub fn description(self) -> &'static str {
        match self {
            ClientTool::Shell => "Runs commands in a shell on the user's machine and returns their output.",
            ClientTool::LocalShell => "Runs a command on the user's machine and returns its output.",
            ClientTool::ApplyPatch => {
                "Creates, updates or deletes one file. `diff` is a patch in the V4A format: for a new file every line \
                 begins with `+`; for an update, `@@` and a line of context begin each section, and its lines begin \
                 with a space, `-` or `+`."
            }
        }
    }

    /// JSON Schema of the function.
    pub fn schema(self) -> Value {
        let integer = |description: &str| json!({ "type": "integer", "description": description });
        let strings = |description: &str| json!({ "type": "array", "items": { "type": "string" }, "description": description });
        match self {
            ClientTool::Shell => json!({
                "type": "object",
                "properties": {
                    "commands": strings("Commands, each a line of a shell"),
                    "timeout_ms": integer("Time limit in milliseconds"),
                    "max_output_length": integer("Characters of output to return at most"),
                },
                "required": ["commands"],
            }),
            ClientTool::LocalShell => json!({
                "type": "object",
                "properties": {
                    "command": strings("The program and its arguments"),
                    "env": {
                        "type": "object",
                        "additionalProperties": { "type": "string" },
                        "description": "Environment variables to set",
                    },
                    "working_directory": { "type": "string" },
                    "timeout_ms": integer("Time limit in milliseconds"),
                    "user": { "type": "string", "description": "User to run as" },
                },
                "required": ["command"],
            }),
            ClientTool::ApplyPatch => json!({
                "type": "object",
                "properties": {
                    "operation": {
                        "type": "object",
                        "properties": {
                            "type": { "type": "string", "enum": ["create_file", "update_file", "delete_file"] },
                            "path": { "type": "string" },
                            "diff": { "type": "string", "description": "Required unless the file is deleted" },
                        },
                        "required": ["type", "path"],
                    },
                },
                "required": ["operation"],
            }),
        }
    }

    /// The work that the model wants done, as the item of its call holds it in `action` or `operation`. Fields that the API requires are added, whatever
    /// the model wrote.
    pub fn action(self, input: &Value) -> Value {
        let field = |name: &str| input.get(name).cloned().unwrap_or(Value::Null);
        match self {
            ClientTool::Shell => json!({
                "commands": list([field("commands"), field("command")]),
                "timeout_ms": field("timeout_ms"),
                "max_output_length": field("max_output_length"),
            }),
            ClientTool::LocalShell => {
                let command = match [field("command"), field("commands")] {
                    // A shell command line is not a program with arguments.
                    [Value::String(line), _] | [Value::Null, Value::String(line)] => {
                        json!(["sh", "-c", line])
                    }
                    fields => list(fields),
                };
                let env = if field("env").is_object() { field("env") } else { json!({}) };
                json!({
                    "type": "exec",
                    "command": command,
                    "env": env,
                    "timeout_ms": field("timeout_ms"),
                    "working_directory": field("working_directory"),
                    "user": field("user"),
                })
            }
            ClientTool::ApplyPatch => {
                let mut operation = match input.get("operation").unwrap_or(input) {
                    Value::Object(fields) => fields.clone(),
                    other => Map::from_iter([("diff".to_owned(), other.clone())]),
                };
                let has_diff = operation.get("diff").is_some_and(Value::is_string);
                let deletes = operation.get("type").is_some_and(|kind| kind == "delete_file");
                if deletes {
                    operation.remove("diff");
                } else if !has_diff {
                    operation.insert("diff".into(), "".into());
                }
                for required in ["type", "path"] {
                    operation.entry(required).or_insert_with(|| "".into());
                }
                Value::Object(operation)
            }
        }
    }

    /// The input of the function, from an item of an earlier turn.
    pub fn input(self, item: &Map<String, Value>) -> Value {
        let without_nulls = |fields: &Map<String, Value>| {
            let fields = fields.iter().filter(|(_, value)| !value.is_null());
            fields.map(|(name, value)| (name.clone(), value.clone())).collect::<Map<_, _>>()
        };
        match self {
            ClientTool::ApplyPatch => {
                let operation = item.get("operation").and_then(Value::as_object).map(without_nulls);
                json!({ "operation": operation.unwrap_or_default() })
            }
            ClientTool::Shell | ClientTool::LocalShell => {
                let mut action =
                    item.get("action").and_then(Value::as_object).map(without_nulls).unwrap_or_default();
                action.remove("type");
                Value::Object(action)
            }
        }
    }
}

/// The result of a call, from an item of an earlier turn.
pub fn result(id: String, item: &Map<String, Value>) -> ToolResult {
    let is_error = item.get("status").is_some_and(|status| status == "failed");
    let text = match item.get("output") {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(outputs)) => outputs.iter().map(command_output).collect::<Vec<_>>().join("\n"),
        Some(other) => other.to_string(),
    };
    let content = if text.is_empty() { Vec::new() } else { vec![Content::Text { text }] };
    ToolResult { id, content, is_error }
}

/// The first field that is given, as a list of strings.
fn list<const N: usize>(fields: [Value; N]) -> Value {
    match fields.into_iter().find(|field| !field.is_null()) {
        None => json!([]),
        Some(Value::Array(items)) => items
            .into_iter()
            .map(|item| match item {
                Value::String(_) => item,
                other => Value::String(other.to_string()),
            })
            .collect(),
        Some(Value::String(one)) => json!([one]),
        Some(other) => json!([other.to_string()]),
    }
}

/// Text of one command's output: what it printed and how it ended.
fn command_output(output: &Value) -> String {
    let Value::Object(fields) = output else {
        return output.as_str().map_or_else(|| output.to_string(), str::to_owned);
    };
    let text = |name: &str| fields.get(name).and_then(Value::as_str).unwrap_or_default();
    let mut lines: Vec<String> = Vec::new();
    if !text("stdout").is_empty() {
        lines.push(text("stdout").trim_end_matches('\n').to_owned());
    }
    if !text("stderr").is_empty() {
        lines.push(format!("stderr:\n{}", text("stderr").trim_end_matches('\n')));
    }
    match fields.get("outcome") {
        Some(outcome) if outcome["type"] == "timeout" => lines.push("[timed out]".into()),
        Some(outcome) => match outcome["exit_code"].as_i64() {
            Some(code) => lines.push(format!("[exit code {code}]")),
            None => lines.push(format!("[outcome {outcome}]")),
        },
        None => {}
    }
    if lines.is_empty() { output.to_string() } else { lines.join("\n") }
}
