//! Parts that several dialects share: readers of wire values, the writing of events, argument buffers.

#[cfg(test)]
pub mod arbitrary;
pub mod body_json;
pub mod call_arguments;
pub mod checksum;
pub mod compaction;
pub mod extensions;
pub mod files;
pub mod free_text;
pub mod json_lines;
pub mod media;
pub mod model_list;
pub mod one_or_many;
pub mod open_calls;
pub mod open_thinking;
pub mod openai_error;
pub mod option_limits;
pub mod placeholders;
pub mod sealed_text;
pub mod sealed_thinking;
pub mod sse;
pub mod string_or_object;
pub mod tool_list;
pub mod web_tools;
pub mod whole_number;
