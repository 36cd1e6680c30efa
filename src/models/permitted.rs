//! The models that a client may use: its key may permit some only. Pure.

use std::sync::Arc;

use super::auto::split_tier;
use super::resolve::{ModelEntry, resolve, resolve_to_nearest, with_tier};
use crate::failure::{Failure, shortened};
use crate::keys::ClientIdentity;

/// A name in a request, and what it may mean.
pub(super) struct RequestedName<'a> {
    /// Absent for the default model.
    pub name: Option<&'a str>,
    /// The user's default model; empty if none is set.
    pub default_model: &'a str,
    /// Whether an unknown name means the most similar model.
    pub nearest_if_unknown: bool,
}

/// Finds the model that a name means, among those that the client's key permits. A name that fits several models means
/// a permitted one; the id of another one, or a name that fits no permitted one, is refused.
pub(super) fn find_permitted(
    requested: &RequestedName<'_>,
    client: &ClientIdentity,
    models: &Arc<[ModelEntry]>,
) -> Result<ModelEntry, Failure> {
    let find = |models: &[ModelEntry]| {
        let RequestedName { name, default_model, nearest_if_unknown } = *requested;
        let resolve = if nearest_if_unknown { resolve_to_nearest } else { resolve };
        with_tier(name, default_model, models).or_else(|| resolve(name, default_model, models).cloned())
    };
    let allows = |id: &str| {
        let base = split_tier(id).map(|(base, _)| base);
        [Some(id), base].into_iter().flatten().any(|id| client.allows_model(id))
    };
    let permitted = permitted(models, client);
    let name = requested.name.unwrap_or_default();
    let named = models.iter().find(|entry| entry.id == name);
    let forbidden = named.filter(|entry| !allows(&entry.id)).cloned();
    if forbidden.is_none()
        && let Some(found) = find(&permitted).filter(|found| allows(&found.id))
    {
        return Ok(found);
    }
    Err(match forbidden.or_else(|| find(models)) {
        Some(forbidden) => Failure::ModelNotAllowed {
            key: client.key_name().unwrap_or_default().to_owned(),
            model: forbidden.id,
            allowed: client.models().to_vec(),
        },
        None => Failure::UnknownModel {
            requested: shortened(name),
            known: permitted.iter().map(|entry| entry.id.clone()).collect(),
        },
    })
}

/// The models that a client may use.
pub fn permitted(models: &Arc<[ModelEntry]>, client: &ClientIdentity) -> Arc<[ModelEntry]> {
    if client.models().is_empty() {
        return models.clone();
    }
    models.iter().filter(|entry| client.allows_model(&entry.id)).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bridge::protocol::ModelInfo;
    use crate::keys::{Key, KeyKind, KeyLimits};

    fn found(requested: &str, nearest_if_unknown: bool) -> Result<String, String> {
        let entry = |id: &str| ModelEntry {
            id: id.into(),
            model: Arc::new(ModelInfo {
                vendor: "copilot".into(),
                id: id.into(),
                family: id.into(),
                ..ModelInfo::default()
            }),
        };
        let models = ["gpt-5", "claude-sonnet-4.5", "claude-sonnet-4.6"].map(entry).into();
        let key = Key {
            name: "ci".into(),
            kind: KeyKind::Person,
            models: vec!["claude-sonnet-4.5".into()],
            may_use_tools: true,
            limits: KeyLimits::default(),
        };
        let name = (!requested.is_empty()).then_some(requested);
        let requested = RequestedName { name, default_model: "gpt-5", nearest_if_unknown };
        find_permitted(&requested, &ClientIdentity::of(Arc::new(key)), &models)
            .map(|entry| entry.id)
            .map_err(|failure| failure.to_string())
    }

    #[test]
    fn name_that_fits_several_models_means_a_permitted_one() {
        for name in ["claude-sonnet-4.5", "sonnet", ""] {
            assert_eq!(found(name, false).as_deref(), Ok("claude-sonnet-4.5"), "{name}");
        }
        let forbidden = |model: &str| {
            format!("the key `ci` may not use the model `{model}`; it may use: claude-sonnet-4.5")
        };
        assert_eq!(found("gpt-5", false), Err(forbidden("gpt-5")));
        assert_eq!(found("gpt", false), Err(forbidden("gpt-5")));
        assert_eq!(found("claude-sonnet-4.6", true), Err(forbidden("claude-sonnet-4.6")));
        assert_eq!(
            found("gemini", false).unwrap_err(),
            "the model `gemini` does not exist; available: claude-sonnet-4.5"
        );
    }
}
