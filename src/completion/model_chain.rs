//! The models that a request names, in the order in which they are asked. Pure.

use std::iter::once;

/// A model as a client or the user named it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestedModel {
    /// The name; absent = the default model.
    pub name: Option<String>,
    /// Whether an unknown name resolves to the nearest model instead of failing.
    pub nearest_if_unknown: bool,
}

impl RequestedModel {
    fn exact(name: String) -> RequestedModel {
        RequestedModel { name: Some(name), nearest_if_unknown: false }
    }
}

/// One model, and those that are asked in its place when it can't respond.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ModelChain {
    first: RequestedModel,
    fallbacks: Vec<RequestedModel>,
}

impl ModelChain {
    /// The chain of a request. The models that it lists itself (`listed`) follow its `model`, or are the whole chain if it
    /// names none; without a list the user's fallbacks follow. `nearest_if_unknown` is the dialect's rule for names that
    /// no model has: where the request lists other models, these come before a guess.
    pub fn new(
        model: Option<String>,
        listed: Option<Vec<String>>,
        of_the_user: &[String],
        nearest_if_unknown: bool,
    ) -> ModelChain {
        let Some(listed) = listed else {
            let fallbacks = of_the_user.iter().map(|name| name.trim()).filter(|name| !name.is_empty());
            return ModelChain {
                first: RequestedModel { name: model, nearest_if_unknown },
                fallbacks: fallbacks.map(|name| RequestedModel::exact(name.to_owned())).collect(),
            };
        };
        let mut names = model.into_iter().chain(listed);
        let first = names.next();
        let mut fallbacks: Vec<RequestedModel> = names.map(RequestedModel::exact).collect();
        let guess = RequestedModel { name: first.clone(), nearest_if_unknown };
        if fallbacks.is_empty() || !nearest_if_unknown {
            return ModelChain { first: guess, fallbacks };
        }
        fallbacks.push(guess);
        ModelChain { first: RequestedModel { name: first, nearest_if_unknown: false }, fallbacks }
    }

    /// A chain of one model; an absent name means the default model.
    pub fn only(name: Option<String>, nearest_if_unknown: bool) -> ModelChain {
        ModelChain { first: RequestedModel { name, nearest_if_unknown }, fallbacks: Vec::new() }
    }

    /// The name of the model that is asked first, as the client wrote it.
    pub fn first_name(&self) -> Option<&str> {
        self.first.name.as_deref()
    }

    /// The models in their order; never empty.
    pub fn iter(&self) -> impl Iterator<Item = &RequestedModel> {
        once(&self.first).chain(&self.fallbacks)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain(model: Option<&str>, listed: Option<&[&str]>, user: &[&str], nearest: bool) -> Vec<String> {
        let owned = |names: &[&str]| -> Vec<String> { names.iter().map(|name| (*name).to_owned()).collect() };
        let chain = ModelChain::new(model.map(str::to_owned), listed.map(owned), &owned(user), nearest);
        let shown = |model: &RequestedModel| {
            let name = model.name.as_deref().unwrap_or("default");
            if model.nearest_if_unknown { format!("~{name}") } else { name.to_owned() }
        };
        chain.iter().map(shown).collect()
    }

    #[test]
    fn users_fallbacks_follow_a_request_without_a_list() {
        assert_eq!(chain(Some("a"), None, &["b", " ", "c "], false), ["a", "b", "c"]);
        assert_eq!(chain(None, None, &["b"], true), ["~default", "b"]);
    }

    #[test]
    fn list_of_the_request_replaces_the_users() {
        assert_eq!(chain(Some("a"), Some(&["b", "c"]), &["d"], false), ["a", "b", "c"]);
        assert_eq!(chain(None, Some(&["b", "c"]), &["d"], false), ["b", "c"]);
        assert_eq!(chain(Some("a"), Some(&[]), &["d"], true), ["~a"]);
        assert_eq!(chain(None, Some(&[]), &["d"], false), ["default"]);
    }

    #[test]
    fn listed_models_come_before_the_nearest_one() {
        assert_eq!(chain(Some("a"), Some(&["b"]), &[], true), ["a", "b", "~a"]);
    }
}
