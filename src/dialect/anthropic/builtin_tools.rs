//! Tools that Anthropic names by a type instead of a schema, and that the client runs. Their parameters are
//! published, so that any model can be offered them; excluded are those that run in Anthropic's own service, and
//! `computer_*`, which needs a model that was trained to find positions on a screen.

use serde_json::{Value, json};

use crate::conversation::Tool;

/// The tool of this type as a model can be offered it; none where the type has no counterpart.
pub fn tool(kind: &str, name: &str) -> Option<Tool> {
    let (family, version) = kind.rsplit_once('_')?;
    let (description, input_schema) = match family {
        "bash" => ("Runs a command in a shell that keeps its state between calls.", bash()),
        // Later versions have no undo and a separate field for insertions.
        "text_editor" if version < "20250429" => {
            ("Shows, creates and edits text files.", files(&["undo_edit"], &json!({})))
        }
        "text_editor" => {
            ("Shows, creates and edits text files.", files(&[], &json!({ "insert_text": inserted() })))
        }
        "memory" => (
            "Keeps what is worth remembering in files under /memories, from one conversation to the next.",
            files(
                &["delete", "rename"],
                &json!({
                    "insert_text": inserted(),
                    "old_path": { "type": "string", "description": "rename: the path before" },
                    "new_path": { "type": "string", "description": "rename: the path after" },
                }),
            ),
        ),
        _ => return None,
    };
    Some(Tool {
        name: name.to_owned(),
        description: description.to_owned(),
        input_schema: Some(input_schema),
    })
}

fn bash() -> Value {
    json!({
        "type": "object",
        "properties": {
            "command": { "type": "string", "description": "the command; required unless restarting" },
            "restart": { "type": "boolean", "description": "starts the shell anew instead" },
        },
    })
}

/// The parameters for editing files, without commands that only Anthropic's own service has.
fn files(more_commands: &[&str], more_fields: &Value) -> Value {
    let commands = [&["view", "create", "str_replace", "insert"], more_commands].concat();
    let path_is_required = !commands.contains(&"rename");
    let mut schema = json!({
        "type": "object",
        "properties": {
            "command": { "type": "string", "enum": commands },
            "path": { "type": "string", "description": "absolute path of the file or directory" },
            "view_range": {
                "type": "array",
                "items": { "type": "integer" },
                "description": "view: the first and the last line, from 1; -1 is the end",
            },
            "file_text": { "type": "string", "description": "create: the whole text" },
            "old_str": { "type": "string", "description": "str_replace: what stands there exactly once" },
            "new_str": { "type": "string", "description": "str_replace: what is to stand there" },
            "insert_line": { "type": "integer", "description": "insert: after this line; 0 is the beginning" },
        },
        "required": if path_is_required { vec!["command", "path"] } else { vec!["command"] },
    });
    if let (Some(fields), Some(more)) =
        (schema.get_mut("properties").and_then(Value::as_object_mut), more_fields.as_object())
    {
        fields.extend(more.clone());
        if !more.contains_key("insert_text") {
            let new =
                json!({ "type": "string", "description": "str_replace, insert: what is to stand there" });
            fields.insert("new_str".into(), new);
        }
    }
    schema
}

fn inserted() -> Value {
    json!({ "type": "string", "description": "insert: what is to stand there" })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The commands and the fields of a tool.
    fn of(kind: &str) -> (Vec<String>, Vec<String>) {
        let schema = tool(kind, "x").unwrap().input_schema.unwrap();
        let commands = schema["properties"]["command"]["enum"].as_array().cloned().unwrap_or_default();
        let fields = schema["properties"].as_object().unwrap().keys().cloned().collect();
        (commands.iter().map(|command| command.as_str().unwrap().to_owned()).collect(), fields)
    }

    #[test]
    fn builtin_tool_has_the_schema_of_its_version() {
        let edits = ["view", "create", "str_replace", "insert"];
        let fields = ["command", "path", "view_range", "file_text", "old_str", "new_str", "insert_line"];
        let join = |one: &[&str], more: &[&str]| -> Vec<String> {
            [one, more].concat().into_iter().map(str::to_owned).collect()
        };
        assert_eq!(of("bash_20250124"), (vec![], join(&["command", "restart"], &[])));
        assert_eq!(of("text_editor_20250124"), (join(&edits, &["undo_edit"]), join(&fields, &[])));
        assert_eq!(of("text_editor_20250728"), (join(&edits, &[]), join(&fields, &["insert_text"])));
        assert_eq!(
            of("memory_20250818"),
            (join(&edits, &["delete", "rename"]), join(&fields, &["insert_text", "old_path", "new_path"]))
        );
    }

    #[test]
    fn other_types_are_no_builtin_client_tools() {
        for kind in ["computer_20250124", "web_search_20250305", "code_execution_20250825", "bash", "custom"]
        {
            assert_eq!(tool(kind, "x"), None, "{kind}");
        }
    }
}
