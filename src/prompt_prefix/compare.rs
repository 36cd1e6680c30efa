//! The first difference between two requests of a conversation. Pure.

use super::fingerprint::{BLOCK, Fingerprint, MessageHash, SystemHash, ToolHash};
use super::prefix_break::{PrefixBreak, ToolChange};

/// The common prefix of two requests.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct CommonPrefix {
    /// Its part of the shorter request, from 0 to 1.
    pub kept: f64,
    /// The change that ends it; none if one request is the beginning of the other.
    pub broken_by: Option<PrefixBreak>,
}

/// Compares a request with the one before it. Of both, the shorter one could have been common: a client that goes back in a
/// conversation loses nothing.
pub(super) fn compare(before: &Fingerprint, now: &Fingerprint) -> CommonPrefix {
    let (tools, broken_by) = common_tools(&before.tools, &now.tools);
    let (weight, broken_by) = match broken_by {
        Some(change) => (tools, Some(change)),
        None => match common_system(before.system.as_ref(), now.system.as_ref()) {
            (system, Some(change)) => (tools + system, Some(change)),
            (system, None) => {
                let (messages, change) = common_messages(&before.messages, &now.messages);
                (tools + system + messages, change)
            }
        },
    };
    let possible = before.weight().min(now.weight());
    let kept = if possible == 0 || broken_by.is_none() { 1.0 } else { share(weight, possible) };
    CommonPrefix { kept, broken_by }
}

#[expect(clippy::cast_precision_loss, reason = "a share needs no more")]
fn share(part: u64, whole: u64) -> f64 {
    (part as f64 / whole as f64).min(1.0)
}

/// Weight of the tools up to the first change, and that change.
fn common_tools(before: &[ToolHash], now: &[ToolHash]) -> (u64, Option<PrefixBreak>) {
    let same = before.iter().zip(now).take_while(|(before, now)| before == now).count();
    let weight = now.iter().take(same).map(|tool| tool.weight).sum();
    let is_in = |tools: &[ToolHash], tool: &ToolHash| tools.iter().any(|other| other.name == tool.name);
    let (tool, change) = match (before.get(same), now.get(same)) {
        (None, None) => return (weight, None),
        (Some(removed), None) => (removed, ToolChange::Removed),
        (None, Some(added)) => (added, ToolChange::Added),
        (Some(before), Some(now)) if before.name == now.name && before.description != now.description => {
            (now, ToolChange::Description)
        }
        (Some(before), Some(now)) if before.name == now.name => (now, ToolChange::Parameters),
        (Some(_), Some(added)) if !is_in(before, added) => (added, ToolChange::Added),
        (Some(removed), Some(_)) if !is_in(now, removed) => (removed, ToolChange::Removed),
        (Some(_), Some(moved)) => (moved, ToolChange::Moved),
    };
    (weight, Some(PrefixBreak::Tool { name: tool.name.to_string(), change }))
}

/// Weight of the system text up to its first change, and that change.
fn common_system(before: Option<&SystemHash>, now: Option<&SystemHash>) -> (u64, Option<PrefixBreak>) {
    let weight = now.map_or(0, |system| system.whole.weight);
    if before.map(|system| system.whole) == now.map(|system| system.whole) {
        return (weight, None);
    }
    let same = blocks(before).iter().zip(blocks(now)).take_while(|(before, now)| before == now).count();
    let change = PrefixBreak::SystemText { character: same * BLOCK + 1 };
    // A character is a byte at least.
    (weight.min((same * BLOCK) as u64), Some(change))
}

fn blocks(system: Option<&SystemHash>) -> &[u32] {
    system.map(|system| system.blocks.as_slice()).unwrap_or_default()
}

/// Weight of the messages up to the first change, and that change.
fn common_messages(before: &[MessageHash], now: &[MessageHash]) -> (u64, Option<PrefixBreak>) {
    let same = common(before, now);
    let weight = now.iter().take(same).map(|message| message.weight).sum();
    let (gone, come) = (before.get(same..).unwrap_or_default(), now.get(same..).unwrap_or_default());
    if gone.is_empty() || come.is_empty() {
        return (weight, None);
    }
    let number = same + 1;
    // The text after the change tells its kind.
    let follows = |gone: Option<&MessageHash>, come: Option<&MessageHash>| gone.is_some() && gone == come;
    let change = if follows(gone.get(1), come.get(1)) {
        PrefixBreak::MessageEdited { number }
    } else if follows(gone.get(1), come.first()) {
        PrefixBreak::MessageRemoved { number }
    } else if follows(gone.first(), come.get(1)) {
        PrefixBreak::MessageInserted { number }
    } else if come.len() < gone.len() {
        PrefixBreak::Compaction { first: number, last: before.len(), by: come.len() }
    } else {
        PrefixBreak::MessageEdited { number }
    };
    (weight, Some(change))
}

/// Number of messages at the beginning that are the same.
pub(super) fn common(before: &[MessageHash], now: &[MessageHash]) -> usize {
    before.iter().zip(now).take_while(|(before, now)| before == now).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(hashes: &[u64]) -> Fingerprint {
        let message =
            |hash: &u64| MessageHash { is_of_model: hash.is_multiple_of(2), hash: *hash, weight: 10 };
        Fingerprint { messages: hashes.iter().map(message).collect(), ..Fingerprint::default() }
    }

    fn change(before: &[u64], now: &[u64]) -> (f64, Option<String>) {
        let CommonPrefix { kept, broken_by } = compare(&messages(before), &messages(now));
        (kept, broken_by.map(|change| change.to_string()))
    }

    #[test]
    fn request_that_is_the_beginning_of_the_other_keeps_all() {
        for (before, now) in [(&[1, 2, 3][..], &[1, 2, 3, 4, 5][..]), (&[1, 2, 3], &[1]), (&[1], &[1])] {
            assert_eq!(change(before, now), (1.0, None), "{before:?} {now:?}");
        }
    }

    #[test]
    fn first_change_of_messages_is_told_by_what_follows() {
        for (before, now, kept, expected) in [
            (&[1, 2, 3, 4][..], &[1, 9, 3, 4, 5][..], 0.25, "message edited: 2"),
            (&[1, 2, 3, 4], &[1, 3, 4, 5], 0.25, "message removed: 2"),
            (&[1, 2, 3, 4], &[1, 9, 2, 3, 4], 0.25, "message inserted: 2"),
            (&[1, 2, 3, 4], &[9, 5], 0.0, "compaction: messages 1 to 4 became 2"),
            (&[1, 2, 3, 4], &[1, 2, 9], 2.0 / 3.0, "compaction: messages 3 to 4 became 1"),
            (&[1, 2, 3], &[1, 2, 9], 2.0 / 3.0, "message edited: 3"),
        ] {
            assert_eq!(change(before, now), (kept, Some(expected.into())), "{before:?} {now:?}");
        }
    }

    fn tools(names: &[&str]) -> Vec<ToolHash> {
        let tool = |name: &&str| ToolHash { name: (*name).into(), description: 1, parameters: 1, weight: 10 };
        names.iter().map(tool).collect()
    }

    #[test]
    fn first_change_of_tools_is_named() {
        for (before, now, weight, expected) in [
            (&["a", "b"][..], &["a", "b"][..], 20, None),
            (&["a", "b"], &["a", "b", "c"], 20, Some("tool added: c")),
            (&["a", "b"], &["c", "a", "b"], 0, Some("tool added: c")),
            (&["a", "b"], &["a"], 10, Some("tool removed: b")),
            (&["a", "b", "c"], &["a", "c"], 10, Some("tool removed: b")),
            (&["a", "b", "c"], &["a", "c", "b"], 10, Some("tool moved: c")),
        ] {
            let (kept, change) = common_tools(&tools(before), &tools(now));
            let change = change.map(|change| change.to_string());
            assert_eq!((kept, change.as_deref()), (weight, expected), "{before:?} {now:?}");
        }
    }
}
