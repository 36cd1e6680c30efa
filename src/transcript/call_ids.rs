//! Ids of tool calls that every service behind the editor takes: OpenAI's chat API refuses ids of more than 40
//! characters, Anthropic's those with other characters than letters, digits, `_` and `-`.

use std::collections::{HashMap, HashSet};

/// The longest id that all services take.
const LONGEST: usize = 40;

/// Gives each call of a transcript an id of its own. An id depends on the client's id and on the calls before it alone,
/// so that it is the same in each later turn.
#[derive(Debug, Default)]
pub struct CallIds {
    given: HashSet<String>,
    /// Number of calls so far by the client's id.
    uses: HashMap<String, u32>,
}

impl CallIds {
    /// The id of the next call: the client's own where it is legal and new.
    pub fn next(&mut self, id: String) -> String {
        let uses = self.uses.entry(id.clone()).or_default();
        *uses += 1;
        if *uses == 1 && is_legal(&id) && self.given.insert(id.clone()) {
            return id;
        }
        let mut number = *uses;
        loop {
            let candidate = derived(&id, number);
            if self.given.insert(candidate.clone()) {
                return candidate;
            }
            number += 1;
        }
    }
}

/// Whether all services take an id as it is.
fn is_legal(id: &str) -> bool {
    (1..=LONGEST).contains(&id.len()) && id.chars().all(is_word)
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '-'
}

/// A legal id made of the beginning of another and a hash of the whole, which a client's own id never equals by chance:
/// else a call of a later turn would find its id taken.
fn derived(id: &str, number: u32) -> String {
    let suffix = format!("_{:016x}", fnv1a(id.bytes().chain(number.to_le_bytes())));
    let base = if id.is_empty() { "call" } else { id };
    let base = base.chars().take(LONGEST - suffix.len()).map(|c| if is_word(c) { c } else { '_' });
    base.collect::<String>() + &suffix
}

/// The 64-bit FNV-1a hash: the same in every version and on every machine.
fn fnv1a(bytes: impl Iterator<Item = u8>) -> u64 {
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ids(wanted: &[&str]) -> Vec<String> {
        let mut ids = CallIds::default();
        wanted.iter().map(|id| ids.next((*id).to_owned())).collect()
    }

    #[test]
    fn legal_ids_stay_and_others_are_rewritten() {
        let long = "x".repeat(41);
        assert_eq!(
            ids(&["call_1", "toolu-A", "functions.f:0", "", &long, &"y".repeat(40)]),
            [
                "call_1",
                "toolu-A",
                "functions_f_0_f35479bd73cf0bc9",
                "call_ad2aca7747985764",
                "xxxxxxxxxxxxxxxxxxxxxxx_340d943b070c1386",
                &"y".repeat(40),
            ]
        );
    }

    #[test]
    fn reused_id_does_not_change_others() {
        let [first, second, third, other] = ids(&["1", "1", "1", "1_2"]).try_into().unwrap();
        assert_eq!((first.as_str(), other.as_str()), ("1", "1_2"));
        assert!(second.starts_with("1_") && third.starts_with("1_") && second != third, "{second} {third}");
    }

    proptest! {
        #[test]
        fn ids_are_legal_distinct_and_the_same_in_a_later_turn(
            wanted in prop::collection::vec("[a1:]{0,2}|\\PC{0,60}", 0..20),
            turn in 0usize..20,
        ) {
            let wanted: Vec<&str> = wanted.iter().map(String::as_str).collect();
            let found = ids(&wanted);
            prop_assert!(found.iter().all(|id| is_legal(id)), "{found:?}");
            prop_assert_eq!(found.iter().collect::<HashSet<_>>().len(), found.len());
            let turn = turn.min(wanted.len());
            prop_assert_eq!(&ids(&wanted[..turn])[..], &found[..turn]);
        }
    }
}
