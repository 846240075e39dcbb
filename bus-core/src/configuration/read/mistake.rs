use std::fmt::{self, Display};

use serde::de::{self, Expected, Unexpected};

use super::nearest::nearest;
use crate::{bus::Problem, configuration::tree::Place};

/// What is wrong with a value, as serde says it. Texts are not repeated: one of a filter's may be a secret.
#[derive(Debug)]
pub(crate) struct Mistake(String);

impl Mistake {
    /// As `build()` tells it.
    pub(crate) fn at(self, place: &Place) -> Problem {
        Problem::configured(self.0, place)
    }

    /// A key or a name that is none of those that are known.
    pub(crate) fn unknown<'a>(what: &str, written: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        let mut known: Vec<_> = known.into_iter().filter(|name| !name.is_empty()).collect();
        known.sort_unstable();
        known.dedup();
        let hint = match nearest(written, known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None if known.is_empty() => "there is none".to_owned(),
            None => format!("there are `{}`", known.join("`, `")),
        };
        Self(format!("unknown {what} `{written}`: {hint}"))
    }

    /// A name that may be either of two.
    pub(crate) fn ambiguous(what: &str, written: &str, [one, other]: [&str; 2]) -> Self {
        Self(if one == other {
            format!("two {what}s are called `{written}`: only the program can tell them apart, set it there")
        } else {
            format!("{what} `{written}` may be `{one}` or `{other}`: name it in a file, or rename one of them")
        })
    }
}

impl Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Mistake {}

impl de::Error for Mistake {
    fn custom<T: Display>(text: T) -> Self {
        Self(text.to_string())
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        // Not everybody who writes a file knows Rust.
        let expected = match expected.to_string().as_str() {
            "a boolean" => "true or false".to_owned(),
            "u8" => "a whole number up to 255".to_owned(),
            "u16" => "a whole number up to 65535".to_owned(),
            "u32" | "u64" | "usize" => "a whole number".to_owned(),
            other => other.to_owned(),
        };
        Self(format!("expected {expected}, found {}", kind(found)))
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::invalid_type(found, expected)
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        Self::unknown("name", variant, expected.iter().copied())
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        Self::unknown("key", field, expected.iter().copied())
    }

    fn missing_field(field: &'static str) -> Self {
        Self(format!("`{field}` is missing"))
    }
}

fn kind(found: Unexpected<'_>) -> String {
    match found {
        Unexpected::Bool(value) => format!("`{value}`"),
        Unexpected::Unsigned(number) => format!("`{number}`"),
        Unexpected::Signed(number) => format!("`{number}`"),
        Unexpected::Float(number) => format!("`{number}`"),
        Unexpected::Str(_) | Unexpected::Char(_) => "a text".to_owned(),
        Unexpected::Map => "a table".to_owned(),
        Unexpected::Seq => "a list".to_owned(),
        Unexpected::Unit | Unexpected::Option => "nothing".to_owned(),
        other => other.to_string(),
    }
}
