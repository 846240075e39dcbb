use std::{fmt, time::SystemTime};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{calendar, text};

/// C# `DateTimeOffset`: an instant, and how far local clocks were from UTC: `"2026-11-20T10:20:30+05:30"`.
///
/// Needs no serde attribute. It holds what C# can hold: steps of 100 ns, years 1 to 9999, offsets up to 14
/// hours. Two values are equal if instant and offset are. Where only the instant counts,
/// [`date_time`](super::date_time) reads the same texts.
///
/// ```
/// use std::time::{Duration, SystemTime};
///
/// use bus_core::message::value::DateTimeOffset;
///
/// let at: DateTimeOffset = serde_json::from_str(r#""1970-01-01T05:30:00.5+05:30""#)?;
/// assert_eq!(at.instant(), SystemTime::UNIX_EPOCH + Duration::from_millis(500));
/// assert_eq!(at.offset_minutes(), 330);
/// assert_eq!(serde_json::to_string(&at)?, r#""1970-01-01T05:30:00.5+05:30""#);
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// # Errors
/// Reading fails as [`date_time`](super::date_time::deserialize) does. A text without offset is taken as UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DateTimeOffset {
    instant: SystemTime,
    offset_minutes: i16,
}

impl DateTimeOffset {
    /// An instant, cut to 100 ns, as seen where clocks are `offset_minutes` ahead of UTC.
    ///
    /// `None` if C# cannot hold it: an offset of more than 14 hours, or a year outside 1 to 9999.
    ///
    /// ```
    /// # use std::time::SystemTime;
    /// # use bus_core::message::value::DateTimeOffset;
    /// let in_india = DateTimeOffset::new(SystemTime::UNIX_EPOCH, 330).unwrap();
    /// assert_eq!(in_india.to_string(), "1970-01-01T05:30:00+05:30");
    /// assert_eq!(DateTimeOffset::new(SystemTime::UNIX_EPOCH, 15 * 60), None);
    /// ```
    #[must_use]
    pub fn new(instant: SystemTime, offset_minutes: i16) -> Option<Self> {
        let known = (-calendar::MAX_OFFSET..=calendar::MAX_OFFSET).contains(&offset_minutes);
        calendar::local(instant, offset_minutes).filter(|_| known)?;
        Some(Self { instant: calendar::whole_ticks(instant), offset_minutes })
    }

    /// The point in time.
    #[must_use]
    pub fn instant(&self) -> SystemTime {
        self.instant
    }

    /// How many minutes local clocks were ahead of UTC; behind it, the number is negative.
    #[must_use]
    pub fn offset_minutes(&self) -> i16 {
        self.offset_minutes
    }
}

/// ISO 8601, as on the wire.
impl fmt::Display for DateTimeOffset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = calendar::local(self.instant, self.offset_minutes).ok_or(fmt::Error)?;
        let sign = if self.offset_minutes < 0 { '-' } else { '+' };
        let offset = self.offset_minutes.unsigned_abs();
        write!(f, "{}{sign}{:02}:{:02}", calendar::Written(time), offset / 60, offset % 60)
    }
}

impl Serialize for DateTimeOffset {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for DateTimeOffset {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text::deserialize(deserializer, "date and time", |text| {
            let local = calendar::read(text)?;
            let offset_minutes = local.offset.unwrap_or(0);
            Ok(Self { instant: calendar::instant(local.time, offset_minutes)?, offset_minutes })
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_offset_is_kept() {
        for (text, written) in [
            ("2026-11-20T10:20:30.0000001+05:30", "2026-11-20T10:20:30.0000001+05:30"),
            ("2026-11-20T10:20:30.123+02:00", "2026-11-20T10:20:30.123+02:00"),
            ("2026-11-20T10:20:30-00:30", "2026-11-20T10:20:30-00:30"),
            ("2026-11-20T10:20:30-14:00", "2026-11-20T10:20:30-14:00"),
            ("2026-11-20T10:20:30Z", "2026-11-20T10:20:30+00:00"),
            ("2026-11-20T10:20:30", "2026-11-20T10:20:30+00:00"),
            ("2026-11-20", "2026-11-20T00:00:00+00:00"),
            ("2026-11-20T10:20:30.1234567890123456Z", "2026-11-20T10:20:30.1234567+00:00"),
            ("0001-01-01T00:00:00+00:00", "0001-01-01T00:00:00+00:00"),
            ("9999-12-31T23:59:59.9999999+00:00", "9999-12-31T23:59:59.9999999+00:00"),
        ] {
            let read: DateTimeOffset = serde_json::from_str(&format!("\"{text}\"")).unwrap();
            assert_eq!(read.to_string(), written);
            assert_eq!(DateTimeOffset::new(read.instant(), read.offset_minutes()), Some(read));
        }
        assert!(serde_json::from_str::<DateTimeOffset>("5").is_err());
        assert!(serde_json::from_str::<DateTimeOffset>(r#""2026-11-20T10:20:30+15:00""#).is_err());
    }

    #[test]
    fn it_holds_what_dotnet_can_hold() {
        let new = |text: &str, offset| {
            let at: DateTimeOffset = serde_json::from_str(&format!("\"{text}\"")).unwrap();
            DateTimeOffset::new(at.instant(), offset).map(|at| at.to_string())
        };
        assert_eq!(new("2026-11-20", 840).as_deref(), Some("2026-11-20T14:00:00+14:00"));
        assert_eq!(new("2026-11-20", 841), None);
        assert_eq!(new("2026-11-20", -841), None);
        assert_eq!(new("2026-11-20", i16::MIN), None);
        assert_eq!(new("9999-12-31T23:59:59", 1), None);
        assert_eq!(new("0001-01-01T00:00:00", -1), None);
    }

    #[test]
    fn instants_are_cut_to_100_ns_towards_the_past() {
        let (epoch, ns) = (SystemTime::UNIX_EPOCH, Duration::from_nanos);
        for (instant, cut) in [
            (epoch + ns(199), epoch + ns(100)),
            (epoch + ns(99), epoch),
            (epoch - ns(1), epoch - ns(100)),
            (epoch - ns(100), epoch - ns(100)),
            (epoch - ns(101), epoch - ns(200)),
        ] {
            assert_eq!(DateTimeOffset::new(instant, 0).unwrap().instant(), cut);
        }
    }
}
