//! C# `TimeSpan`: `"[d.]hh:mm:ss[.fffffff]"`, for [`Duration`].
//!
//! Written with days only if there are any, and with a fraction, then of exactly seven digits, only if it is
//! not zero; what is finer than 100 ns is cut. A C# `TimeSpan` may be negative and a `Duration` may not:
//! reading a negative one is an error that says so.
//!
//! ```
//! use std::time::Duration;
//!
//! use bus_core::message::value;
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Serialize, Deserialize)]
//! struct Timing {
//!     #[serde(with = "value::time_span")]
//!     took: Duration,
//!     #[serde(default, with = "value::time_span::option")]
//!     limit: Option<Duration>,
//! }
//!
//! let timing: Timing = serde_json::from_str(r#"{"took":"01:02:03.45"}"#)?;
//! assert_eq!(timing.took, Duration::from_millis(3_723_450));
//! assert_eq!(serde_json::to_string(&timing)?, r#"{"took":"01:02:03.4500000","limit":null}"#);
//! # Ok::<(), serde_json::Error>(())
//! ```

use std::{fmt, time::Duration};

use serde::{Deserializer, Serializer, ser::Error as _};

use super::text;

const TICKS_PER_SECOND: u64 = 10_000_000;

/// Writes `01:02:03`, `01:02:03.4500000` or `12.03:04:05`.
///
/// # Errors
/// More than `10675199.02:48:05.4775807` (29 000 years), which C# cannot hold.
pub fn serialize<S: Serializer>(value: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    if value.as_nanos() / 100 > i64::MAX.unsigned_abs().into() {
        return Err(S::Error::custom(format_args!("{value:?} is more than a C# TimeSpan can hold")));
    }
    serializer.collect_str(&Written(*value))
}

/// Reads `[d.]hh:mm:ss[.fffffff]`, also `hh:mm`, `d.hh:mm` and, as .NET does, a single number as days.
///
/// # Errors
/// A negative span; hours over 23, minutes or seconds over 59; more than seven fraction digits; any other form,
/// such as ISO 8601 durations; JSON that is no text.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    text::deserialize(deserializer, "time span", read)
}

option_twin!(Duration);

/// A span as the wire has it.
pub(crate) struct Written(pub(crate) Duration);

impl fmt::Display for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        match seconds / 86_400 {
            0 => {}
            days => write!(f, "{days}.")?,
        }
        write!(f, "{:02}:{:02}:{:02}", seconds / 3600 % 24, seconds / 60 % 60, seconds % 60)?;
        match self.0.subsec_nanos() / 100 {
            0 => Ok(()),
            ticks => write!(f, ".{ticks:07}"),
        }
    }
}

pub(super) fn read(text: &str) -> Result<Duration, &'static str> {
    const FORM: &str = "it is not of the form `[d.]hh:mm:ss[.fffffff]`";
    let (negative, rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (days, clock) = match rest.find(['.', ':']) {
        Some(at) if rest[at..].starts_with('.') => (&rest[..at], &rest[at + 1..]),
        Some(_) => ("0", rest),
        None => (rest, "0:0"),
    };
    let (hours, rest) = clock.split_once(':').ok_or(FORM)?;
    let (minutes, rest) = rest.split_once(':').unwrap_or((rest, "0"));
    let (seconds, fraction) = rest.split_once('.').unwrap_or((rest, "0"));

    let part = |digits: &str, max: u64, why| match number(digits) {
        None => Err(FORM),
        Some(number) if number > max => Err(why),
        Some(number) => Ok(number),
    };
    let days = part(days, 10_675_199, "more days than a C# TimeSpan can hold")?;
    let hours = part(hours, 23, "hours end at 23; days stand before them, `1.01:00:00`")?;
    let minutes = part(minutes, 59, "minutes end at 59")?;
    let seconds = part(seconds, 59, "seconds end at 59")?;
    if fraction.len() > 7 {
        return Err("a fraction of a second has at most seven digits");
    }
    let fraction = number(&format!("{fraction:0<7}")).filter(|_| !fraction.is_empty()).ok_or(FORM)?;

    let ticks = (((days * 24 + hours) * 60 + minutes) * 60 + seconds) * TICKS_PER_SECOND + fraction;
    if negative && ticks > 0 {
        return Err("it is negative, which a Duration cannot be");
    }
    if ticks > i64::MAX.unsigned_abs() {
        return Err("longer than a C# TimeSpan can be");
    }
    let nanos = u32::try_from(ticks % TICKS_PER_SECOND * 100).unwrap_or_default();
    Ok(Duration::new(ticks / TICKS_PER_SECOND, nanos))
}

/// Digits only: `u64::from_str` would take a sign.
fn number(digits: &str) -> Option<u64> {
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Duration, String> {
        deserialize(&mut serde_json::Deserializer::from_str(json)).map_err(|error| error.to_string())
    }

    fn write(span: Duration) -> Result<String, String> {
        let json = serialize(&span, serde_json::value::Serializer).map_err(|error| error.to_string())?;
        Ok(json.as_str().unwrap().to_owned())
    }

    #[test]
    fn spans_are_read_and_written() {
        for (text, ticks, written) in [
            ("00:00:00", 0, "00:00:00"),
            ("01:02:03", 37_230_000_000, "01:02:03"),
            ("01:02:03.4500000", 37_234_500_000, "01:02:03.4500000"),
            ("1.02:03:04.5", 937_845_000_000, "1.02:03:04.5000000"),
            ("12.03:04:05.6780000", 10_478_456_780_000, "12.03:04:05.6780000"),
            ("00:00:00.0000001", 1, "00:00:00.0000001"),
            ("23:59:59.9999999", 863_999_999_999, "23:59:59.9999999"),
            ("1.00:00:00", 864_000_000_000, "1.00:00:00"),
            ("0.01:00:00", 36_000_000_000, "01:00:00"),
            ("1:2:3", 37_230_000_000, "01:02:03"),
            ("01:02", 37_200_000_000, "01:02:00"),
            ("1.02:03", 937_800_000_000, "1.02:03:00"),
            ("3", 3 * 864_000_000_000, "3.00:00:00"),
            ("-00:00:00", 0, "00:00:00"),
            ("10675199.02:48:05.4775807", i64::MAX.unsigned_abs(), "10675199.02:48:05.4775807"),
        ] {
            let span = read(&format!("\"{text}\""));
            assert_eq!(span.as_ref().map(Duration::as_nanos), Ok(u128::from(ticks) * 100), "{text}");
            assert_eq!(write(span.unwrap()).as_deref(), Ok(written));
        }
        assert_eq!(write(Duration::from_nanos(199)).as_deref(), Ok("00:00:00.0000001"));
        assert_eq!(write(Duration::from_nanos(99)).as_deref(), Ok("00:00:00"));
    }

    #[test]
    fn what_is_no_span_says_why() {
        let check = |json: &str, why: &str| {
            let error = read(json).unwrap_err();
            assert!(error.contains(why), "{json}: {error}");
        };
        check(r#""25:00:00""#, "invalid time span `25:00:00`: hours end at 23");
        check(r#""24:00:00""#, "hours end at 23");
        check(r#""00:60:00""#, "minutes end at 59");
        check(r#""00:00:60""#, "seconds end at 59");
        check(r#""00:00:01.123456789""#, "at most seven digits");
        check(r#""-00:00:01""#, "it is negative");
        check(r#""10675199.02:48:05.4775808""#, "longer than a C# TimeSpan can be");
        check(r#""10675200.00:00:00""#, "more days than a C# TimeSpan can hold");
        for text in [
            "",
            "PT1H",
            "1h",
            ":",
            "1:",
            "01:02:03.",
            "1.5",
            "01:02:03:04",
            "+01:02:03",
            "01:+2:03",
            " 01:02:03",
            "1.2.3:4:5",
            "é:1",
        ] {
            check(&format!("\"{text}\""), "it is not of the form");
        }
        check("3600", "invalid type: integer `3600`, expected a time span as text");
        check("null", "invalid type: null");
    }

    #[test]
    fn a_span_that_dotnet_cannot_hold_is_not_written() {
        let longest = read(r#""10675199.02:48:05.4775807""#).unwrap();
        assert!(write(longest + Duration::from_nanos(99)).is_ok());
        assert!(write(longest + Duration::from_nanos(100)).unwrap_err().ends_with("more than a C# TimeSpan can hold"));
        assert!(write(Duration::MAX).is_err());
    }
}
