//! Fields that hold an integer. For JSON Schema, in which these APIs are described, `2048.0` is one too, and
//! languages with a single type of number write it so.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};

/// An integer type that a field may have.
pub trait Integer: TryFrom<i128> {
    /// Values that the type takes, for error messages.
    const EXPECTED: &'static str;
}

impl Integer for u64 {
    const EXPECTED: &'static str = "a whole number from 0";
}

impl Integer for u32 {
    const EXPECTED: &'static str = "a whole number from 0";
}

impl Integer for i64 {
    const EXPECTED: &'static str = "a whole number";
}

/// Reads an optional field, for `#[serde(default, deserialize_with = "...")]`; null is an absent one.
pub fn optional<'de, N: Integer, D: Deserializer<'de>>(deserializer: D) -> Result<Option<N>, D::Error> {
    Option::<WholeNumber<N>>::deserialize(deserializer).map(|number| number.map(|WholeNumber(number)| number))
}

/// An integer, written with or without a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WholeNumber<N>(pub N);

impl<'de, N: Integer> Deserialize<'de> for WholeNumber<N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<WholeNumber<N>, D::Error> {
        deserializer.deserialize_any(Reader(PhantomData))
    }
}

struct Reader<N>(PhantomData<N>);

impl<N: Integer> Visitor<'_> for Reader<N> {
    type Value = WholeNumber<N>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(N::EXPECTED)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<WholeNumber<N>, E> {
        let integer = N::try_from(i128::from(number));
        integer.map(WholeNumber).map_err(|_| E::invalid_value(Unexpected::Unsigned(number), &self))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<WholeNumber<N>, E> {
        let integer = N::try_from(i128::from(number));
        integer.map(WholeNumber).map_err(|_| E::invalid_value(Unexpected::Signed(number), &self))
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "a cast of a float saturates, and 128 bits exceed any field"
    )]
    fn visit_f64<E: Error>(self, number: f64) -> Result<WholeNumber<N>, E> {
        if number.fract() != 0.0 {
            return Err(E::invalid_type(Unexpected::Float(number), &self));
        }
        let integer = N::try_from(number as i128);
        integer.map(WholeNumber).map_err(|_| E::invalid_value(Unexpected::Float(number), &self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::common::body_json::read_json;

    #[derive(Debug, Deserialize)]
    #[serde(expecting = "an object")]
    struct Request {
        #[serde(default, deserialize_with = "optional")]
        limit: Option<u64>,
        #[serde(default, deserialize_with = "optional")]
        seed: Option<i64>,
    }

    fn read(body: &str) -> Result<(Option<u64>, Option<i64>), String> {
        let request = read_json::<Request>(body.as_bytes()).map_err(|failure| failure.to_string())?;
        Ok((request.limit, request.seed))
    }

    #[test]
    fn whole_number_with_fraction_or_exponent_is_read() {
        for (body, limit, seed) in [
            ("{}", None, None),
            (r#"{"limit": null, "seed": null}"#, None, None),
            (r#"{"limit": 2048, "seed": -3}"#, Some(2048), Some(-3)),
            (r#"{"limit": 2048.0, "seed": -3.0}"#, Some(2048), Some(-3)),
            (r#"{"limit": 2.048e3, "seed": 1E2}"#, Some(2048), Some(100)),
            (r#"{"limit": 0.0, "seed": -0.0}"#, Some(0), Some(0)),
            (r#"{"limit": 18446744073709551615}"#, Some(u64::MAX), None),
        ] {
            assert_eq!(read(body), Ok((limit, seed)), "{body}");
        }
    }

    #[test]
    fn other_numbers_are_refused() {
        for (body, message) in [
            (
                r#"{"limit": 12.5}"#,
                "limit: invalid type: floating point `12.5`, expected a whole number from 0",
            ),
            (r#"{"limit": -1}"#, "limit: invalid value: integer `-1`, expected a whole number from 0"),
            (
                r#"{"limit": -1.0}"#,
                "limit: invalid value: floating point `-1.0`, expected a whole number from 0",
            ),
            (r#"{"limit": "5"}"#, "limit: invalid type: a string, expected a whole number from 0"),
            (r#"{"seed": 0.1}"#, "seed: invalid type: floating point `0.1`, expected a whole number"),
            (r#"{"seed": 1e300}"#, "seed: invalid value: floating point `1e+300`, expected a whole number"),
        ] {
            assert_eq!(read(body), Err(message.into()), "{body}");
        }
    }
}
