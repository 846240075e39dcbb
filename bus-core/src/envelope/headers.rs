use std::{borrow::Cow, time::SystemTime};

use bytes::Bytes;

/// The headers of a message as its transport carries them, in order, each with its type.
///
/// Names are compared without regard to case, as MassTransit does.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Headers(Vec<(Cow<'static, str>, HeaderValue)>);

/// A header's value. The kinds are those of AMQP 0-9-1 field tables (section 4.2.5.5 and RabbitMQ's
/// errata), so that a message that is moved keeps every header as its sender typed it.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum HeaderValue {
    /// No value.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A signed integer of 8 bits.
    Int8(i8),
    /// A signed integer of 16 bits.
    Int16(i16),
    /// A signed integer of 32 bits.
    Int32(i32),
    /// A signed integer of 64 bits.
    Int64(i64),
    /// An unsigned integer of 8 bits.
    UInt8(u8),
    /// An unsigned integer of 16 bits.
    UInt16(u16),
    /// An unsigned integer of 32 bits.
    UInt32(u32),
    /// A floating point number of 32 bits.
    Float(f32),
    /// A floating point number of 64 bits.
    Double(f64),
    /// A decimal number: `value` divided by ten to the power of `scale`.
    Decimal {
        /// Digits after the point.
        scale: u8,
        /// The digits.
        value: u32,
    },
    /// A text.
    Text(Cow<'static, str>),
    /// Bytes that are no text.
    Bytes(Bytes),
    /// A point in time.
    Time(SystemTime),
    /// Several values.
    List(Vec<HeaderValue>),
    /// Named values.
    Map(Vec<(String, HeaderValue)>),
}

impl Headers {
    /// No headers.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// The value of the header `name`.
    pub fn get(&self, name: &str) -> Option<&HeaderValue> {
        self.0.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// The text of the header `name`; none if it is missing or no text.
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.get(name)? {
            HeaderValue::Text(text) => Some(text),
            HeaderValue::Bytes(bytes) => std::str::from_utf8(bytes).ok(),
            _ => None,
        }
    }

    /// Sets the header `name`, in place of one of that name.
    pub fn set(&mut self, name: impl Into<Cow<'static, str>>, value: impl Into<HeaderValue>) {
        let name = name.into();
        let value = value.into();
        match self.0.iter_mut().find(|(known, _)| known.eq_ignore_ascii_case(&name)) {
            Some(known) => known.1 = value,
            None => self.0.push((name, value)),
        }
    }

    /// Takes out every header that `unwanted` names.
    pub fn remove_if(&mut self, unwanted: impl Fn(&str) -> bool) {
        self.0.retain(|(name, _)| !unwanted(name));
    }

    /// The headers in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &HeaderValue)> {
        self.0.iter().map(|(name, value)| (name.as_ref(), value))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// All of them, as they come: names that differ in case only, or not at all, stay beside each other, and
/// [`Headers::get`] finds the first. A message that is moved keeps every header, and many cost no more each.
impl<N: Into<Cow<'static, str>>> FromIterator<(N, HeaderValue)> for Headers {
    fn from_iter<I: IntoIterator<Item = (N, HeaderValue)>>(pairs: I) -> Self {
        Self(pairs.into_iter().map(|(name, value)| (name.into(), value)).collect())
    }
}

impl HeaderValue {
    /// A number from 0 on, of whatever type; none for anything else.
    pub fn as_u32(&self) -> Option<u32> {
        match *self {
            Self::Int8(value) => value.try_into().ok(),
            Self::Int16(value) => value.try_into().ok(),
            Self::Int32(value) => value.try_into().ok(),
            Self::Int64(value) => value.try_into().ok(),
            Self::UInt8(value) => Some(value.into()),
            Self::UInt16(value) => Some(value.into()),
            Self::UInt32(value) => Some(value),
            _ => None,
        }
    }
}

impl From<&'static str> for HeaderValue {
    fn from(text: &'static str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl From<String> for HeaderValue {
    fn from(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }
}

impl From<bool> for HeaderValue {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i32> for HeaderValue {
    fn from(value: i32) -> Self {
        Self::Int32(value)
    }
}

impl From<i64> for HeaderValue {
    fn from(value: i64) -> Self {
        Self::Int64(value)
    }
}

impl From<f64> for HeaderValue {
    fn from(value: f64) -> Self {
        Self::Double(value)
    }
}

impl std::fmt::Display for HeaderValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(value) => value.fmt(f),
            Self::Int8(value) => value.fmt(f),
            Self::Int16(value) => value.fmt(f),
            Self::Int32(value) => value.fmt(f),
            Self::Int64(value) => value.fmt(f),
            Self::UInt8(value) => value.fmt(f),
            Self::UInt16(value) => value.fmt(f),
            Self::UInt32(value) => value.fmt(f),
            Self::Float(value) => value.fmt(f),
            Self::Double(value) => value.fmt(f),
            Self::Text(text) => f.write_str(text),
            other => write!(f, "{other:?}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_found_and_replaced_without_regard_to_case() {
        let mut headers = Headers::new();
        headers.set("MT-Reason", "fault");
        headers.set("mt-reason", "dead-letter");
        assert_eq!(headers.len(), 1);
        assert_eq!(headers.text("Mt-Reason"), Some("dead-letter"));
        assert_eq!(headers.text("other"), None);
    }
}
