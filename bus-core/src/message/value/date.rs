use std::fmt;

use jiff::civil;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{calendar, text};

/// C# `DateOnly`: a day of the calendar, `"2026-02-28"`, years 1 to 9999. Needs no serde attribute.
///
/// ```
/// use bus_core::message::value::Date;
///
/// let day: Date = serde_json::from_str(r#""2026-02-28""#)?;
/// assert_eq!((day.year(), day.month(), day.day()), (2026, 2, 28));
/// assert_eq!(serde_json::to_string(&day)?, r#""2026-02-28""#);
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// # Errors
/// Reading fails on any other form, also on a date with a time of day, which MassTransit refuses too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    year: u16,
    month: u8,
    day: u8,
}

impl Date {
    /// A day; `None` if the calendar has no such day between the years 1 and 9999.
    ///
    /// ```
    /// # use bus_core::message::value::Date;
    /// assert_eq!(Date::new(2024, 2, 29).unwrap().to_string(), "2024-02-29");
    /// assert_eq!(Date::new(2026, 2, 29), None);
    /// ```
    #[must_use]
    pub fn new(year: u16, month: u8, day: u8) -> Option<Self> {
        let (y, m, d) = (i16::try_from(year).ok()?, i8::try_from(month).ok()?, i8::try_from(day).ok()?);
        civil::Date::new(y, m, d).ok().filter(|_| year > 0).map(|_| Self { year, month, day })
    }

    /// 1 to 9999.
    #[must_use]
    pub fn year(&self) -> u16 {
        self.year
    }

    /// 1 to 12.
    #[must_use]
    pub fn month(&self) -> u8 {
        self.month
    }

    /// 1 to 31.
    #[must_use]
    pub fn day(&self) -> u8 {
        self.day
    }
}

/// ISO 8601, as on the wire.
impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

impl Serialize for Date {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Date {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text::deserialize(deserializer, "date", |text| {
            let date = calendar::read_date(text)?;
            let [month, day] = [date.month(), date.day()].map(i8::unsigned_abs);
            Ok(Self { year: date.year().unsigned_abs(), month, day })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_read_and_written() {
        for (text, year, month, day) in [
            ("2026-02-28", 2026, 2, 28),
            ("2024-02-29", 2024, 2, 29),
            ("0001-01-01", 1, 1, 1),
            ("9999-12-31", 9999, 12, 31),
        ] {
            let date: Date = serde_json::from_str(&format!("\"{text}\"")).unwrap();
            assert_eq!(Some(date), Date::new(year, month, day));
            assert_eq!(date.to_string(), text);
        }
        assert!(Date::new(2026, 2, 28) < Date::new(2026, 3, 1));
        for (year, month, day) in [(2026, 2, 29), (2026, 13, 1), (2026, 0, 1), (2026, 1, 0), (0, 1, 1), (10_000, 1, 1)]
        {
            assert_eq!(Date::new(year, month, day), None);
        }
    }

    #[test]
    fn what_is_no_day_says_so() {
        for text in ["", "2026-02-28T00:00:00Z", "2026-02-29", "2026-2-28", "0000-01-01", "28.02.2026", "2026-02-28 "] {
            let error = serde_json::from_str::<Date>(&format!("\"{text}\"")).unwrap_err().to_string();
            let expected = format!("invalid date `{text}`: it is not a date of the form `2026-02-28`");
            assert!(error.starts_with(&expected), "{error}");
        }
        assert!(serde_json::from_str::<Date>("20260228").is_err());
    }
}
