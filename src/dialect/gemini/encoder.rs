//! Encodes events as chunks, each a whole response of its own: server-sent events, or items of a JSON array.

use serde::Serialize;

use super::grounding::GroundingBuilder;
use super::parts_out::PartMaker;
use super::response::{Candidate, Part, Response, finish_reason};
use super::{ResponseOptions, StreamForm, error_response};
use crate::conversation::{Event, Usage};
use crate::dialect::common::extensions::ResponseExtensions;
use crate::dialect::common::{json_lines, sse};
use crate::dialect::{Encoder, ResponseMeta, with_choice};
use crate::failure::Failure;

/// A stream of chunks.
pub struct Chunks {
    id: String,
    model: String,
    form: StreamForm,
    /// Whether an item of the array has been written.
    has_items: bool,
    candidates: Vec<PartMaker>,
    grounding: Vec<GroundingBuilder>,
    /// Usage of the candidates that have ended.
    usage: Option<Usage>,
}

impl Chunks {
    /// An encoder at the beginning of a stream.
    pub fn new(meta: &ResponseMeta, options: ResponseOptions) -> Chunks {
        Chunks {
            id: meta.id.clone(),
            model: meta.model.clone(),
            form: options.form,
            has_items: false,
            candidates: (0..options.candidates).map(|_| PartMaker::new(options.shows_thoughts)).collect(),
            grounding: (0..options.candidates).map(|_| GroundingBuilder::default()).collect(),
            usage: None,
        }
    }

    fn chunk(&self, candidate: Candidate) -> Response<'_> {
        Response {
            candidates: vec![candidate],
            usage_metadata: None,
            model_version: &self.model,
            id: &self.id,
            copilot_proxy: None,
        }
    }
}

/// Appends a chunk or an error; `has_items` tells whether it is the first of an array.
fn put(form: StreamForm, has_items: bool, item: &impl Serialize, out: &mut Vec<u8>) {
    match form {
        StreamForm::ServerSentEvents => sse::put(None, item, out),
        StreamForm::JsonArray => json_lines::put(&[if has_items { ",\n" } else { "" }], item, "\n", out),
    }
}

impl Encoder for Chunks {
    fn open(&mut self, out: &mut Vec<u8>) {
        if self.form == StreamForm::JsonArray {
            out.push(b'[');
        }
    }

    fn event(&mut self, choice: usize, event: &Event, out: &mut Vec<u8>) {
        let parts =
            self.candidates.get_mut(choice).map(|candidate| candidate.parts(event)).unwrap_or_default();
        if let Some(grounding) = self.grounding.get_mut(choice) {
            grounding.event(event);
        }
        // SDKs print the text of every chunk, so that each has one.
        let empty = || vec![Part::text("", None)];
        let some = |parts: Vec<Part>| if parts.is_empty() { empty() } else { parts };
        let chunk = match event {
            Event::Text(_)
            | Event::Thinking(_)
            | Event::ToolCall(_)
            | Event::WebRan(_)
            | Event::Citation(_)
            | Event::Context(_) => {
                if parts.is_empty() {
                    return;
                }
                self.chunk(Candidate::new(choice, parts, None))
            }
            Event::ToolRan(ran) => Response {
                copilot_proxy: Some(ResponseExtensions::tool(ran)),
                ..self.chunk(Candidate::new(choice, some(parts), None))
            },
            Event::Finish(finish, usage) => {
                let grounding = self.grounding.get_mut(choice).map(std::mem::take).unwrap_or_default();
                let total = with_choice(self.usage.take(), usage.clone());
                self.usage = Some(total.clone());
                Response {
                    copilot_proxy: Some(ResponseExtensions::last(&total)),
                    usage_metadata: Some(total.into()),
                    ..self.chunk(Candidate {
                        grounding: grounding.finish(),
                        ..Candidate::new(choice, some(parts), Some(finish_reason(finish)))
                    })
                }
            }
        };
        put(self.form, self.has_items, &chunk, out);
        self.has_items = true;
    }

    fn close(&mut self, out: &mut Vec<u8>) {
        if self.form == StreamForm::JsonArray {
            out.extend_from_slice(b"]\n");
        }
    }

    fn failure(&mut self, failure: &Failure, out: &mut Vec<u8>) {
        let feedback = error_response::prompt_feedback(failure).filter(|_| !self.has_items);
        let item = feedback.unwrap_or_else(|| error_response::body(failure));
        put(self.form, self.has_items, &item, out);
        self.close(out);
    }

    /// An empty line, which every reader skips. A comment is not for this API: Google's Python SDK parses each line that
    /// has no `data:` as JSON.
    fn ping(&mut self, out: &mut Vec<u8>) {
        out.push(b'\n');
    }
}
