//! Points in time as the wire writes them: ISO 8601, UTC, at most seven fraction digits (100 ns). In JSON without
//! trailing zeros, in the headers of a fault with all seven digits, as MassTransit has it.

use std::{borrow::Cow, time::SystemTime};

use jiff::{Timestamp, fmt::temporal::DateTimePrinter};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// `2026-11-20T12:22:18.9445110Z`.
pub(crate) fn format(time: SystemTime) -> String {
    const PRINTER: DateTimePrinter = DateTimePrinter::new().precision(Some(7));
    let mut text = String::with_capacity(28);
    let timestamp = Timestamp::try_from(time).unwrap_or(Timestamp::UNIX_EPOCH);
    // Writing to a `String` cannot fail.
    let _ = PRINTER.print_timestamp(&timestamp, &mut text);
    text
}

/// `2026-11-20T12:22:18.944511Z`, and `2026-11-20T12:22:18Z` for a whole second.
pub(crate) fn trimmed(time: SystemTime) -> String {
    let mut text = format(time);
    if let Some(digits) = text.strip_suffix('Z') {
        let length = digits.trim_end_matches('0').trim_end_matches('.').len();
        text.truncate(length);
        text.push('Z');
    }
    text
}

/// Reads what peers write; a time without offset is taken as UTC.
pub(crate) fn parse(text: &str) -> Option<SystemTime> {
    let text = &*at_most_nine_digits(text);
    let timestamp = text.parse::<Timestamp>().ok().or_else(|| {
        let local = text.parse::<jiff::civil::DateTime>().ok()?;
        local.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
    })?;
    Some(timestamp.into())
}

/// A fraction of any length, as .NET takes it, cut to what `jiff` takes.
fn at_most_nine_digits(text: &str) -> Cow<'_, str> {
    let Some((whole, fraction)) = text.split_once('.') else { return text.into() };
    let digits = fraction.bytes().take_while(u8::is_ascii_digit).count();
    if digits <= 9 {
        return text.into();
    }
    format!("{whole}.{}{}", &fraction[..9], &fraction[digits..]).into()
}

/// For `#[serde(serialize_with)]` of a [`SystemTime`].
pub(crate) fn serialize<S: Serializer>(time: &SystemTime, serializer: S) -> Result<S::Ok, S::Error> {
    trimmed(*time).serialize(serializer)
}

/// For `#[serde(deserialize_with)]` of a [`SystemTime`].
pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SystemTime, D::Error> {
    let text = Cow::<str>::deserialize(deserializer)?;
    parse(&text).ok_or_else(|| D::Error::custom("it is no date and time"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_written_with_seven_digits_and_read_in_every_form_of_the_captures() {
        for (text, written) in [
            ("2026-11-20T12:22:18.9445118Z", "2026-11-20T12:22:18.9445118Z"),
            ("2026-11-20T10:20:30+02:00", "2026-11-20T08:20:30.0000000Z"),
            ("2026-11-20T10:20:30", "2026-11-20T10:20:30.0000000Z"),
            ("2026-11-20T10:20:30.123456789Z", "2026-11-20T10:20:30.1234567Z"),
            ("2026-11-20T10:20:30.1234567890123456Z", "2026-11-20T10:20:30.1234567Z"),
            ("2026-11-20", "2026-11-20T00:00:00.0000000Z"),
        ] {
            assert_eq!(format(parse(text).unwrap()), written);
        }
        assert_eq!(parse("nonsense"), None);
    }

    #[test]
    fn in_json_trailing_zeros_are_left_out() {
        for text in ["2026-11-20T12:47:45.987497Z", "2026-11-20T10:20:30Z", "2026-11-20T10:20:00.5Z"] {
            assert_eq!(trimmed(parse(text).unwrap()), text);
        }
    }
}
