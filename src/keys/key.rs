//! A valid key: its name and what it permits, never its text.

use wildmatch::WildMatch;

/// Origin of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// Made by the user in VS Code. Any key of this kind makes keys necessary.
    Person,
    /// Made for a program that `copilot-proxy run` started; valid while the program runs.
    Run,
    /// Made for a client that `copilot-proxy setup` configured.
    Setup,
}

/// Limits on what a key may spend. Absent fields don't limit.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct KeyLimits {
    /// Credits that it may spend in all.
    pub max_credits: Option<f64>,
    /// Credits that it may spend in a day, in local time.
    pub credits_per_day: Option<f64>,
    /// Credits that it may spend in a month, in UTC as the provider bills.
    pub credits_per_month: Option<f64>,
}

/// A valid key.
#[derive(Clone, Debug, PartialEq)]
pub struct Key {
    /// Name in the log, the panel and the usage database; unique among the valid keys of a kind.
    pub name: String,
    /// Origin of the key.
    pub kind: KeyKind,
    /// Patterns (`*`, `?`) of the models that it may use; empty for all.
    pub models: Vec<String>,
    /// Whether it may see and run the editor's tools.
    pub may_use_tools: bool,
    /// Limits on what it may spend.
    pub limits: KeyLimits,
}

impl Key {
    /// Whether it may use the model with this id.
    pub fn allows_model(&self, id: &str) -> bool {
        let matches = |pattern: &String| WildMatch::new_case_insensitive(pattern).matches(id);
        self.models.is_empty() || self.models.iter().any(matches)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_select_models_by_their_whole_id() {
        let key = |models: &[&str]| Key {
            name: "a".into(),
            kind: KeyKind::Person,
            models: models.iter().map(|&pattern| pattern.to_owned()).collect(),
            may_use_tools: true,
            limits: KeyLimits::default(),
        };
        assert!(key(&[]).allows_model("gpt-4o"));
        let claude = key(&["Claude-*", "gpt-5?mini"]);
        for (id, allowed) in
            [("claude-sonnet-4", true), ("gpt-5-mini", true), ("gpt-5-mini-2", false), ("my-claude-1", false)]
        {
            assert_eq!(claude.allows_model(id), allowed, "{id}");
        }
    }
}
