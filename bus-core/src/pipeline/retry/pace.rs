use std::{ops::Range, time::Duration};

/// How the pauses of a policy follow each other.
#[derive(Debug, Clone, Default)]
pub(super) enum Pace {
    #[default]
    Immediate,
    Interval(Duration),
    Intervals(Vec<Duration>),
    Incremental {
        initial: Duration,
        increment: Duration,
    },
    Exponential(Range<Duration>),
}

impl Pace {
    /// The pause after `retries` retries; `None` if a list ended. `chance` is from 0 to 1.
    pub(super) fn pause(&self, retries: u32, chance: f64) -> Option<Duration> {
        Some(match self {
            Self::Immediate => Duration::ZERO,
            Self::Interval(interval) => *interval,
            Self::Intervals(pauses) => *pauses.get(usize::try_from(retries).ok()?)?,
            Self::Incremental { initial, increment } => initial.saturating_add(increment.saturating_mul(retries)),
            Self::Exponential(pauses) => {
                let pause = pauses.start.saturating_mul(2_u32.saturating_pow(retries)).min(pauses.end);
                // `Duration::MAX` times more than one is no duration.
                let spread = pause.as_secs_f64() * (0.75 + 0.5 * chance);
                Duration::try_from_secs_f64(spread).unwrap_or(pauses.end).min(pauses.end)
            }
        })
    }
    /// What is wrong with it.
    pub(super) fn problem(&self) -> Option<String> {
        let Self::Exponential(Range { start, end }) = self else { return None };
        if start > end {
            return Some(format!(
                "its retry policy's pauses begin at {start:?} and end at {end:?}, which is shorter: write the shorter one first"
            ));
        }
        start.is_zero().then(|| {
            "its retry policy's pauses begin at zero, and twice nothing is nothing: begin with a millisecond, or write \
             `Retry::immediate(..)`"
                .to_owned()
        })
    }
}
