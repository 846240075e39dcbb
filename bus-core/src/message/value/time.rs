//! C# `TimeOnly`: a time of day, `"HH:mm:ss[.fffffff]"`, for the [`Duration`] since midnight.
//!
//! ```
//! use std::time::Duration;
//!
//! use bus_core::message::value;
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Serialize, Deserialize)]
//! struct Shop {
//!     #[serde(with = "value::time")]
//!     opens: Duration,
//!     #[serde(default, with = "value::time::option")]
//!     closes: Option<Duration>,
//! }
//!
//! let shop: Shop = serde_json::from_str(r#"{"opens":"08:30:00"}"#)?;
//! assert_eq!(shop.opens, Duration::from_secs(8 * 3600 + 30 * 60));
//! assert_eq!(serde_json::to_string(&shop)?, r#"{"opens":"08:30:00","closes":null}"#);
//! # Ok::<(), serde_json::Error>(())
//! ```

use std::time::Duration;

use serde::{Deserializer, Serializer, ser::Error as _};

use super::{text, time_span};

/// Writes `23:59:59` or `23:59:59.9990000`: a fraction has exactly seven digits; what is finer is cut.
///
/// # Errors
/// 24 hours and more.
pub fn serialize<S: Serializer>(value: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    if value.as_secs() >= 24 * 60 * 60 {
        return Err(S::Error::custom(format_args!("{value:?} after midnight is no time of day")));
    }
    serializer.collect_str(&time_span::Written(*value))
}

/// Reads `HH:mm:ss[.fffffff]`, also `HH:mm`.
///
/// # Errors
/// Hours over 23, minutes or seconds over 59; more than seven fraction digits; any other form; JSON that is no text.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    text::deserialize(deserializer, "time of day", |text| match text.find(|c: char| !c.is_ascii_digit()) {
        Some(at) if text[at..].starts_with(':') => time_span::read(text),
        _ => Err("it is not of the form `HH:mm:ss[.fffffff]`"),
    })
}

option_twin!(Duration);

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Duration, String> {
        deserialize(&mut serde_json::Deserializer::from_str(json)).map_err(|error| error.to_string())
    }

    #[test]
    fn times_are_read_and_written() {
        for (text, nanos, written) in [
            ("00:00:00", 0, "00:00:00"),
            ("23:59:59.9990000", 86_399_999_000_000, "23:59:59.9990000"),
            ("23:59:59.9999999", 86_399_999_999_900, "23:59:59.9999999"),
            ("08:30", 30_600_000_000_000, "08:30:00"),
            ("08:30:00.5", 30_600_500_000_000, "08:30:00.5000000"),
        ] {
            let time = read(&format!("\"{text}\"")).unwrap();
            assert_eq!(time, Duration::from_nanos(nanos));
            assert_eq!(serialize(&time, serde_json::value::Serializer).unwrap(), written);
        }
    }

    #[test]
    fn what_is_no_time_of_day_says_why() {
        let check = |json: &str, why: &str| {
            let error = read(json).unwrap_err();
            assert!(error.contains(why), "{json}: {error}");
        };
        check(r#""24:00:00""#, "invalid time of day `24:00:00`: hours end at 23");
        check(r#""08:30:00.12345678""#, "at most seven digits");
        for text in ["", "8", "-01:00:00", "1.08:30:00", "0.08:30:00", "8.30", "T08:30:00"] {
            check(&format!("\"{text}\""), "it is not of the form `HH:mm:ss[.fffffff]`");
        }
        check("8", "invalid type: integer `8`, expected a time of day as text");
        let day = Duration::from_secs(86_400);
        let error = serialize(&day, serde_json::value::Serializer).unwrap_err();
        assert_eq!(error.to_string(), "86400s after midnight is no time of day");
    }
}
