use std::time::{Duration, SystemTime};

use serde_json::Value;
use uuid::Uuid;

use crate::{
    envelope::{HeaderValue, date},
    message::value::time_span,
};

/// The value of a header on its way out: as JSON in the envelope, and in the transport's own type where it
/// has one.
///
/// MassTransit's rules, for what its readers can take: `true` is the text `True` on the transport and
/// `false` stays in the envelope, as do objects, lists and `null`; ids are texts, dates are timestamps. A
/// time span, over which MassTransit's own publish fails, is a text.
///
/// It is made from texts, numbers, `bool`, `Uuid`, `SystemTime`, `Duration` and JSON values, as by
/// [`Outbound::header`](super::Outbound::header):
///
/// ```
/// use bus_core::Header;
/// use std::time::Duration;
///
/// let tenant: Header = "acme".into();
/// let attempts: Header = 3.into();
/// assert_eq!(Header::from(Duration::from_secs(90)), Header::from("00:01:30"));
/// # let _ = (tenant, attempts);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Header {
    pub(super) json: Value,
    pub(super) native: Option<HeaderValue>,
}

impl Header {
    fn new(json: impl Into<Value>, native: impl Into<HeaderValue>) -> Self {
        Self { json: json.into(), native: Some(native.into()) }
    }
}

impl From<Value> for Header {
    fn from(json: Value) -> Self {
        let native = simple(&json);
        Self { json, native }
    }
}

/// The transport's form of a header that is known as JSON only: a whole number has 64 bits then.
pub(crate) fn simple(json: &Value) -> Option<HeaderValue> {
    match json {
        Value::String(text) => Some(text.clone().into()),
        Value::Bool(true) => Some("True".into()),
        Value::Number(number) => match number.as_i64() {
            Some(whole) => Some(whole.into()),
            None => number.as_f64().map(Into::into),
        },
        _ => None,
    }
}

impl From<&str> for Header {
    fn from(text: &str) -> Self {
        Self::new(text, text.to_owned())
    }
}

impl From<String> for Header {
    fn from(text: String) -> Self {
        Self::new(text.clone(), text)
    }
}

impl From<bool> for Header {
    fn from(value: bool) -> Self {
        Self::from(Value::from(value))
    }
}

macro_rules! numbers {
    ($($number:ty => $kind:ident),*) => {
        $(impl From<$number> for Header {
            fn from(number: $number) -> Self {
                Self::new(number, HeaderValue::$kind(number.into()))
            }
        })*
    };
}

numbers!(i8 => Int8, i16 => Int16, i32 => Int32, i64 => Int64, u8 => UInt8, u16 => UInt16, u32 => Int64, f64 => Double);

impl From<u64> for Header {
    /// Above what 64 bits with a sign hold, a text on the transport.
    fn from(number: u64) -> Self {
        match i64::try_from(number) {
            Ok(signed) => Self::new(number, signed),
            Err(_) => Self::new(number, number.to_string()),
        }
    }
}

impl From<f32> for Header {
    fn from(number: f32) -> Self {
        // The shortest text that is this number, not its 64 bits.
        let shortest = number.to_string().parse::<f64>().unwrap_or(number.into());
        Self::new(shortest, HeaderValue::Float(number))
    }
}

impl From<Uuid> for Header {
    fn from(id: Uuid) -> Self {
        Self::from(id.to_string())
    }
}

impl From<SystemTime> for Header {
    fn from(time: SystemTime) -> Self {
        Self::new(date::trimmed(time), HeaderValue::Time(time))
    }
}

impl From<Duration> for Header {
    /// As .NET writes a time span: `[d.]hh:mm:ss[.fffffff]`.
    fn from(span: Duration) -> Self {
        Self::from(time_span::Written(span).to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_have_the_types_that_masstransit_gives_them() {
        let check = |header: Header, json: Value, native: Option<HeaderValue>| {
            assert_eq!((header.json, header.native), (json, native));
        };
        check("v".into(), "v".into(), Some("v".into()));
        check(true.into(), true.into(), Some("True".into()));
        check(false.into(), false.into(), None);
        check(42_i32.into(), 42.into(), Some(HeaderValue::Int32(42)));
        check(7_u8.into(), 7.into(), Some(HeaderValue::UInt8(7)));
        check(1.25_f32.into(), 1.25.into(), Some(HeaderValue::Float(1.25)));
        check(1.1_f32.into(), 1.1_f64.into(), Some(HeaderValue::Float(1.1)));
        check(u64::MAX.into(), u64::MAX.into(), Some(u64::MAX.to_string().into()));
        check(serde_json::json!([1]).into(), serde_json::json!([1]), None);
        check(Value::Null.into(), Value::Null, None);
        let span = Duration::new(12 * 86_400 + 3 * 3600 + 245, 678_000_000);
        check(span.into(), "12.03:04:05.6780000".into(), Some("12.03:04:05.6780000".to_owned().into()));
    }
}
