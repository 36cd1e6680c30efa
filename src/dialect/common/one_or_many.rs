//! Fields that hold a string or a list: content, system, stop, input.
//!
//! Written out by hand: an untagged enum would answer every mistake inside the list with "data did not match
//! any variant", while this one keeps the path of the field and says what was wrong there.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::SeqAccessDeserializer;
use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// A string, or a list of `T`.
#[derive(Clone, Debug, PartialEq)]
pub enum OneOrMany<T> {
    /// The string alone.
    One(String),
    /// The list, maybe empty.
    Many(Vec<T>),
}

impl<T: From<String>> OneOrMany<T> {
    /// The list it stands for: a string alone is a list of one.
    pub fn into_list(self) -> Vec<T> {
        match self {
            OneOrMany::One(one) => vec![T::from(one)],
            OneOrMany::Many(many) => many,
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for OneOrMany<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<OneOrMany<T>, D::Error> {
        deserializer.deserialize_any(Reader(PhantomData))
    }
}

struct Reader<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Reader<T> {
    type Value = OneOrMany<T>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a string or a list")
    }

    fn visit_str<E>(self, one: &str) -> Result<OneOrMany<T>, E> {
        Ok(OneOrMany::One(one.to_owned()))
    }

    fn visit_string<E>(self, one: String) -> Result<OneOrMany<T>, E> {
        Ok(OneOrMany::One(one))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, many: A) -> Result<OneOrMany<T>, A::Error> {
        Vec::deserialize(SeqAccessDeserializer::new(many)).map(OneOrMany::Many)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::common::body_json::read_json;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Line {
        content: Option<OneOrMany<Piece>>,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Piece {
        text: String,
    }

    #[test]
    fn string_list_null_and_absent_field_are_read() {
        let read = |body: &str| read_json::<Line>(body.as_bytes()).unwrap().content;
        assert_eq!(read(r#"{"content": "a\nb"}"#), Some(OneOrMany::One("a\nb".into())));
        assert_eq!(read(r#"{"content": []}"#), Some(OneOrMany::Many(vec![])));
        assert_eq!(
            read(r#"{"content": [{"text": "a"}]}"#),
            Some(OneOrMany::Many(vec![Piece { text: "a".into() }]))
        );
        assert_eq!(read(r#"{"content": null}"#), None);
        assert_eq!(read("{}"), None);
    }

    #[test]
    fn error_has_the_path_of_the_item() {
        let refused = |body: &str| read_json::<Line>(body.as_bytes()).unwrap_err().to_string();
        assert_eq!(
            refused(r#"{"content": 5}"#),
            "content: invalid type: integer `5`, expected a string or a list"
        );
        assert_eq!(
            refused(r#"{"content": [{"text": "a"}, {"text": 1.5}]}"#),
            "content[1].text: invalid type: floating point `1.5`, expected a string"
        );
        assert_eq!(refused(r#"{"content": [{}]}"#), "content[0].text: required, but missing");
    }

    #[test]
    fn single_string_becomes_a_list_of_one() {
        assert_eq!(OneOrMany::<String>::One("a".into()).into_list(), ["a"]);
        assert_eq!(OneOrMany::Many(vec!["a".to_owned(), "b".to_owned()]).into_list(), ["a", "b"]);
    }
}
