//! Reads parts: one field of a part tells its kind, and names are in camel case or in snake case.

use serde_json::{Map, Value};

use super::wire;
use crate::conversation::{Content, Part, Thinking, ToolCall, ToolResult};
use crate::dialect::common::body_json::{read_value, shortened};
use crate::dialect::common::media::{self, Unshowable};
use crate::dialect::common::open_calls::OpenCalls;
use crate::dialect::common::placeholders::{
    file_left_out, named_file_left_out, unknown_block, without_base64,
};
use crate::dialect::common::{files, sealed_thinking};
use crate::dialect::gemini::repeated::Repeated;
use crate::failure::{Failure, ResultExt};

/// Fields that say something about a part of any kind. Nothing here depends on them.
const ABOUT_THE_PART: [&str; 8] = [
    "partMetadata",
    "videoMetadata",
    "mediaResolution",
    "mediaProcessing",
    "speechMetadata",
    "documentMetadata",
    "spreadsheetMetadata",
    "audioMetadata",
];

/// State of a history while its parts are read.
#[derive(Default)]
pub struct PartReader {
    calls: OpenCalls,
    /// Thinking of the model that no signature has followed yet.
    thinking: String,
}

impl PartReader {
    /// Reads a part of the user's.
    pub fn of_user(&mut self, part: wire::Part, unshowable: Unshowable) -> Result<Vec<Part>, Failure> {
        let mut part = with_camel_case(part);
        part.remove("thought");
        part.remove("thoughtSignature");
        self.read(part, unshowable)
    }

    /// Reads a part of the model's. A signature belongs to the thinking before it, and may stand on the part after that.
    pub fn of_model(&mut self, part: wire::Part, unshowable: Unshowable) -> Result<Vec<Part>, Failure> {
        let mut part = with_camel_case(part);
        let is_thought = take::<bool>(&mut part, "thought")?.unwrap_or_default();
        let signature = take::<String>(&mut part, "thoughtSignature")?;
        if is_thought && let Some(text) = take::<String>(&mut part, "text")? {
            self.thinking.push_str(&text);
        }
        let read = self.read(part, unshowable)?;
        if signature.is_none() && read.is_empty() {
            return Ok(read);
        }
        let thinking = self.take_thinking(signature.as_deref());
        Ok(thinking.map(Part::Thinking).into_iter().chain(read).collect())
    }

    /// The thinking so far, with its signature.
    pub fn take_thinking(&mut self, signature: Option<&str>) -> Option<Thinking> {
        sealed_thinking::open(std::mem::take(&mut self.thinking), signature)
    }

    fn read(&mut self, part: Map<String, Value>, unshowable: Unshowable) -> Result<Vec<Part>, Failure> {
        let mut read = Vec::new();
        for (kind, value) in part {
            let parts = match kind.as_str() {
                _ if value.is_null() || ABOUT_THE_PART.contains(&kind.as_str()) => continue,
                "functionCall" => read_value(value).map(|call| vec![self.call(call)]),
                "functionResponse" => {
                    read_value(value).and_then(|response| self.result(response)).map(|result| vec![result])
                }
                _ => read_content(&kind, value, unshowable)
                    .map(|content| content.into_iter().map(Part::from).collect()),
            };
            read.extend(parts.at(&kind)?);
        }
        Ok(read)
    }

    fn call(&mut self, call: wire::FunctionCall) -> Part {
        let id = self.calls.called(&call.name, call.id.filter(|id| !id.is_empty()));
        Part::ToolCall(ToolCall { id, name: call.name, input: Value::Object(call.args.unwrap_or_default()) })
    }

    fn result(&mut self, response: wire::FunctionResponse) -> Result<Part, Failure> {
        let id = response.id.filter(|id| !id.is_empty());
        let id = self.calls.answered(response.name.as_deref().filter(|name| !name.is_empty()), id);
        let (text, is_error) = read_response(response.response.unwrap_or_default());
        let mut content: Vec<Content> = text.into_iter().map(|text| Content::Text { text }).collect();
        let parts = response.parts.into_iter().flat_map(|Repeated(parts)| parts);
        for (index, part) in parts.enumerate() {
            for (kind, value) in with_camel_case(part) {
                let at = format_args!("parts[{index}].{kind}");
                content.extend(read_content(&kind, value, Unshowable::Describe).at(at)?);
            }
        }
        Ok(Part::ToolResult(ToolResult { id, content, is_error }))
    }
}

/// The text of a function's response, and whether it is an error. The API's names for the two are `output` and `error`;
/// its SDKs write `result`. Any other object is the output itself.
fn read_response(mut response: Map<String, Value>) -> (Option<String>, bool) {
    let is_error = response.len() == 1 && response.get("error").is_some_and(|error| !error.is_null());
    let names = ["output", "result", "error"];
    let name = names.into_iter().find(|name| response.len() == 1 && response.contains_key(*name));
    let output = match name.and_then(|name| response.remove(name)) {
        Some(output) => output,
        None if response.is_empty() => return (None, false),
        None => Value::Object(response),
    };
    let text = match output {
        Value::String(text) => text,
        Value::Null => String::new(),
        output => output.to_string(),
    };
    (Some(text).filter(|text| !text.is_empty()), is_error)
}

/// Reads a part of the system instruction.
pub fn read_system(part: wire::Part) -> Result<Vec<Part>, Failure> {
    PartReader::default().of_user(part, Unshowable::Describe)
}

/// Reads the content of a part of this kind.
fn read_content(kind: &str, value: Value, unshowable: Unshowable) -> Result<Option<Content>, Failure> {
    let content = |text: String| Content::Text { text };
    match kind {
        "text" => Ok(Some(read_value::<String>(value)?).filter(|text| !text.is_empty()).map(content)),
        "inlineData" => read_blob(read_value(value)?, unshowable).map(Some),
        "fileData" => {
            let file = read_value::<wire::FileData>(value)?.file_uri.unwrap_or_default();
            let reason = Failure::unsupported(
                "",
                "no files are kept here and nothing is fetched from the network; send the content as `inlineData`",
            );
            unshowable.or_placeholder(reason, || named_file_left_out("file", &file)).map(Some)
        }
        "executableCode" => {
            let wire::ExecutableCode { language, code } = read_value(value)?;
            let language = language.unwrap_or_default().to_lowercase();
            let code = code.unwrap_or_default();
            Ok(Some(content(format!("[code that was run]\n```{}\n{code}\n```", shortened(&language)))))
        }
        "codeExecutionResult" => {
            let wire::CodeExecutionResult { outcome, output } = read_value(value)?;
            let outcome = outcome.unwrap_or_default();
            let output = output.unwrap_or_default();
            Ok(Some(content(format!("[result of the code: {}]\n{output}", shortened(&outcome)))))
        }
        // Of tools that ran in Google's own service.
        "toolCall" | "toolResponse" => Ok(Some(content(format!("[{kind}: {}]", without_base64(value))))),
        _ => {
            let expected = "`text`, `inlineData`, `functionCall` or `functionResponse`";
            let reason = Failure::invalid("", format!("unknown kind of part, expected {expected}"));
            let placeholder = || match value {
                Value::Object(fields) => unknown_block(kind, fields),
                other => format!("[{}: {}]", shortened(kind), without_base64(other)),
            };
            unshowable.or_placeholder(reason, placeholder).map(Some)
        }
    }
}

/// Reads bytes: images as such, other files as their text.
fn read_blob(blob: wire::Blob, unshowable: Unshowable) -> Result<Content, Failure> {
    let mime = blob.mime_type.unwrap_or_default();
    // Google's SDKs send the alphabet of URLs.
    let base64 = blob.data.replace('-', "+").replace('_', "/");
    if mime.trim().to_ascii_lowercase().starts_with("image/") {
        return unshowable.image(&mime, &base64).at("data");
    }
    let name = blob.display_name.filter(|name| !name.is_empty());
    match media::data(&mime, &base64).at("data") {
        Ok(file) => files::read(file, "file", name.as_deref(), unshowable).at("mimeType"),
        Err(reason) => unshowable.or_placeholder(reason, || file_left_out("file", &mime, None)),
    }
}

/// Takes a field of this type out of a part; null is an absent one.
fn take<T: serde::de::DeserializeOwned>(
    part: &mut Map<String, Value>,
    name: &str,
) -> Result<Option<T>, Failure> {
    match part.shift_remove(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => read_value::<T>(value).map(Some).at(name),
    }
}

/// The fields with their names in camel case.
fn with_camel_case(part: wire::Part) -> Map<String, Value> {
    part.into_iter().map(|(name, value)| (camel_case(name), value)).collect()
}

/// `inline_data` as `inlineData`.
pub fn camel_case(name: String) -> String {
    if !name.contains('_') {
        return name;
    }
    let mut words = name.split('_').filter(|word| !word.is_empty());
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |mut joined, word| {
        let mut letters = word.chars();
        joined.extend(letters.next().map(|letter| letter.to_ascii_uppercase()));
        joined.push_str(letters.as_str());
        joined
    })
}
