//! Calls and their results, paired where clients send them back without an id.

use std::collections::{BTreeMap, HashMap, VecDeque};

/// The calls of a history that have no result yet. Finding one takes the same time however many there are.
#[derive(Default)]
pub struct OpenCalls {
    /// Id by number, oldest first.
    open: BTreeMap<usize, String>,
    /// Numbers by name; may have calls that are no longer open.
    by_name: HashMap<String, VecDeque<usize>>,
    /// Numbers by id; may have calls that are no longer open.
    by_id: HashMap<String, VecDeque<usize>>,
    calls: usize,
    made: usize,
}

impl OpenCalls {
    /// A tool is called: under the client's id, else under a new one.
    pub fn called(&mut self, name: &str, id: Option<String>) -> String {
        let id = id.unwrap_or_else(|| self.new_id());
        self.calls += 1;
        self.open.insert(self.calls, id.clone());
        self.by_name.entry(name.to_owned()).or_default().push_back(self.calls);
        self.by_id.entry(id.clone()).or_default().push_back(self.calls);
        id
    }

    /// A result comes. Without an id it is that of the oldest call of its name, without either that of the oldest.
    pub fn answered(&mut self, name: Option<&str>, id: Option<String>) -> String {
        let number = match (&id, name) {
            (Some(id), _) => oldest(self.by_id.get_mut(id), &self.open),
            (None, Some(name)) => oldest(self.by_name.get_mut(name), &self.open),
            (None, None) => self.open.keys().next().copied(),
        };
        let meant = number.and_then(|number| self.open.remove(&number));
        id.or(meant).unwrap_or_else(|| self.new_id())
    }

    fn new_id(&mut self) -> String {
        self.made += 1;
        format!("function_{}", self.made)
    }
}

/// Takes numbers until one is of an open call.
fn oldest(numbers: Option<&mut VecDeque<usize>>, open: &BTreeMap<usize, String>) -> Option<usize> {
    let numbers = numbers?;
    std::iter::from_fn(|| numbers.pop_front()).find(|number| open.contains_key(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn result_belongs_to_the_oldest_matching_open_call() {
        let mut calls = OpenCalls::default();
        let ids = [("a", None), ("b", None), ("a", Some("own")), ("c", None)]
            .map(|(name, id)| calls.called(name, id.map(str::to_owned)));
        assert_eq!(ids, ["function_1", "function_2", "own", "function_3"]);
        let answered = [
            (Some("a"), None),
            (Some("a"), Some("function_3")),
            (Some("a"), None),
            (None, None),
            (None, None),
            (Some("a"), Some("stranger")),
        ]
        .map(|(name, id)| calls.answered(name, id.map(str::to_owned)));
        assert_eq!(answered, ["function_1", "function_3", "own", "function_2", "function_4", "stranger"]);
    }

    #[test]
    fn work_is_linear_in_the_calls() {
        let mut calls = OpenCalls::default();
        for _ in 0..300_000 {
            calls.called("a", None);
        }
        for number in 1..=300_000 {
            assert_eq!(calls.answered(Some("b"), None), format!("function_{}", 300_000 + number));
            assert_eq!(calls.answered(Some("a"), None), format!("function_{number}"));
        }
    }
}
