//! Fields that hold a word or an object: `tool_choice`, `function_call`, `image_url`.
//!
//! Written out for the same reason as `one_or_many`: a mistake inside either keeps its place and its reason.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, IntoDeserializer, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// A string that is a `W` (an enum of words, or any `String`), or an object that is an `O`.
#[derive(Clone, Debug, PartialEq)]
pub enum WordOrObject<W, O> {
    /// A bare string.
    Word(W),
    /// An object with fields.
    Object(O),
}

impl<'de, W: Deserialize<'de>, O: Deserialize<'de>> Deserialize<'de> for WordOrObject<W, O> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<WordOrObject<W, O>, D::Error> {
        deserializer.deserialize_any(Reader(PhantomData))
    }
}

struct Reader<W, O>(PhantomData<(W, O)>);

impl<'de, W: Deserialize<'de>, O: Deserialize<'de>> Visitor<'de> for Reader<W, O> {
    type Value = WordOrObject<W, O>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a string or an object")
    }

    fn visit_str<E: Error>(self, word: &str) -> Result<WordOrObject<W, O>, E> {
        W::deserialize(word.into_deserializer()).map(WordOrObject::Word)
    }

    fn visit_string<E: Error>(self, word: String) -> Result<WordOrObject<W, O>, E> {
        W::deserialize(word.into_deserializer()).map(WordOrObject::Word)
    }

    fn visit_map<A: MapAccess<'de>>(self, object: A) -> Result<WordOrObject<W, O>, A::Error> {
        O::deserialize(MapAccessDeserializer::new(object)).map(WordOrObject::Object)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::common::body_json::read_json;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Request {
        choice: WordOrObject<Choice, Named>,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Choice {
        Auto,
        Never,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Named {
        name: String,
    }

    #[test]
    fn string_and_object_are_read_and_errors_keep_their_path() {
        let read = |body: &str| read_json(body.as_bytes()).map(|Request { choice }| choice);
        assert_eq!(read(r#"{"choice": "auto"}"#), Ok(WordOrObject::Word(Choice::Auto)));
        assert_eq!(
            read(r#"{"choice": {"name": "a"}}"#),
            Ok(WordOrObject::Object(Named { name: "a".into() }))
        );
        for (body, message) in [
            (r#"{"choice": "x"}"#, "choice: unknown variant `x`, expected `auto` or `never`"),
            (r#"{"choice": {}}"#, "choice.name: required, but missing"),
            (r#"{"choice": {"name": 1}}"#, "choice.name: invalid type: integer `1`, expected a string"),
            (r#"{"choice": [1]}"#, "choice: invalid type: a list, expected a string or an object"),
        ] {
            assert_eq!(read(body).unwrap_err().to_string(), message);
        }
    }
}
