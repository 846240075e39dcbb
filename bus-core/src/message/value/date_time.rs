//! C# `DateTime`: an instant, `"2026-11-20T10:20:30.1234567Z"`, for [`SystemTime`].
//!
//! Written in UTC with `Z`, cut to 100 ns, without zeros at the fraction's end. A `DateTime` of unspecified
//! kind has no offset on the wire: it is read as UTC, and written with `Z`. To keep an offset, use
//! [`DateTimeOffset`](super::DateTimeOffset).
//!
//! ```
//! use std::time::{Duration, SystemTime};
//!
//! use bus_core::message::value;
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Serialize, Deserialize)]
//! struct Shipped {
//!     #[serde(with = "value::date_time")]
//!     at: SystemTime,
//!     #[serde(default, with = "value::date_time::option")]
//!     arrived: Option<SystemTime>,
//! }
//!
//! let shipped: Shipped = serde_json::from_str(r#"{"at":"1970-01-02T02:00:00.5+02:00"}"#)?;
//! assert_eq!(shipped.at, SystemTime::UNIX_EPOCH + Duration::from_millis(86_400_500));
//! assert_eq!(serde_json::to_string(&shipped)?, r#"{"at":"1970-01-02T00:00:00.5Z","arrived":null}"#);
//! # Ok::<(), serde_json::Error>(())
//! ```

use std::time::SystemTime;

use serde::{Deserializer, Serializer, ser::Error as _};

use super::{calendar, text};

/// Writes `2026-11-20T10:20:30.1234567Z`.
///
/// # Errors
/// An instant outside the years 1 to 9999, which C# cannot hold.
pub fn serialize<S: Serializer>(value: &SystemTime, serializer: S) -> Result<S::Ok, S::Error> {
    let time = calendar::local(*value, 0).ok_or_else(|| S::Error::custom("an instant outside the years 1 to 9999"))?;
    serializer.collect_str(&format_args!("{}Z", calendar::Written(time)))
}

/// Reads ISO 8601: with `Z`, with an offset up to 14 hours, or without one, which is UTC. Seconds, fraction and
/// the time of day may be missing; fraction digits after the seventh are cut.
///
/// # Errors
/// A text of another form, an instant outside the years 1 to 9999, or (Windows) before 1601; JSON that is no text.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SystemTime, D::Error> {
    text::deserialize(deserializer, "date and time", |text| {
        let local = calendar::read(text)?;
        calendar::instant(local.time, local.offset.unwrap_or(0))
    })
}

option_twin!(SystemTime);

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<SystemTime, String> {
        deserialize(&mut serde_json::Deserializer::from_str(json)).map_err(|error| error.to_string())
    }

    fn write(time: SystemTime) -> Result<String, String> {
        serialize(&time, serde_json::value::Serializer)
            .map(|json| json.as_str().unwrap().to_owned())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn every_form_that_dotnet_takes_is_the_same_instant() {
        for (text, written) in [
            ("2026-11-20T10:20:30Z", "2026-11-20T10:20:30Z"),
            ("2026-11-20T10:20:30.123456Z", "2026-11-20T10:20:30.123456Z"),
            ("2026-11-20T10:20:30.1234567Z", "2026-11-20T10:20:30.1234567Z"),
            ("2026-11-20T10:20:30.123456789Z", "2026-11-20T10:20:30.1234567Z"),
            ("2026-11-20T10:20:30.1234567890123456Z", "2026-11-20T10:20:30.1234567Z"),
            ("2026-11-20T10:20:30.1000000Z", "2026-11-20T10:20:30.1Z"),
            ("2026-11-20T10:20:30.0000001Z", "2026-11-20T10:20:30.0000001Z"),
            ("2026-11-20T10:20:30.00000009Z", "2026-11-20T10:20:30Z"),
            ("2026-11-20T10:20:30+00:00", "2026-11-20T10:20:30Z"),
            ("2026-11-20T10:20:30.123+02:00", "2026-11-20T08:20:30.123Z"),
            ("2026-11-20T10:20:30-05:30", "2026-11-20T15:50:30Z"),
            ("2026-11-20T10:20:30+14:00", "2026-11-19T20:20:30Z"),
            ("2026-11-20T10:20:30+02", "2026-11-20T08:20:30Z"),
            ("2026-11-20T10:20:30", "2026-11-20T10:20:30Z"),
            ("2026-11-20T10:20", "2026-11-20T10:20:00Z"),
            ("2026-11-20T10:20Z", "2026-11-20T10:20:00Z"),
            ("2026-11-20", "2026-11-20T00:00:00Z"),
            ("2024-02-29", "2024-02-29T00:00:00Z"),
            // .NET's smallest and largest, and either side of 1970.
            ("0001-01-01T00:00:00", "0001-01-01T00:00:00Z"),
            ("9999-12-31T23:59:59.9999999", "9999-12-31T23:59:59.9999999Z"),
            ("1969-12-31T23:59:59.9999999Z", "1969-12-31T23:59:59.9999999Z"),
            ("1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z"),
            // .NET refuses these.
            ("2026-11-20 10:20:30", "2026-11-20T10:20:30Z"),
            ("2026-11-20t10:20:30z", "2026-11-20T10:20:30Z"),
        ] {
            assert_eq!(read(&format!("\"{text}\"")).and_then(write).as_deref(), Ok(written), "{text}");
        }
    }

    #[test]
    fn what_is_no_date_and_time_says_why() {
        let check = |json: &str, expected: &str| {
            let error = read(json).unwrap_err();
            assert!(error.starts_with(expected), "{json}: {error}");
        };
        for text in [
            "",
            "nonsense",
            "2026-11-20T",
            "2026-11-20Z",
            "2026-11-20T10",
            "2026-11-20T10:20:30.Z",
            "2026-11-20T10:20:30Zx",
            "2026-11-20T10:20:30+2:00",
            "2026-11-20T10:20:30+0200",
            "2026-11-20T10:20:30+02:60",
            "2026-11-20T24:00:00Z",
            "2026-11-20T10:60:30Z",
            "2026-11-20T10:20:60Z",
            "2026-02-29T00:00:00Z",
            "0000-01-01T00:00:00Z",
            "+2026-11-20T10:20:30Z",
            "2026-é1-20",
            "20261120T102030Z",
        ] {
            check(&format!("\"{text}\""), &format!("invalid date and time `{text}`: it is not a date and time of the"));
        }
        check(r#""2026-11-20T10:20:30+14:01""#, "invalid date and time `2026-11-20T10:20:30+14:01`: the offset is");
        check(r#""0001-01-01T00:00:00+01:00""#, "invalid date and time `0001-01-01T00:00:00+01:00`: in UTC it lies");
        check(r#""9999-12-31T23:59:59-01:00""#, "invalid date and time `9999-12-31T23:59:59-01:00`: in UTC it lies");
        check("1767323045", "invalid type: integer `1767323045`, expected a date and time as text");
        check("null", "invalid type: null, expected a date and time as text");
    }

    #[test]
    fn an_instant_that_dotnet_cannot_hold_is_not_written() {
        let day = std::time::Duration::from_secs(24 * 60 * 60);
        let (first, last) = (read(r#""0001-01-01""#).unwrap(), read(r#""9999-12-31""#).unwrap());
        assert_eq!(write(first - day), Err("an instant outside the years 1 to 9999".to_owned()));
        assert_eq!(write(last + day), Err("an instant outside the years 1 to 9999".to_owned()));
    }

    #[test]
    fn a_long_text_is_cut_in_the_error() {
        let error = read(&format!("\"{}\"", "ä".repeat(1000))).unwrap_err();
        assert!(error.contains("ä…`") && error.len() < 300, "{error}");
    }
}
