//! The command `models`: the models that a running server lists, with limits and prices.

use std::io::{self, Write};

use serde_json::Value;

use super::api_client::{ApiClient, ServerError, ServerOption};
use super::terminal::{self, cut};

/// Options of `copilot-proxy models`.
#[derive(Clone, Debug, clap::Args)]
pub struct ModelsOptions {
    #[command(flatten)]
    server: ServerOption,

    /// Print what `GET /v1/models` returns
    #[arg(long)]
    json: bool,
}

/// Prints the models; fails if no server answers.
pub fn models(options: &ModelsOptions) -> Result<(), ServerError> {
    let list = ApiClient::new(options.server.base()).models_json()?;
    terminal::print(|out| write_models(out, &list, options.json), ServerError::as_io)
}

fn write_models(out: &mut dyn Write, list: &Value, json: bool) -> Result<(), ServerError> {
    if json {
        serde_json::to_writer_pretty(&mut *out, list).map_err(io::Error::from)?;
        return Ok(writeln!(out)?);
    }
    let models = list.get("data").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    if models.is_empty() {
        return Ok(writeln!(out, "No models. Run `copilot-proxy doctor` to see why.")?);
    }
    writeln!(out, "{:<MAX_ID$} {:>9} {:>16}  can read", "model", "context", "credits per M")?;
    for model in models {
        let id = model.get("id").and_then(Value::as_str).unwrap_or_default();
        let context = model.get("context_length").and_then(Value::as_u64).map(|tokens| tokens.to_string());
        let images = model.pointer("/capabilities/imageInput").and_then(Value::as_bool).unwrap_or(false);
        writeln!(
            out,
            "{:<MAX_ID$} {:>9} {:>16}  {}",
            cut(id, MAX_ID),
            context.unwrap_or_default(),
            price(model.get("copilot_pricing")),
            if images { "text, images" } else { "text" },
        )?;
    }
    Ok(())
}

/// Longest id that is shown, in characters.
const MAX_ID: usize = 40;

/// Prices of input and output, or a multiplier; empty where the editor tells none.
fn price(pricing: Option<&Value>) -> String {
    let number = |name: &str| pricing?.get(name)?.as_f64();
    match (number("input"), number("output"), number("multiplier")) {
        (Some(input), Some(output), _) => format!("{input} / {output}"),
        (_, _, Some(multiplier)) => format!("{multiplier}x"),
        (_, _, None) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn limits_and_prices_are_shown_where_the_editor_tells_them() {
        let list = json!({ "data": [
            { "id": "a", "context_length": 128_000, "capabilities": { "imageInput": true },
              "copilot_pricing": { "input": 300, "output": 1500 } },
            { "id": "b", "capabilities": { "imageInput": null }, "copilot_pricing": { "multiplier": 0.33 } },
            { "id": "c" },
        ] });
        let mut out = Vec::new();
        write_models(&mut out, &list, false).unwrap();
        let written = String::from_utf8(out).unwrap();
        let rows: Vec<Vec<&str>> = written.lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(rows[1], ["a", "128000", "300", "/", "1500", "text,", "images"]);
        assert_eq!(rows[2], ["b", "0.33x", "text"]);
        assert_eq!(rows[3], ["c", "text"]);
    }
}
