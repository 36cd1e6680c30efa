//! The server's side of histories: what one editor holds, and the frames of a request for it.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use bytes::{BufMut, BytesMut};

use super::item::{put_item, put_tools};
use crate::bridge::frames::{Kind, PIECE, begin_frame, end_frame, put_message};
use crate::bridge::protocol::{Chat, ToEditor};
use crate::conversation::{Content, Digest, Message, Part};

/// Size in bytes up to which a request travels as one message.
const INLINE: usize = 4 * 1024;

/// Most tools of a request that travels as one message.
const INLINE_TOOLS: usize = 4;

/// Most bytes that an editor holds: the histories of several agents at once. A request has 10 MiB at most.
const MAX_HELD: usize = 32 * 1024 * 1024;

/// Bytes that are left when items are forgotten, so that it isn't done for each request.
const HELD_AFTER_FORGETTING: usize = MAX_HELD / 4 * 3;

/// Memory of an item besides its content, on both sides.
const OVERHEAD: usize = 128;

/// The items that one editor holds, by their digests.
#[derive(Default)]
pub struct SentItems {
    items: HashMap<u128, SentItem>,
    /// Sum of their sizes.
    bytes: usize,
    /// Key of the last new item. Keys are not used again.
    last_key: u32,
    /// Number of requests so far.
    requests: u64,
    /// Whether the editor is to forget everything first.
    clears: bool,
}

struct SentItem {
    key: u32,
    bytes: usize,
    /// The last request that had it.
    used: u64,
}

impl SentItems {
    /// Forgets what the editor holds, since it lacks some of it; its next request is sent whole.
    pub fn clear(&mut self) {
        self.items.clear();
        self.bytes = 0;
        self.clears = true;
    }

    /// Appends the frames of a request.
    pub fn put_chat(
        &mut self,
        stream: u32,
        chat: &Arc<Chat>,
        out: &mut BytesMut,
    ) -> Result<(), serde_json::Error> {
        if size_exceeds(&chat.messages, INLINE) || chat.tools.len() > INLINE_TOOLS {
            self.put_items(stream, chat, out);
            let head = Chat {
                vendor: chat.vendor.clone(),
                model: chat.model.clone(),
                required: chat.required,
                options: chat.options.clone(),
                configuration: chat.configuration.clone(),
                include_encrypted_thinking: chat.include_encrypted_thinking,
                client: chat.client.clone(),
                ..Chat::default()
            };
            put_message(stream, &ToEditor::Chat(head.into()), out)
        } else {
            put_message(stream, &ToEditor::Chat(chat.clone()), out)
        }
    }

    fn put_items(&mut self, stream: u32, chat: &Chat, out: &mut BytesMut) {
        if std::mem::take(&mut self.clears) {
            let frame = begin_frame(Kind::Forget, stream, out);
            end_frame(frame, out);
        }
        self.requests += 1;
        let computed;
        let digests = if chat.digests.len() == chat.messages.len() {
            debug_assert_eq!(
                chat.digests,
                Digest::of_all(&chat.messages),
                "a message was changed afterwards"
            );
            &chat.digests
        } else {
            computed = Digest::of_all(&chat.messages);
            &computed
        };
        let mut known = Vec::new();
        for (message, digest) in chat.messages.iter().zip(digests) {
            self.put(digest.id, &mut known, stream, out, |out| put_item(message, out));
        }
        if !chat.tools.is_empty() {
            let digest = Digest::of_tools(&chat.tools);
            self.put(digest.id, &mut known, stream, out, |out| put_tools(&chat.tools, out));
        }
        put_keys(Kind::Known, stream, &known, out);
        self.forget_oldest(stream, out);
    }

    /// Adds the key of an item, or appends a frame of it if it is new.
    fn put(
        &mut self,
        id: u128,
        known: &mut Vec<u32>,
        stream: u32,
        out: &mut BytesMut,
        write: impl FnOnce(&mut BytesMut),
    ) {
        match self.items.entry(id) {
            Entry::Occupied(mut entry) => {
                let item = entry.get_mut();
                item.used = self.requests;
                known.push(item.key);
            }
            Entry::Vacant(entry) => {
                put_keys(Kind::Known, stream, &std::mem::take(known), out);
                self.last_key = self.last_key.wrapping_add(1);
                let frame = begin_frame(Kind::Item, stream, out);
                out.put_u32_le(self.last_key);
                let start = out.len();
                write(out);
                let bytes = out.len() - start + OVERHEAD;
                end_frame(frame, out);
                self.bytes += bytes;
                entry.insert(SentItem { key: self.last_key, bytes, used: self.requests });
            }
        }
    }

    /// Has the editor forget the items that were not used for longest, if it holds too many.
    fn forget_oldest(&mut self, stream: u32, out: &mut BytesMut) {
        if self.bytes <= MAX_HELD {
            return;
        }
        let unused = self.items.iter().filter(|(_, item)| item.used < self.requests);
        let mut oldest: Vec<(u64, u32, u128)> = unused.map(|(id, item)| (item.used, item.key, *id)).collect();
        oldest.sort_unstable();
        let mut forgotten = Vec::new();
        for (_, key, id) in oldest {
            if self.bytes <= HELD_AFTER_FORGETTING {
                break;
            }
            if let Some(item) = self.items.remove(&id) {
                self.bytes -= item.bytes;
                forgotten.push(key);
            }
        }
        put_keys(Kind::Forget, stream, &forgotten, out);
    }
}

/// Appends a frame of keys, if there are any.
fn put_keys(kind: Kind, stream: u32, keys: &[u32], out: &mut BytesMut) {
    // As many as a payload may have.
    for keys in keys.chunks(PIECE / 4) {
        let frame = begin_frame(kind, stream, out);
        for key in keys {
            out.put_u32_le(*key);
        }
        end_frame(frame, out);
    }
}

/// Whether the messages are longer than so many bytes. Looks no further than that.
fn size_exceeds(messages: &[Message], limit: usize) -> bool {
    let content = |content: &Content| match content {
        Content::Text { text } => text.len(),
        Content::Data(data) => data.base64.len(),
    };
    let part = |part: &Part| match part {
        Part::Text { text } => text.len(),
        Part::Data(data) => data.base64.len(),
        Part::Thinking(thinking) => thinking.size(),
        Part::ToolCall(call) => call.name.len() + call.input.as_object().map_or(0, |input| input.len() * 64),
        Part::ToolResult(result) => result.content.iter().map(content).sum(),
    };
    let mut rest = limit;
    messages.iter().flat_map(|message| &message.parts).any(|each| match rest.checked_sub(part(each) + 16) {
        Some(less) => {
            rest = less;
            false
        }
        None => true,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::bridge::frames::{FrameReader, Incoming};
    use crate::bridge::history::item::tests::{messages, tools};
    use crate::conversation::Role;

    /// A long request with every kind of part.
    fn chat(last: &str) -> Arc<Chat> {
        let mut messages = messages();
        messages.push(Message::text(Role::User, "x".repeat(2 * PIECE)));
        messages.push(Message::text(Role::User, "é".repeat(INLINE)));
        messages.push(Message::text(Role::User, last));
        Arc::new(Chat {
            vendor: "copilot".into(),
            model: "m".into(),
            digests: Digest::of_all(&messages),
            messages,
            tools: tools(),
            options: json!({ "temperature": 1 }).as_object().unwrap().clone(),
            ..Chat::default()
        })
    }

    /// The frames of a request.
    fn frames(sent: &mut SentItems, chat: &Arc<Chat>) -> BytesMut {
        let mut out = BytesMut::new();
        sent.put_chat(7, chat, &mut out).unwrap();
        out
    }

    /// A request as an editor reads it.
    fn whole(chat: &Chat) -> (u32, Incoming<ToEditor>) {
        let chat = Chat { digests: Vec::new(), ..chat.clone() };
        (7, Incoming::Message(ToEditor::Chat(chat.into())))
    }

    #[tokio::test]
    async fn history_arrives_whole_and_its_next_turn_costs_what_is_new() {
        let mut sent = SentItems::default();
        let (first, second) = (chat("one"), chat("two"));
        let (one, two) = (frames(&mut sent, &first), frames(&mut sent, &second));
        assert!(one.len() > 2 * PIECE && two.len() < 1000, "{} {}", one.len(), two.len());
        let bytes = [one, two].concat();
        let mut reader = FrameReader::<_, ToEditor>::new(bytes.as_slice());
        assert_eq!(reader.next().await.unwrap(), Some(whole(&first)));
        assert_eq!(reader.next().await.unwrap(), Some(whole(&second)));
        assert_eq!(reader.next().await.unwrap(), None);
    }

    #[tokio::test]
    async fn history_that_the_editor_lacks_is_reported_and_then_sent_whole() {
        let mut sent = SentItems::default();
        let chat = chat("one");
        let first = frames(&mut sent, &chat);
        let bytes = frames(&mut sent, &chat);
        let mut reader = FrameReader::<_, ToEditor>::new(bytes.as_ref());
        assert_eq!(reader.next().await.unwrap(), Some((7, Incoming::IncompleteHistory)));
        sent.clear();
        let again = frames(&mut sent, &chat);
        assert!(again.len() >= first.len());
        let mut reader = FrameReader::<_, ToEditor>::new(again.as_ref());
        assert_eq!(reader.next().await.unwrap(), Some(whole(&chat)));
    }

    #[tokio::test]
    async fn short_request_is_one_message() {
        let short = Chat { messages: vec![Message::text(Role::User, "Hello")], ..Chat::default() };
        let bytes = frames(&mut SentItems::default(), &short.clone().into());
        assert_eq!(bytes[4], Kind::Json as u8);
        let mut reader = FrameReader::<_, ToEditor>::new(bytes.as_ref());
        assert_eq!(reader.next().await.unwrap(), Some(whole(&short)));
    }

    #[tokio::test]
    async fn oldest_items_are_forgotten_on_both_sides_and_sent_again_when_needed() {
        let mut sent = SentItems::default();
        let long = |number: u64| {
            let text = format!("{number}{}", "x".repeat(MAX_HELD / 8));
            Arc::new(Chat { messages: vec![Message::text(Role::User, text)], ..Chat::default() })
        };
        let mut bytes = Vec::new();
        let numbers = [0, 1, 2, 3, 4, 5, 6, 7, 0, 8, 0, 1];
        let mut lengths = Vec::new();
        for number in numbers {
            let frames = frames(&mut sent, &long(number));
            lengths.push(frames.len() > 1000);
            assert!(sent.bytes <= MAX_HELD + OVERHEAD, "{}", sent.bytes);
            bytes.extend_from_slice(&frames);
        }
        // The last two: one that was used lately, and one that was not.
        assert_eq!(&lengths[8..], [true, true, false, true]);
        let mut reader = FrameReader::<_, ToEditor>::new(bytes.as_slice());
        for number in numbers {
            assert_eq!(reader.next().await.unwrap(), Some(whole(&long(number))));
        }
    }
}
