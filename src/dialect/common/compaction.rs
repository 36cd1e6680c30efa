//! Compaction: the instruction that asks a model for a summary of a conversation, the sealed form in which a client
//! keeps it, and the words in which a model reads it later.

use super::sealed_text;
use crate::conversation::{Conversation, Message, Options, Output, Role, ToolChoice};

/// Begins every sealed summary of this kind: distinguishes it from what other services seal, and names the version of
/// its form.
const ALL_BUT_USER: &[u8] = b"copilot-proxy compaction 1\n";

/// Begins every sealed summary that replaces the user's messages, too.
const ALL: &[u8] = b"copilot-proxy compaction 2\n";

/// The turns before a summary that it takes the place of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replaced {
    /// The user's messages stay beside it.
    AllButUser,
    /// Nothing stays but the system text.
    All,
}

impl Replaced {
    fn magic(self) -> &'static [u8] {
        match self {
            Replaced::AllButUser => ALL_BUT_USER,
            Replaced::All => ALL,
        }
    }

    /// The default instruction.
    fn instruction(self) -> String {
        let what_stays = match self {
            Replaced::AllButUser => "the summary and the user's own messages",
            Replaced::All => "the summary",
        };
        INSTRUCTION.replace("{what_stays}", what_stays)
    }
}

const INSTRUCTION: &str = "\
Write a summary of the conversation above. It takes the place of the conversation: another assistant continues the \
work and reads only {what_stays}. Write down what the user wants, in detail; what was \
decided and why; what was done, with names of files, functions, commands and their important results; errors and how \
they were solved; what is still open, and the next step. Keep exact names, values and code that are needed again. Do \
not call a tool and do not continue the work. Reply with the summary alone.";

/// Begins a message that holds a summary.
const SUMMARY: &str = "[Earlier turns of this conversation were compacted. Their summary:]";

/// Replaces the summary of another service.
const MISSING: &str = "[Earlier turns of this conversation are missing: another service compacted them, in a form that \
                       can't be read here.]";

/// Turns a conversation into the request for its summary, by the client's own instruction if it has one. The instruction
/// is a message of its own at the end, so that everything before it stays as it was in earlier requests.
pub fn request_summary(conversation: &mut Conversation, replaced: Replaced, own: Option<&str>) {
    let own = own.map(str::trim).filter(|text| !text.is_empty());
    let instruction = own.map_or_else(|| replaced.instruction(), str::to_owned);
    conversation.messages.push(Message::text(Role::User, instruction));
    conversation.tool_choice = ToolChoice::None;
    let options = std::mem::take(&mut conversation.options);
    conversation.options = Options {
        output: Output::Text,
        stop: Vec::new(),
        choices: None,
        max_tokens: None,
        verbosity: None,
        context_edits: Vec::new(),
        ..options
    };
}

/// Seals a summary for the client.
pub fn seal(summary: &str, replaced: Replaced) -> String {
    sealed_text::seal(replaced.magic(), summary)
}

/// Opens a sealed summary; `None` if another service sealed it, or if it is damaged.
pub fn open(sealed: &str) -> Option<(String, Replaced)> {
    let mut kinds = [Replaced::AllButUser, Replaced::All].into_iter();
    kinds.find_map(|kind| Some((sealed_text::open(kind.magic(), sealed)?, kind)))
}

/// The text in which a model reads a summary, or learns that it is missing.
pub fn summary_text(summary: Option<&str>) -> String {
    summary.map_or_else(|| MISSING.to_owned(), |summary| format!("{SUMMARY}\n{summary}"))
}

/// Whether a text stands for compacted turns.
pub fn is_summary(text: &str) -> bool {
    text.starts_with(SUMMARY) || text == MISSING
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    #[test]
    fn sealed_summary_opens_to_the_same_text() {
        for summary in ["", "we chose blue", "grüße\n\u{2028}"] {
            for replaced in [Replaced::AllButUser, Replaced::All] {
                assert_eq!(open(&seal(summary, replaced)), Some((summary.to_owned(), replaced)));
            }
        }
    }

    #[test]
    fn damaged_and_foreign_summaries_do_not_open() {
        let sealed = seal("we chose blue", Replaced::All);
        let mut changed = STANDARD.decode(&sealed).unwrap();
        *changed.last_mut().unwrap() ^= 1;
        for sealed in ["", "gAAAAABo", "not base64!", &sealed[..sealed.len() - 4], &STANDARD.encode(changed)]
        {
            assert_eq!(open(sealed), None, "{sealed}");
        }
    }
}
