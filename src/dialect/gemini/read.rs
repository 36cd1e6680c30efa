//! Reads a request that runs a model.

use super::call::{Call, model_name};
use super::{ResponseOptions, contents, generation_config, tools, wire};
use crate::conversation::Conversation;
use crate::dialect::common::body_json::read_json;
use crate::dialect::common::model_list;
use crate::dialect::{ParsedRequest, RequestExtensions, RequestHead};
use crate::failure::Failure;

/// Reads a path and a body.
pub fn read(head: &RequestHead, body: &[u8]) -> Result<(ParsedRequest, ResponseOptions), Failure> {
    read_request(Call::of(head), read_json(body)?)
}

/// Reads a request, to run it or to count its tokens.
pub fn read_request(call: Call, request: wire::Request) -> Result<(ParsedRequest, ResponseOptions), Failure> {
    if request.cached_content.is_some_and(|name| !name.is_empty()) {
        return Err(Failure::unsupported(
            "cachedContent",
            "no contents are kept here; send all of them in `contents` (the provider caches by itself)",
        ));
    }
    let messages = contents::read(request.system_instruction, request.contents)?;
    let extensions = RequestExtensions::from_fields(
        request.use_vscode_tools,
        request.tool_execution,
        request.max_tool_rounds,
    );
    let (tools, tool_choice, web) =
        tools::read(request.tools, request.tool_config, extensions.use_vscode_tools)?;
    let (options, shows_thoughts) = generation_config::read(request.generation_config.unwrap_or_default())?;
    let models = request.models.map(|names| {
        // A name that is empty is a mistake, which `model_list` reports.
        names.into_iter().map(|name| model_name(&name).unwrap_or_default()).collect()
    });
    let response_options = ResponseOptions {
        form: call.form,
        shows_thoughts,
        candidates: options.choices.map_or(1, |choices| usize::from(choices.get())),
    };
    let parsed = ParsedRequest {
        model: call.model,
        models: model_list::read(models)?,
        conversation: Conversation { messages, tools, tool_choice, options },
        stream: call.streams,
        extensions,
        web,
        ..ParsedRequest::default()
    };
    Ok((parsed, response_options))
}
