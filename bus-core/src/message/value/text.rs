//! What all values have in common that are a JSON string with a form of its own.

use std::fmt;

use serde::{
    Deserializer,
    de::{self, Visitor},
};

/// Reads a string and gives it to `read`, whose error is the reason: "invalid time span `25:00:00`: …".
pub(super) fn deserialize<'de, D, T>(
    deserializer: D,
    kind: &'static str,
    read: fn(&str) -> Result<T, &'static str>,
) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
{
    deserializer.deserialize_str(Text { kind, read })
}

/// The error text for what is none of its kind. A long text is cut: errors travel in headers.
pub(super) struct Invalid<'a, W> {
    pub(super) kind: &'static str,
    pub(super) text: &'a str,
    pub(super) why: W,
}

impl<W: fmt::Display> fmt::Display for Invalid<'_, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 60;
        let Self { kind, text, why } = self;
        match text.char_indices().nth(SHOWN) {
            Some((end, _)) => write!(f, "invalid {kind} `{}…`: {why}", &text[..end]),
            None => write!(f, "invalid {kind} `{text}`: {why}"),
        }
    }
}

struct Text<T> {
    kind: &'static str,
    read: fn(&str) -> Result<T, &'static str>,
}

impl<T> Visitor<'_> for Text<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a {} as text", self.kind)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        (self.read)(text).map_err(|why| E::custom(Invalid { kind: self.kind, text, why }))
    }
}
