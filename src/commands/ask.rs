//! The command `ask`: one question to a model; the answer is printed while it comes.

use std::io::{self, BufRead, BufReader, IsTerminal, Read, Write};

use serde_json::{Value, json};

use super::api_client::{ApiClient, ServerError, ServerOption, error_message, read};
use super::terminal;

/// Options of `copilot-proxy ask`.
#[derive(Clone, Debug, clap::Args)]
pub struct AskOptions {
    #[command(flatten)]
    server: ServerOption,

    /// Model to use, by any name that the server understands [default: the server's default model]
    #[arg(long, short, value_name = "NAME")]
    model: Option<String>,

    /// The question; text piped to the command is appended to it
    #[arg(value_name = "TEXT")]
    text: Vec<String>,
}

/// Prints the answer; fails if there is none, or if it ends with an error.
pub fn ask(options: &AskOptions) -> Result<(), ServerError> {
    let piped = if io::stdin().is_terminal() { None } else { Some(io::read_to_string(io::stdin())?) };
    let question = question(&options.text, piped.as_deref()).ok_or(ServerError::NoQuestion)?;
    let mut body = json!({ "stream": true, "messages": [{ "role": "user", "content": question }] });
    if let (Some(model), Some(body)) = (&options.model, body.as_object_mut()) {
        body.insert("model".into(), model.as_str().into());
    }
    let client = ApiClient::new(options.server.base());
    let response = client.stream("/v1/chat/completions", &body).map_err(|error| client.unreachable(error))?;
    if !response.status().is_success() {
        let response = read(response).map_err(|error| client.unreachable(error))?;
        return Err(ServerError::Refused(error_message(&response.body)));
    }
    let events = response.into_body().into_reader();
    terminal::print(|out| write_answer(out, events), ServerError::as_io)
}

/// The question of the command line and of the pipe; `None` if both are empty.
fn question(arguments: &[String], piped: Option<&str>) -> Option<String> {
    let asked = arguments.join(" ");
    let parts = [asked.trim(), piped.unwrap_or_default().trim()];
    let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    (!parts.is_empty()).then(|| parts.join("\n\n"))
}

/// Writes the text of a stream of OpenAI's chunks.
fn write_answer(out: &mut dyn Write, events: impl Read) -> Result<(), ServerError> {
    let mut ends_with_newline = true;
    for line in BufReader::new(events).lines() {
        let line = line?;
        let Some(data) = line.strip_prefix("data: ") else { continue };
        let Ok(chunk) = serde_json::from_str::<Value>(data) else { continue };
        if chunk.get("error").is_some() {
            return Err(ServerError::Refused(error_message(&chunk)));
        }
        let text = chunk.pointer("/choices/0/delta/content").and_then(Value::as_str).unwrap_or_default();
        if !text.is_empty() {
            out.write_all(text.as_bytes())?;
            out.flush()?;
            ends_with_newline = text.ends_with('\n');
        }
    }
    if !ends_with_newline {
        writeln!(out)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(events: &str) -> (String, Result<(), String>) {
        let mut out = Vec::new();
        let result = write_answer(&mut out, events.as_bytes()).map_err(|error| error.to_string());
        (String::from_utf8(out).unwrap(), result)
    }

    #[test]
    fn question_is_of_the_arguments_and_the_pipe() {
        let arguments = ["Explain".to_owned(), "this".to_owned()];
        assert_eq!(question(&arguments, Some("fn main() {}\n")).unwrap(), "Explain this\n\nfn main() {}");
        assert_eq!(question(&arguments, None).unwrap(), "Explain this");
        assert_eq!(question(&[], Some("why?")).unwrap(), "why?");
        assert_eq!(question(&[], Some(" \n")), None);
    }

    #[test]
    fn text_is_written_and_ends_its_line() {
        let events = "data: {\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}\n\n\
                      : ping\n\ndata: {\"choices\":[{\"delta\":{\"content\":\"Hel\"}}]}\n\n\
                      data: {\"choices\":[{\"delta\":{\"content\":\"lo\"}}]}\n\ndata: [DONE]\n\n";
        assert_eq!(answer(events), ("Hello\n".into(), Ok(())));
    }

    #[test]
    fn error_event_fails_the_command() {
        let events = "data: {\"choices\":[{\"delta\":{\"content\":\"Hel\"}}]}\n\n\
                      data: {\"error\":{\"message\":\"the window was closed\"}}\n\n";
        assert_eq!(answer(events), ("Hel".into(), Err("the window was closed".into())));
    }
}
