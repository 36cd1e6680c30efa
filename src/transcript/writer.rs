//! Writes a legal transcript part by part: merges turns, and puts results directly after their calls.

use std::collections::HashSet;

use crate::conversation::{Message, Part, Role, Thinking, ToolCall, ToolResult};

/// Writes the legal messages, one turn at a time.
pub struct Writer {
    /// The participants' names, by the place of their message.
    speakers: Vec<Option<String>>,
    written: Vec<Message>,
    turn: Option<Turn>,
    user: Option<UserMessage>,
}

/// The assistant's turn that is being written.
#[derive(Default)]
pub struct Turn {
    message: usize,
    name: Option<String>,
    thoughts: Vec<Part>,
    text: String,
    /// The message whose text was added last, if nothing else was since.
    saying: Option<usize>,
    calls: Vec<Part>,
    results: Vec<Part>,
    answered_in: HashSet<usize>,
}

/// A message of the user, which the parts of these messages still join.
struct UserMessage {
    sources: HashSet<usize>,
    name: Option<String>,
    parts: Vec<Part>,
}

impl Writer {
    /// For a transcript whose messages have these participants.
    pub fn new(speakers: Vec<Option<String>>) -> Writer {
        Writer { speakers, written: Vec::new(), turn: None, user: None }
    }

    /// Finishes the transcript.
    pub fn end(mut self) -> Vec<Message> {
        self.end_turn();
        self.end_user();
        self.written
    }

    /// The assistant's turn that a part of this message belongs to. Consecutive messages are one turn, unless they
    /// are of two participants; and even theirs are if a call waits for its result or only thoughts have come.
    pub fn turn(&mut self, message: usize) -> &mut Turn {
        let name = self.speakers.get(message).cloned().flatten();
        let goes_on = |turn: &Turn| {
            turn.message == message || turn.name == name || !turn.calls.is_empty() || turn.text.is_empty()
        };
        if !self.turn.as_ref().is_some_and(goes_on) {
            self.end_turn();
        }
        self.end_user();
        self.turn.get_or_insert_with(|| Turn { message, name, ..Turn::default() })
    }

    /// The user's message that a part of this message belongs to.
    pub fn user(&mut self, message: usize) -> &mut Vec<Part> {
        self.end_turn();
        if !self.user.as_ref().is_some_and(|user| user.sources.contains(&message)) {
            self.end_user();
        }
        let name = self.speakers.get(message).cloned().flatten();
        let new = || UserMessage { sources: HashSet::from([message]), name: None, parts: Vec::new() };
        let user = self.user.get_or_insert_with(new);
        user.name = user.name.take().or(name);
        &mut user.parts
    }

    /// Text after a result doesn't belong to the turn with the call.
    pub fn end_calls(&mut self) {
        if self.turn.as_ref().is_some_and(|turn| !turn.calls.is_empty()) {
            self.end_turn();
        }
    }

    /// Begins another author's turn: results come first, and text that came with them joins them.
    fn end_turn(&mut self) {
        let Some(turn) = self.turn.take() else { return };
        let mut parts = turn.thoughts;
        if turn.text.is_empty() && turn.calls.is_empty() {
            // Thinking without a response: an empty message to every provider.
            return;
        }
        if !turn.text.is_empty() {
            if !turn.calls.is_empty() && parts.iter().any(is_signed_by_anthropic) {
                // Copilot puts the text of a message before its thinking, and Anthropic's service wants the thinking
                // of a turn with calls first. Of two messages in a row, Copilot moves the thinking to the front.
                let parts = vec![Part::Text { text: turn.text }];
                self.written.push(Message { role: Role::Assistant, name: turn.name.clone(), parts });
            } else {
                parts.push(Part::Text { text: turn.text });
            }
        }
        parts.extend(turn.calls);
        self.written.push(Message { role: Role::Assistant, name: turn.name, parts });
        if !turn.results.is_empty() {
            self.user = Some(UserMessage { sources: turn.answered_in, name: None, parts: turn.results });
        }
    }

    fn end_user(&mut self) {
        if let Some(UserMessage { name, parts, .. }) = self.user.take() {
            self.written.push(Message { role: Role::User, name, parts });
        }
    }
}

/// Whether a part is thinking with a signature of Anthropic's service.
fn is_signed_by_anthropic(part: &Part) -> bool {
    matches!(part, Part::Thinking(Thinking { metadata: Some(metadata), .. })
        if metadata.get("vscode_thinking_origin_api").is_some_and(|api| api == "messages"))
}

impl Turn {
    /// Text blocks that follow each other in one message are one text cut up; all others are paragraphs.
    pub fn say(&mut self, text: &str, message: usize) {
        if self.saying == Some(message) {
            self.text.push_str(text);
        } else {
            self.say_apart(text);
            self.saying = Some(message);
        }
    }

    /// A paragraph of its own.
    pub fn say_apart(&mut self, text: &str) {
        if !self.text.is_empty() {
            self.text.push_str("\n\n");
        }
        self.text.push_str(text);
        self.saying = None;
    }

    /// Thoughts come before all words of a turn. Of two with the same id, as two rounds of auto mode have them, the
    /// later one stays: the provider would mix them.
    pub fn think(&mut self, thinking: Thinking) {
        self.saying = None;
        self.thoughts.retain(|part| !matches!(part, Part::Thinking(other) if other.id == thinking.id));
        self.thoughts.push(Part::Thinking(thinking));
    }

    /// A call, with the result that came in the message `answered_in`.
    pub fn call(&mut self, call: ToolCall, result: ToolResult, answered_in: usize) {
        self.calls.push(Part::ToolCall(call));
        self.results.push(Part::ToolResult(result));
        self.answered_in.insert(answered_in);
        self.saying = None;
    }
}
