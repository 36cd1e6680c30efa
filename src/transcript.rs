//! The transcript doctor: any client's history becomes one that is legal for the editor. Pure.
//!
//! Legal is what Copilot's provider takes without refusing, dropping or misreading it: two roles, one text part
//! in an assistant's message, each call answered directly after it, ids that are unique, names of plain letters.
//! No text is ever lost, and a legal transcript stays as it is.

use crate::conversation::{
    Content, Conversation, Message, Part, Role, Tool, ToolCall, ToolChoice, ToolResult,
};

mod call_ids;
pub mod names;
mod pairing;
mod schema_root;
mod writer;

use call_ids::CallIds;
use names::ToolNameMap;
use pairing::Speaker;
use writer::Writer;

/// Makes a conversation legal. The names that had to change come with it, for the way back.
pub fn legal(conversation: Conversation) -> (Conversation, ToolNameMap) {
    let mut names = ToolNameMap::of(&conversation);
    let Conversation { messages, tools, tool_choice, options } = conversation;
    let tools = tools.into_iter().map(|tool| names.tool_to_editor(tool)).collect::<Vec<Tool>>();
    let tool_choice = match tool_choice {
        ToolChoice::Named(name) => ToolChoice::Named(names.to_editor(name)),
        ToolChoice::Allowed { names: allowed, is_required } => {
            let names = allowed.into_iter().map(|name| names.to_editor(name)).collect();
            ToolChoice::Allowed { names, is_required }
        }
        choice => choice,
    };
    let messages = legal_messages(messages, &names);
    (Conversation { messages, tools, tool_choice, options }, names)
}

fn legal_messages(messages: Vec<Message>, names: &ToolNameMap) -> Vec<Message> {
    let nothing_said = messages.is_empty();
    let messages = without_system(messages);
    let mut writer = Writer::new(messages.iter().map(|message| message.name.clone()).collect());
    let mut items = items(messages);
    let partners = pairing::partners(items.iter().flatten().map(|item| (item.speaker, &item.part)));
    let mut ids = CallIds::default();

    for place in 0..items.len() {
        let Some(Item { message, speaker, part }) = items.get_mut(place).and_then(Option::take) else {
            // A result that was moved to its call: the turn with the call ended here.
            writer.end_calls();
            continue;
        };
        match part {
            Part::Text { text } if speaker == Speaker::Assistant => writer.turn(message).say(&text, message),
            Part::Text { .. } | Part::Data(_) => writer.user(message).push(part),
            Part::Thinking(thinking) => writer.turn(message).think(thinking),
            Part::ToolCall(call) => {
                let result =
                    partners.get(&place).and_then(|place| items.get_mut(*place)).and_then(Option::take);
                match result {
                    Some(Item { part: Part::ToolResult(result), message: answered_in, .. }) => {
                        let id = ids.next(call.id);
                        let call = names.call_to_editor(ToolCall { id: id.clone(), ..call });
                        let result = in_words(ToolResult { id, ..result });
                        writer.turn(message).call(call, result, answered_in);
                    }
                    _ => writer.turn(message).say_apart(&unanswered(&call)),
                }
            }
            Part::ToolResult(result) => writer.user(message).extend(unasked(result)),
        }
    }
    let mut written = writer.end();
    if written.is_empty() && !nothing_said {
        // The editor refuses a request without messages; a client may send one without text.
        written.push(Message::text(Role::User, ""));
    }
    written
}

/// System text at the head becomes one message of the user, before all else; later it stays where it is.
fn without_system(messages: Vec<Message>) -> Vec<Message> {
    let head = messages.iter().take_while(|message| message.role == Role::System).count();
    let mut messages = messages.into_iter();
    let (mut texts, mut others) = (Vec::new(), Vec::new());
    for part in messages.by_ref().take(head).flat_map(|message| message.parts) {
        match part {
            Part::Text { text } if text.is_empty() => {}
            Part::Text { text } => texts.push(text),
            other => others.push(other),
        }
    }
    if !texts.is_empty() {
        others.insert(0, Part::text(texts.join("\n\n")));
    }
    let head = (!others.is_empty()).then_some(Message { role: Role::User, name: None, parts: others });
    let user = |message: Message| match message.role {
        Role::System => Message { role: Role::User, ..message },
        Role::User | Role::Assistant => message,
    };
    head.into_iter().chain(messages.map(user)).collect()
}

/// A part, freed from its message but remembering it.
struct Item {
    message: usize,
    speaker: Speaker,
    part: Part,
}

/// All parts in order, each with the speaker that its kind demands. Left out are empty texts and the thoughts no
/// provider takes back. An assistant's images come after its other parts: the editor takes them from users only.
fn items(messages: Vec<Message>) -> Vec<Option<Item>> {
    let mut items = Vec::new();
    for (place, message) in messages.into_iter().enumerate() {
        let assistant = message.role == Role::Assistant;
        let (late, parts): (Vec<Part>, Vec<Part>) =
            message.parts.into_iter().partition(|part| assistant && matches!(part, Part::Data(_)));
        for part in parts.into_iter().chain(late) {
            let speaker = match &part {
                Part::Text { text } if text.is_empty() => continue,
                Part::Thinking(thinking) if !assistant || !thinking.is_sealed() => continue,
                Part::Text { .. } if assistant => Speaker::Assistant,
                Part::Thinking(_) | Part::ToolCall(_) => Speaker::Assistant,
                Part::Text { .. } | Part::Data(_) | Part::ToolResult(_) => Speaker::User,
            };
            items.push(Some(Item { message: place, speaker, part }));
        }
    }
    items
}

/// A result in VS Code can't say that its tool has failed: the words do, whatever else they say.
fn in_words(mut result: ToolResult) -> ToolResult {
    const FAILED: &str = "[The tool failed.]";
    if std::mem::take(&mut result.is_error) {
        match result.content.first_mut() {
            Some(Content::Text { text }) => *text = format!("{FAILED}\n{text}"),
            _ => result.content.insert(0, Content::Text { text: FAILED.into() }),
        }
    }
    result
}

/// A call that has no result, in words.
fn unanswered(call: &ToolCall) -> String {
    format!("[The tool {} was called with {}, and no result came.]", call.name, call.input)
}

/// A result whose call is not there, in words and pictures.
fn unasked(result: ToolResult) -> Vec<Part> {
    let mut text = format!("[Result of the tool call {}:]", result.id);
    let mut data = Vec::new();
    for content in in_words(result).content {
        match content {
            Content::Text { text: said } => {
                text.push('\n');
                text.push_str(&said);
            }
            Content::Data(shown) => data.push(Part::Data(shown)),
        }
    }
    std::iter::once(Part::Text { text }).chain(data).collect()
}

#[cfg(test)]
mod prefix_tests;
#[cfg(test)]
mod tests;
