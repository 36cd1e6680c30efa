//! The model and the method of a request, which are in its path: `/v1beta/models/{model}:{method}`.

use percent_encoding::percent_decode_str;

use super::{StreamForm, models};
use crate::dialect::RequestHead;

/// A call of the API.
#[derive(Debug, PartialEq)]
pub struct Call {
    /// Name of the model; absent = the default model.
    pub model: Option<String>,
    /// Whether the response is a stream.
    pub streams: bool,
    /// Form of the stream.
    pub form: StreamForm,
}

impl Call {
    /// Reads the path and the query of a request.
    pub fn of(head: &RequestHead) -> Call {
        let path = percent_decode_str(&head.path).decode_utf8_lossy();
        let (_, name) = path.split_once("/models/").unwrap_or_default();
        let (name, method) = name.rsplit_once(':').unwrap_or((name, ""));
        let is_sse =
            head.query.split('&').any(|field| matches!(field, "alt=sse" | "$alt=sse" | "%24alt=sse"));
        Call {
            model: model_name(name),
            streams: method == "streamGenerateContent",
            form: if is_sse { StreamForm::ServerSentEvents } else { StreamForm::JsonArray },
        }
    }
}

/// A model by its resource name or its id.
pub fn model_name(name: &str) -> Option<String> {
    Some(models::id(name).to_owned()).filter(|id| !id.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_names_model_and_method_and_query_the_form() {
        let sse = StreamForm::ServerSentEvents;
        for (path, query, model, streams, form) in [
            (
                "/v1beta/models/gemini-2.5-pro:generateContent",
                "",
                "gemini-2.5-pro",
                false,
                StreamForm::JsonArray,
            ),
            ("/v1/models/a:streamGenerateContent", "key=b&alt=sse", "a", true, sse),
            ("/models/a:streamGenerateContent", "alt=json", "a", true, StreamForm::JsonArray),
            ("/v1beta/models/vendor/a:streamGenerateContent", "$alt=sse", "vendor/a", true, sse),
            ("/v1beta/models/vendor%2Fa%3Ab:countTokens", "", "vendor/a:b", false, StreamForm::JsonArray),
            ("/v1beta/models/models/a:generateContent", "", "a", false, StreamForm::JsonArray),
        ] {
            let head = RequestHead { path: path.into(), query: query.into() };
            assert_eq!(Call::of(&head), Call { model: Some(model.into()), streams, form }, "{path}");
        }
    }
}
