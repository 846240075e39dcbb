use std::fmt;

use super::{Retry, filter::Kind, pace::Pace};
use crate::naming::short_name;

/// In words: `5 times, after 200ms and twice as long each time, up to 10s; not after ParseIntError`.
impl fmt::Display for Retry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.limit {
            0 => return f.write_str("never"),
            1 => f.write_str("once")?,
            limit => write!(f, "{limit} times")?,
        }
        match &self.pace {
            Pace::Immediate => f.write_str(", at once")?,
            Pace::Interval(pause) if self.limit == 1 => write!(f, ", after {pause:?}")?,
            Pace::Interval(pause) => write!(f, ", after {pause:?} each")?,
            Pace::Intervals(pauses) => {
                let pauses: Vec<_> = pauses.iter().map(|pause| format!("{pause:?}")).collect();
                write!(f, ", after {}", pauses.join(", "))?;
            }
            Pace::Incremental { initial, increment } => {
                write!(f, ", after {initial:?} and {increment:?} longer each time")?;
            }
            Pace::Exponential(pauses) => {
                write!(f, ", after {:?} and twice as long each time, up to {:?}", pauses.start, pauses.end)?;
            }
        }
        kinds(f, "only after", &self.filter.only)?;
        kinds(f, "not after", &self.filter.unless)
    }
}

fn kinds(f: &mut fmt::Formatter<'_>, label: &str, kinds: &[Kind]) -> fmt::Result {
    let names: Vec<_> = kinds
        .iter()
        .map(|kind| format!("{}{}", if kind.all { "" } else { "some " }, short_name(kind.error_type)))
        .collect();
    if names.is_empty() { Ok(()) } else { write!(f, "; {label} {}", names.join(", ")) }
}

#[cfg(test)]
mod tests {
    use std::{io, num::ParseIntError, time::Duration};

    use super::*;

    #[test]
    fn policies_are_told_in_words() {
        const SECOND: Duration = Duration::from_secs(1);
        for (retry, words) in [
            (Retry::none(), "never"),
            (Retry::intervals([]), "never"),
            (Retry::immediate(1), "once, at once"),
            (Retry::interval(1, SECOND), "once, after 1s"),
            (Retry::interval(3, SECOND), "3 times, after 1s each"),
            (Retry::intervals([SECOND, 5 * SECOND]), "2 times, after 1s, 5s"),
            (Retry::incremental(3, SECOND, 2 * SECOND), "3 times, after 1s and 2s longer each time"),
            (Retry::exponential(5, SECOND / 5..SECOND), "5 times, after 200ms and twice as long each time, up to 1s"),
            (
                Retry::immediate(2).unless::<ParseIntError>().unless_if(|_: &io::Error| true),
                "2 times, at once; not after ParseIntError, some Error",
            ),
            (Retry::immediate(2).only::<ParseIntError>(), "2 times, at once; only after ParseIntError"),
        ] {
            assert_eq!(retry.to_string(), words);
        }
    }
}
