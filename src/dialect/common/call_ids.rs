//! Calls and their results, paired where clients send them back without an id.

use std::collections::VecDeque;

/// The calls of a history that have no result yet, oldest first.
#[derive(Default)]
pub struct OpenCalls {
    /// Name and id.
    open: VecDeque<(String, String)>,
    made: usize,
}

impl OpenCalls {
    /// A tool is called: under the client's id, else under a new one.
    pub fn called(&mut self, name: &str, id: Option<String>) -> String {
        let id = id.unwrap_or_else(|| self.new_id());
        self.open.push_back((name.to_owned(), id.clone()));
        id
    }

    /// A result comes. Without an id it is that of the oldest call of its name, without either that of the oldest.
    pub fn answered(&mut self, name: Option<&str>, id: Option<String>) -> String {
        let is_meant = |(called, open): &(String, String)| match (&id, name) {
            (Some(id), _) => open == id,
            (None, Some(name)) => called == name,
            (None, None) => true,
        };
        let meant = self.open.iter().position(is_meant).and_then(|position| self.open.remove(position));
        id.or(meant.map(|(_, id)| id)).unwrap_or_else(|| self.new_id())
    }

    fn new_id(&mut self) -> String {
        self.made += 1;
        format!("function_{}", self.made)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_belongs_to_the_oldest_open_call_it_can_be_meant_for() {
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
}
