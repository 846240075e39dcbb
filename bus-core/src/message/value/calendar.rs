//! Dates and times of day as .NET reads and writes them: ISO 8601, years 1 to 9999, steps of 100 ns.

use std::{
    fmt,
    time::{Duration, SystemTime},
};

use jiff::{SignedDuration, civil};

/// The largest offset from UTC that .NET knows, in minutes: 14 hours.
pub(super) const MAX_OFFSET: i16 = 14 * 60;

const EPOCH: civil::DateTime = civil::DateTime::constant(1970, 1, 1, 0, 0, 0, 0);

/// A date and a time of day with the offset in minutes that stood beside them.
pub(super) struct Local {
    pub(super) time: civil::DateTime,
    pub(super) offset: Option<i16>,
}

/// `2026-02-28` and nothing else.
pub(super) fn read_date(text: &str) -> Result<civil::Date, &'static str> {
    let mut rest = Rest(text.as_bytes());
    rest.date().filter(|_| rest.0.is_empty()).ok_or("it is not a date of the form `2026-02-28`")
}

/// `2026-11-20T10:20:30.1234567+05:30`; seconds, fraction, offset and the whole time of day may be missing.
/// A fraction may have any number of digits; those after the seventh are cut, as .NET does.
pub(super) fn read(text: &str) -> Result<Local, &'static str> {
    const WHY: &str = "it is not a date and time of the form `2026-11-20T10:20:30.1234567+05:30`";
    let mut rest = Rest(text.as_bytes());
    let local = rest.date_time().ok_or(WHY)?;
    if !rest.0.is_empty() {
        return Err(WHY);
    }
    if local.offset.is_some_and(|offset| offset.abs() > MAX_OFFSET) {
        return Err("the offset is more than 14 hours");
    }
    Ok(local)
}

/// The instant at which clocks that are `offset` minutes ahead of UTC show `time`.
pub(super) fn instant(time: civil::DateTime, offset: i16) -> Result<SystemTime, &'static str> {
    let since = time.duration_since(EPOCH) - SignedDuration::from_mins(offset.into());
    utc(since).ok_or("in UTC it lies outside the years 1 to 9999")?;
    let time = if since.is_negative() {
        SystemTime::UNIX_EPOCH.checked_sub(since.unsigned_abs())
    } else {
        SystemTime::UNIX_EPOCH.checked_add(since.unsigned_abs())
    };
    time.ok_or("this platform's clock does not reach that far")
}

/// What clocks that are `offset` minutes ahead of UTC show at `instant`; `None` outside the years 1 to 9999, in UTC or
/// there.
pub(super) fn local(instant: SystemTime, offset: i16) -> Option<civil::DateTime> {
    let since = match instant.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(after) => SignedDuration::try_from(after).ok()?,
        Err(before) => -SignedDuration::try_from(before.duration()).ok()?,
    };
    let time = utc(since)?.checked_add(SignedDuration::from_mins(offset.into())).ok()?;
    in_range(time)
}

fn utc(since: SignedDuration) -> Option<civil::DateTime> {
    EPOCH.checked_add(since).ok().and_then(in_range)
}

fn in_range(time: civil::DateTime) -> Option<civil::DateTime> {
    (1..=9999).contains(&time.year()).then_some(time)
}

/// `2026-11-20T10:20:30.1234567`, without the zeros at the end; what is finer than 100 ns is cut.
pub(super) struct Written(pub(super) civil::DateTime);

impl fmt::Display for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (date, time) = (self.0.date(), self.0.time());
        write!(f, "{:04}-{:02}-{:02}", date.year(), date.month(), date.day())?;
        write!(f, "T{:02}:{:02}:{:02}", time.hour(), time.minute(), time.second())?;
        match time.subsec_nanosecond() / 100 {
            0 => Ok(()),
            ticks => write!(f, ".{}", format!("{ticks:07}").trim_end_matches('0')),
        }
    }
}

/// Cuts an instant to 100 ns, towards the past.
pub(super) fn whole_ticks(instant: SystemTime) -> SystemTime {
    let beyond = |duration: Duration| Duration::from_nanos(u64::from(duration.subsec_nanos() % 100));
    match instant.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(after) => instant - beyond(after),
        Err(before) => match beyond(before.duration()) {
            Duration::ZERO => instant,
            short => instant - (Duration::from_nanos(100) - short),
        },
    }
}

/// What of a text is not read yet.
struct Rest<'a>(&'a [u8]);

impl Rest<'_> {
    fn date_time(&mut self) -> Option<Local> {
        let date = self.date()?;
        if self.0.is_empty() {
            return Some(Local { time: date.to_datetime(civil::Time::midnight()), offset: None });
        }
        // .NET wants the `T`; RFC 3339 allows the others.
        let _ = self.one_of(b"Tt ")?;
        let (hour, minute) = (self.digits(2)?, self.colon()?.digits(2)?);
        let (mut second, mut nanosecond) = (0, 0);
        if self.one_of(b":").is_some() {
            second = self.digits(2)?;
            if self.one_of(b".").is_some() {
                nanosecond = self.fraction()?;
            }
        }
        let offset = match self.one_of(b"Zz+-") {
            None => None,
            Some(b'Z' | b'z') => Some(0),
            Some(sign) => {
                let hours = self.digits(2)?;
                let minutes = if self.0.is_empty() { 0 } else { self.colon()?.digits(2).filter(|m| *m < 60)? };
                let offset = hours * 60 + minutes;
                Some(if sign == b'-' { -offset } else { offset })
            }
        };
        let short = |number: i16| i8::try_from(number).ok();
        let time = civil::Time::new(short(hour)?, short(minute)?, short(second)?, nanosecond).ok()?;
        Some(Local { time: date.to_datetime(time), offset })
    }

    fn date(&mut self) -> Option<civil::Date> {
        let year = self.digits(4).filter(|year| *year > 0)?;
        let _ = self.one_of(b"-")?;
        let month = self.digits(2)?;
        let _ = self.one_of(b"-")?;
        let day = self.digits(2)?;
        civil::Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
    }

    /// Exactly so many digits, at most four.
    fn digits(&mut self, count: usize) -> Option<i16> {
        let (digits, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        digits.iter().try_fold(0, |number, digit| digit.is_ascii_digit().then(|| number * 10 + i16::from(digit - b'0')))
    }

    /// One or more digits after the point, as nanoseconds cut to 100.
    fn fraction(&mut self) -> Option<i32> {
        let end = self.0.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(self.0.len());
        let (digits, rest) = self.0.split_at(end);
        self.0 = rest;
        let ticks = (0..7).fold(0, |ticks, at| ticks * 10 + digits.get(at).map_or(0, |digit| i32::from(digit - b'0')));
        (end > 0).then_some(ticks * 100)
    }

    fn colon(&mut self) -> Option<&mut Self> {
        self.one_of(b":").map(|_| self)
    }

    fn one_of(&mut self, these: &[u8]) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        these.contains(first).then(|| {
            self.0 = rest;
            *first
        })
    }
}
