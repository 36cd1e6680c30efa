//! Reads `generationConfig`.

use serde_json::Value;

use super::{schema, wire};
use crate::conversation::{Options, Output, ThinkingMode};
use crate::dialect::common::option_limits;
use crate::dialect::gemini::repeated::Repeated;
use crate::failure::{Failure, ResultExt, shortened};

/// Returns the options, and whether thinking is shown.
pub fn read(config: wire::GenerationConfig) -> Result<(Options, bool), Failure> {
    read_config(config).map_err(|failure| failure.at_path("generationConfig"))
}

fn read_config(mut config: wire::GenerationConfig) -> Result<(Options, bool), Failure> {
    refuse_what_changes_the_meaning(&config)?;
    let output = read_output(&mut config)?;
    let thinking = config.thinking_config.unwrap_or_default();
    let shows_thoughts = thinking.include_thoughts.unwrap_or_default();
    let (mode, effort) = read_thinking(&thinking).at("thinkingConfig")?;
    let stop = config.stop_sequences.map_or_else(Vec::new, |Repeated(stop)| stop);
    let options = Options {
        temperature: option_limits::within("temperature", config.temperature, 0.0..=2.0)?,
        top_p: option_limits::within("topP", config.top_p, 0.0..=1.0)?,
        frequency_penalty: option_limits::within("frequencyPenalty", config.frequency_penalty, -2.0..=2.0)?,
        presence_penalty: option_limits::within("presencePenalty", config.presence_penalty, -2.0..=2.0)?,
        seed: config.seed,
        max_tokens: option_limits::tokens("maxOutputTokens", config.max_output_tokens)?,
        stop: option_limits::stop("stopSequences", stop)?,
        reasoning_effort: effort,
        thinking: mode,
        output,
        choices: option_limits::choices("candidateCount", config.candidate_count)?,
        ..Options::default()
    };
    Ok((options, shows_thoughts))
}

/// Rejects fields that no model of VS Code can honor and that change the meaning of the response.
fn refuse_what_changes_the_meaning(config: &wire::GenerationConfig) -> Result<(), Failure> {
    if config.response_logprobs == Some(true) {
        return Err(Failure::unsupported("responseLogprobs", option_limits::NO_PROBABILITIES));
    }
    if config.logprobs.is_some_and(|number| number > 0) {
        return Err(Failure::unsupported("logprobs", option_limits::NO_PROBABILITIES));
    }
    let modalities = config.response_modalities.iter().flat_map(|Repeated(modalities)| modalities);
    let is_text = |modality: &str| {
        modality.is_empty()
            || ["text", "modality_unspecified"].iter().any(|text| modality.eq_ignore_ascii_case(text))
    };
    if let Some((index, modality)) = modalities.enumerate().find(|(_, modality)| !is_text(modality)) {
        return Err(Failure::unsupported(
            format!("responseModalities[{index}]"),
            format!("`{}` is not available: VS Code's models respond with text", shortened(modality)),
        ));
    }
    for (name, format) in config
        .response_format
        .iter()
        .flat_map(|format| [("responseFormat.audio", &format.audio), ("responseFormat.image", &format.image)])
    {
        if format.is_some() {
            return Err(Failure::unsupported(name, "VS Code's models respond with text"));
        }
    }
    Ok(())
}

fn read_output(config: &mut wire::GenerationConfig) -> Result<Output, Failure> {
    let text = config.response_format.take().and_then(|format| format.text);
    let (at, mime, schema) = if let Some(wire::TextFormat { mime_type, schema }) = text {
        ("responseFormat.text.mimeType", mime_type, schema.map(schema::to_json_schema))
    } else {
        let own_form = config.response_schema.take().map(schema::to_json_schema);
        let schema = config.response_json_schema.take().map(Value::Object).or(own_form);
        ("responseMimeType", config.response_mime_type.take(), schema)
    };
    match (mime.as_deref().unwrap_or_default(), schema) {
        ("application/json" | "APPLICATION_JSON", None) => Ok(Output::Json),
        ("application/json" | "APPLICATION_JSON" | "" | "MIME_TYPE_UNSPECIFIED", Some(schema)) => {
            Ok(Output::Schema { name: "answer".into(), description: None, schema })
        }
        ("" | "text/plain" | "TEXT_PLAIN" | "MIME_TYPE_UNSPECIFIED", None) => Ok(Output::Text),
        ("text/plain" | "TEXT_PLAIN", Some(_)) => {
            Err(Failure::invalid(at, "`text/plain`, but the request has a schema; use `application/json`"))
        }
        ("text/x.enum", _) => Err(Failure::unsupported(
            at,
            "`text/x.enum` is not available; use `application/json` with a schema of an object with that `enum`",
        )),
        (other, _) => Err(Failure::invalid(
            at,
            format!("found `{}`, expected `text/plain` or `application/json`", shortened(other)),
        )),
    }
}

fn read_thinking(thinking: &wire::ThinkingConfig) -> Result<(ThinkingMode, Option<String>), Failure> {
    let level = thinking.thinking_level.as_deref().map(str::to_lowercase);
    let level = level.filter(|level| !level.is_empty() && level != "thinking_level_unspecified");
    match (level, thinking.thinking_budget) {
        (Some(level), _) if level == "none" => Ok((ThinkingMode::Off, None)),
        (Some(level), _) => Ok((ThinkingMode::On, Some(level))),
        (None, Some(0)) => Ok((ThinkingMode::Off, None)),
        (None, Some(-1)) => Ok((ThinkingMode::On, None)),
        (None, Some(budget)) => match u64::try_from(budget) {
            Ok(budget) => Ok((ThinkingMode::On, Some(option_limits::effort_of_budget(budget).into()))),
            Err(_) => Err(Failure::invalid(
                "thinkingBudget",
                format!(
                    "{budget} is out of range, expected -1 for as much as the model likes, or a number from 0"
                ),
            )),
        },
        (None, None) if thinking.include_thoughts == Some(true) => Ok((ThinkingMode::On, None)),
        (None, None) => Ok((ThinkingMode::Unset, None)),
    }
}
