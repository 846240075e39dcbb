//! Points in time as the wire writes them: ISO 8601, UTC, at most seven fraction digits (100 ns).

use std::time::SystemTime;

use jiff::{Timestamp, fmt::temporal::DateTimePrinter};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// `2026-11-20T12:22:18.9445118Z`.
pub(crate) fn format(time: SystemTime) -> String {
    const PRINTER: DateTimePrinter = DateTimePrinter::new().precision(Some(7));
    let mut text = String::with_capacity(28);
    let timestamp = Timestamp::try_from(time).unwrap_or(Timestamp::UNIX_EPOCH);
    // Writing to a `String` cannot fail.
    let _ = PRINTER.print_timestamp(&timestamp, &mut text);
    text
}

/// Reads what peers write; a time without offset is taken as UTC.
pub(crate) fn parse(text: &str) -> Option<SystemTime> {
    let timestamp = text.parse::<Timestamp>().ok().or_else(|| {
        let local = text.parse::<jiff::civil::DateTime>().ok()?;
        local.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
    })?;
    Some(timestamp.into())
}

/// For `#[serde(serialize_with)]` of a [`SystemTime`].
pub(crate) fn serialize<S: Serializer>(time: &SystemTime, serializer: S) -> Result<S::Ok, S::Error> {
    format(*time).serialize(serializer)
}

/// For `#[serde(deserialize_with)]` of a [`SystemTime`].
pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SystemTime, D::Error> {
    let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
    parse(&text).ok_or_else(|| D::Error::custom(format_args!("`{text}` is no date and time")))
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
        ] {
            assert_eq!(format(parse(text).unwrap()), written);
        }
        assert_eq!(parse("nonsense"), None);
    }
}
