//! The items of a request's input become messages, one by one. Whether they make a legal transcript is not
//! asked here.

use serde_json::{Map, Value, json};

use super::client_tools::{self, ClientTool};
use super::compaction_items as compaction;
use super::content::read_content;
use super::stored_responses::Memory;
use super::tool_names::{ToolName, ToolNames};
use super::tools::OfferedTools;
use super::wire;
use crate::conversation::{Message, Part, Role, ToolCall, ToolResult};
use crate::dialect::common::body_json::{read_value, shortened};
use crate::dialect::common::media::{Unshowable, newest_user_message};
use crate::dialect::common::placeholders::without_base64;
use crate::dialect::common::{call_arguments, free_text, sealed_thinking};
use crate::failure::{Failure, ResultExt};

/// Context for reading items.
pub struct Reader<'a> {
    pub memory: &'a Memory,
    pub names: &'a ToolNames,
}

/// Offers the tools that stand among the items: Codex adds some there while a conversation goes on.
pub fn offer_tools(items: &[Value], offer: &mut OfferedTools) -> Result<(), Failure> {
    offer.first_wins = true;
    for (position, item) in items.iter().enumerate() {
        let kind = item.get("type").and_then(Value::as_str);
        if !matches!(kind, Some("additional_tools" | "tool_search_output")) {
            continue;
        }
        let tools = item.get("tools").and_then(Value::as_array);
        for (index, tool) in tools.into_iter().flatten().enumerate() {
            offer.add(tool).at(format_args!("input[{position}].tools[{index}]"))?;
        }
    }
    Ok(())
}

/// The items of a request.
#[derive(Default)]
pub struct ReadItems {
    pub messages: Vec<Message>,
    /// Messages that the user wrote, no outputs of tools.
    pub of_user: Vec<Message>,
    /// Whether a summary among them takes the place of the stored conversation that the request continues.
    pub replaces_earlier: bool,
}

impl Reader<'_> {
    /// Reads all items.
    pub fn read(&self, items: Vec<Value>) -> Result<ReadItems, Failure> {
        self.require_content(&items)?;
        let mut read = ReadItems::default();
        let ReadItems { messages, of_user, replaces_earlier } = &mut read;
        let newest = newest_user_message(&items, is_user_message, is_output);
        for (index, item) in items.into_iter().enumerate() {
            let is_of_user = is_user_message(&item);
            if compaction::replaces_earlier(&item) {
                messages.truncate(compaction::system_messages(messages));
                of_user.clear();
                *replaces_earlier = true;
            }
            let message =
                self.item(item, Unshowable::of_message(index, newest)).at(format_args!("input[{index}]"))?;
            of_user.extend(message.iter().filter(|_| is_of_user).cloned());
            messages.extend(message);
        }
        Ok(read)
    }

    /// Fails if the request holds nothing but references to items that are not stored: there is nothing to answer.
    fn require_content(&self, items: &[Value]) -> Result<(), Failure> {
        let mut unknown = None;
        for item in items {
            match referenced(item) {
                Some(id) if self.memory.item(id).is_none() => unknown = Some(id),
                _ => return Ok(()),
            }
        }
        unknown.map_or(Ok(()), |id| Err(Failure::UnknownItem { id: id.to_owned() }))
    }

    fn item(&self, item: Value, unshowable: Unshowable) -> Result<Option<Message>, Failure> {
        let kind = match item.get("type") {
            // References and messages may have no type.
            None | Some(Value::Null) if is_reference(&item) => "item_reference".to_owned(),
            None | Some(Value::Null) => "message".to_owned(),
            Some(kind) => read_value::<String>(kind).at("type")?,
        };
        match kind.as_str() {
            "message" => message(item, unshowable).map(Some),
            "function_call" => self.function_call(item).map(Some),
            "custom_tool_call" => self.custom_tool_call(item).map(Some),
            "function_call_output" | "custom_tool_call_output" => call_output(item).map(Some),
            "reasoning" => self.reasoning(item),
            "computer_call_output" => Ok(screenshot(&item)),
            "web_search_call" if let Some(message) = self.web_search(&item) => Ok(Some(message)),
            "item_reference" => self.reference(item).map(Some),
            kind => match (ClientTool::of_item(kind), item) {
                (Some((tool, is_call)), Value::Object(item)) => {
                    self.client_tool(tool, is_call, &item).map(Some)
                }
                (_, item) => Ok(other(kind, item)),
            },
        }
    }

    fn function_call(&self, item: Value) -> Result<Message, Failure> {
        let call: wire::FunctionCall = read_value(item)?;
        let name = ToolName::new(call.namespace, call.name);
        let input = call_arguments::read(&call.arguments.unwrap_or_default());
        Ok(self.call(call.call_id, &name, input))
    }

    fn custom_tool_call(&self, item: Value) -> Result<Message, Failure> {
        let call: wire::CustomToolCall = read_value(item)?;
        let name = ToolName::new(call.namespace, call.name);
        Ok(self.call(call.call_id, &name, free_text::wrap(&call.input)))
    }

    /// A call of a tool that the client runs, or its output.
    fn client_tool(
        &self,
        tool: ClientTool,
        is_call: bool,
        item: &Map<String, Value>,
    ) -> Result<Message, Failure> {
        // Outputs of `local_shell` have had the call's id in `id`.
        let id = item.get("call_id").filter(|id| !id.is_null()).or_else(|| item.get("id"));
        let id =
            id.and_then(Value::as_str).ok_or_else(|| Failure::invalid("call_id", "required, but missing"))?;
        if is_call {
            return Ok(self.call(id.to_owned(), &ToolName::of_client_tool(tool), tool.input(item)));
        }
        Ok(of(Role::User, vec![Part::ToolResult(client_tools::result(id.to_owned(), item))]))
    }

    /// A search of an earlier response. Its result is not in the item: auto mode has stored it, or the model reads the call
    /// alone.
    fn web_search(&self, item: &Value) -> Option<Message> {
        let action = item.get("action")?;
        if action.get("type").is_some_and(|kind| kind != "search") {
            return None;
        }
        let query = action.get("query").or_else(|| action.pointer("/queries/0"))?.as_str()?;
        let id =
            item.get("id").and_then(Value::as_str).map_or(query, |id| id.strip_prefix("ws_").unwrap_or(id));
        Some(self.call(id.to_owned(), &ToolName::of_web_search(), json!({ "query": query })))
    }

    fn call(&self, id: String, name: &ToolName, input: Value) -> Message {
        let call = ToolCall { id, name: self.names.to_model(name), input };
        of(Role::Assistant, vec![Part::ToolCall(call)])
    }

    /// Reads reasoning. Its provider gets it back as it was sealed or stored; other reasoning is text only.
    fn reasoning(&self, item: Value) -> Result<Option<Message>, Failure> {
        let item: wire::ReasoningItem = read_value(item)?;
        if item.encrypted_content.is_none()
            && let Some(stored) = item.id.and_then(|id| self.memory.item(&id))
        {
            return Ok(Some(stored));
        }
        let joined = |texts: Option<Vec<wire::ReasoningText>>| {
            let texts: Vec<String> = texts.into_iter().flatten().map(|one| one.text).collect();
            texts.join("\n\n")
        };
        let summary = joined(item.summary);
        let text = if summary.is_empty() { joined(item.content) } else { summary };
        let thinking = sealed_thinking::open(text, item.encrypted_content.as_deref());
        Ok(thinking.map(|thinking| of(Role::Assistant, vec![Part::Thinking(thinking)])))
    }

    /// Reads a reference to an item of an earlier response. The server may have been restarted since then: the model
    /// reads that the item is missing.
    fn reference(&self, item: Value) -> Result<Message, Failure> {
        let wire::ItemReference { id } = read_value(item)?;
        let missing = || {
            let words = format!("[An earlier item of this conversation is missing here: {}]", shortened(&id));
            Message::text(Role::Assistant, words)
        };
        Ok(self.memory.item(&id).unwrap_or_else(missing))
    }
}

/// Whether an item refers to another one, by its type or by its form.
fn is_reference(item: &Value) -> bool {
    match item.get("type") {
        None | Some(Value::Null) => item.get("role").is_none() && item.get("id").is_some(),
        Some(kind) => kind == "item_reference",
    }
}

/// The id of the item that an item refers to.
fn referenced(item: &Value) -> Option<&str> {
    item.get("id").filter(|_| is_reference(item))?.as_str()
}

fn is_user_message(item: &Value) -> bool {
    item.get("role").is_some_and(|role| role == "user")
}

/// Whether an item is the output of a call.
fn is_output(item: &Value) -> bool {
    item.get("type").and_then(Value::as_str).is_some_and(|kind| kind.ends_with("_output"))
}

fn of(role: Role, parts: Vec<Part>) -> Message {
    Message { role, name: None, parts }
}

fn message(item: Value, unshowable: Unshowable) -> Result<Message, Failure> {
    let message: wire::Message = read_value(item)?;
    let role = match message.role {
        wire::Role::User => Role::User,
        wire::Role::Assistant => Role::Assistant,
        wire::Role::System | wire::Role::Developer => Role::System,
    };
    let content = read_content("content", message.content, unshowable)?;
    Ok(of(role, content.into_iter().map(Part::from).collect()))
}

fn call_output(item: Value) -> Result<Message, Failure> {
    let output: wire::CallOutput = read_value(item)?;
    let content = read_content("output", output.output, Unshowable::Describe)?;
    let result = ToolResult { id: output.call_id, content, is_error: false };
    Ok(of(Role::User, vec![Part::ToolResult(result)]))
}

/// A screenshot is shown as an image, or described if it can't be.
fn screenshot(item: &Value) -> Option<Message> {
    let output = item.get("output")?;
    let text = |name: &str| output.get(name).and_then(Value::as_str);
    let shown = match (text("image_url"), text("file_id")) {
        (Some(url), _) => Unshowable::Describe.image_url(url),
        (None, Some(id)) => {
            Unshowable::Describe.stored_image(id, Failure::unsupported("file_id", "no files are stored"))
        }
        (None, None) => return other("computer_call_output", item.clone()),
    };
    let heading = Part::text("computer_call_output:");
    Some(of(Role::User, std::iter::once(heading).chain(shown.ok().map(Part::from)).collect()))
}

/// An item of a kind that VS Code knows nothing like, of a tool that OpenAI runs itself: the model reads what
/// happened as text.
fn other(kind: &str, item: Value) -> Option<Message> {
    /// They are of no meaning to a model, or sealed.
    const NOT_SAID: [&str; 6] = ["type", "id", "call_id", "status", "encrypted_content", "fingerprint"];
    /// They only carry tools: `offer_tools` has taken these already, or OpenAI alone can run them.
    const OFFERS: [&str; 3] = ["additional_tools", "tool_search_output", "mcp_list_tools"];

    let Value::Object(mut fields) = item else { return None };
    if compaction::is_compaction(kind) {
        return Some(compaction::read_item(&fields));
    }
    fields.values_mut().for_each(leave_out_data_urls);
    fields.retain(|field, value| !NOT_SAID.contains(&field.as_str()) && !value.is_null());
    if kind == "image_generation_call" {
        // The image in base64: megabytes of text without meaning for the model.
        fields.remove("result");
    }
    if fields.is_empty() || OFFERS.contains(&kind) {
        return None;
    }
    // Calls are the model's; all other items are input.
    let role = if kind.ends_with("_call") { Role::Assistant } else { Role::User };
    Some(Message::text(role, format!("{kind}: {}", without_base64(Value::Object(fields)))))
}

/// Replaces the base64 of `data:` URLs, which a model can't read as text.
fn leave_out_data_urls(value: &mut Value) {
    match value {
        Value::String(text) if text.starts_with("data:") => {
            if let Some((kind, _)) = text.split_once(";base64,") {
                *text = format!("{kind} (left out)");
            }
        }
        Value::Array(values) => values.iter_mut().for_each(leave_out_data_urls),
        Value::Object(fields) => fields.values_mut().for_each(leave_out_data_urls),
        _ => {}
    }
}
