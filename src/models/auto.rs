//! Model `auto`, which Copilot routes to another one, and its tiers. Pure.

use crate::bridge::protocol::ModelInfo;

/// Id of the model.
const ID: &str = "auto";

/// Values of `configuration.tier` that Copilot knows.
pub const TIERS: [&str; 3] = ["efficiency", "balance", "intelligence"];

/// Whether a model is routed to another one by the provider.
pub fn is_auto(model: &ModelInfo) -> bool {
    model.id == ID
}

/// Finds a tier by its name, in any case.
pub fn tier(name: &str) -> Option<&'static str> {
    TIERS.into_iter().find(|tier| tier.eq_ignore_ascii_case(name.trim()))
}

/// Splits `auto:efficiency` or `copilot/auto:efficiency` into the model's name and the tier; `None` for any other name.
pub fn split_tier(requested: &str) -> Option<(&str, &'static str)> {
    let (model, name) = requested.trim().rsplit_once(':')?;
    let id = model.rsplit_once('/').map_or(model, |(_, id)| id);
    if id.eq_ignore_ascii_case(ID) { Some((model, tier(name)?)) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tier_suffix_is_read_for_auto_only() {
        for (requested, expected) in [
            ("auto:efficiency", Some(("auto", "efficiency"))),
            ("Copilot/Auto:Intelligence", Some(("Copilot/Auto", "intelligence"))),
            ("auto", None),
            ("auto:", None),
            ("auto:fast", None),
            ("gpt-5:balance", None),
            ("my-auto:balance", None),
        ] {
            assert_eq!(split_tier(requested), expected, "{requested}");
        }
    }
}
