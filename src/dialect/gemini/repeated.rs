//! Fields that hold a list, or one item of it without brackets, as Google's APIs read repeated fields.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Error, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// A list of `T`, which is an object or a string.
#[derive(Clone, Debug, PartialEq)]
pub struct Repeated<T>(pub Vec<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Repeated<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Repeated<T>, D::Error> {
        deserializer.deserialize_any(Reader(PhantomData)).map(Repeated)
    }
}

struct Reader<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Reader<T> {
    type Value = Vec<T>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, many: A) -> Result<Vec<T>, A::Error> {
        Vec::deserialize(SeqAccessDeserializer::new(many))
    }

    fn visit_map<A: MapAccess<'de>>(self, one: A) -> Result<Vec<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(one)).map(|one| vec![one])
    }

    fn visit_str<E: Error>(self, one: &str) -> Result<Vec<T>, E> {
        T::deserialize(one.into_deserializer()).map(|one| vec![one])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::common::body_json::read_json;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Request {
        parts: Option<Repeated<Part>>,
        stop: Option<Repeated<String>>,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Part {
        text: String,
    }

    #[test]
    fn list_and_single_item_are_read_and_errors_keep_their_path() {
        let read = |body: &str| read_json::<Request>(body.as_bytes()).map_err(|failure| failure.to_string());
        let part = || Part { text: "a".into() };
        for (body, parts, stop) in [
            (r#"{"parts": {"text": "a"}, "stop": "b"}"#, Some(vec![part()]), Some(vec!["b".to_owned()])),
            (r#"{"parts": [{"text": "a"}, {"text": "a"}]}"#, Some(vec![part(), part()]), None),
            (r#"{"parts": [], "stop": null}"#, Some(vec![]), None),
        ] {
            let request = Request { parts: parts.map(Repeated), stop: stop.map(Repeated) };
            assert_eq!(read(body), Ok(request), "{body}");
        }
        for (body, message) in [
            (r#"{"parts": [{}]}"#, "parts[0].text: required, but missing"),
            (r#"{"parts": {}}"#, "parts.text: required, but missing"),
            (r#"{"parts": 1}"#, "parts: invalid type: integer `1`, expected a list"),
        ] {
            assert_eq!(read(body).unwrap_err(), message, "{body}");
        }
    }
}
