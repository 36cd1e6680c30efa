//! Parts that several dialects share: readers of wire values, the writing of events, argument buffers.

#[cfg(test)]
pub mod arbitrary;
pub mod arguments;
pub mod data;
pub mod extensions;
pub mod json;
pub mod limits;
pub mod line;
pub mod one_or_many;
pub mod open_calls;
pub mod openai_error;
pub mod sse;
pub mod word_or_object;
