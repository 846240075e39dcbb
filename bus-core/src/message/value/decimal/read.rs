//! Reading a decimal without losing a digit.

use std::{
    fmt::{self, Display},
    marker::PhantomData,
    str::FromStr,
};

use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess, Visitor, value::MapAccessDeserializer},
};
use serde_json::value::RawValue;

use super::{super::text::Invalid, number::Number};

fn read<T: FromStr<Err: Display>, E: de::Error>(text: &str) -> Result<T, E> {
    let number = Number::parse(text.trim()).map_err(|why| invalid(text, why))?;
    let value = text.trim().parse::<T>().or_else(|error| match number.without_exponent() {
        Some(plain) => plain.parse().map_err(|_| error),
        None => Err(error),
    });
    value.map_err(|error| invalid(text, error))
}

fn invalid<E: de::Error>(text: &str, why: impl Display) -> E {
    E::custom(Invalid { kind: "decimal", text, why })
}

/// Takes raw JSON from serde_json, and from others what they parsed.
pub(super) struct Raw<T>(PhantomData<T>);

impl<T> Raw<T> {
    pub(super) fn new() -> Self {
        Self(PhantomData)
    }
}

/// A value that somebody parsed already.
struct Parsed<T>(PhantomData<T>);

const EXPECTED: &str = "a decimal as text or number";

impl<'de, T: FromStr<Err: Display>> Visitor<'de> for Raw<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(EXPECTED)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        let raw = Box::<RawValue>::deserialize(MapAccessDeserializer::new(map))?;
        match raw.get().as_bytes().first() {
            Some(b'"') => read(&serde_json::from_str::<String>(raw.get()).map_err(de::Error::custom)?),
            Some(b'-' | b'0'..=b'9') => read(raw.get()),
            _ => Err(invalid(raw.get(), format_args!("expected {EXPECTED}"))),
        }
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        deserializer.deserialize_any(Parsed(self.0))
    }
}

impl<T: FromStr<Err: Display>> Visitor<'_> for Parsed<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{EXPECTED}; a number with a fraction has lost its digits here, send text")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        read(text)
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<T, E> {
        read(&number.to_string())
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<T, E> {
        read(&number.to_string())
    }
}
