use std::{ops::Range, time::Duration};

/// When and how often a failed attempt is repeated within one delivery.
///
/// The message stays with its consumer meanwhile and holds one place of the endpoint's concurrency; the
/// count begins again if the process ends. The default is [`Retry::none`], as MassTransit has it.
///
/// ```
/// use bus_core::Retry;
/// use std::time::Duration;
///
/// let retry = Retry::exponential(5, Duration::from_millis(200)..Duration::from_secs(10));
/// assert!(retry.delay(0).unwrap() >= Duration::from_millis(150));
/// assert_eq!(retry.delay(5), None);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Retry {
    limit: u32,
    pace: Pace,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
enum Pace {
    #[default]
    Immediate,
    Interval(Duration),
    Exponential(Range<Duration>),
}

impl Retry {
    /// No retries: the first failure is the last.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Up to `limit` retries without a pause.
    #[must_use]
    pub fn immediate(limit: u32) -> Self {
        Self { limit, pace: Pace::Immediate }
    }

    /// Up to `limit` retries, each after `interval`.
    #[must_use]
    pub fn interval(limit: u32, interval: Duration) -> Self {
        Self { limit, pace: Pace::Interval(interval) }
    }

    /// Up to `limit` retries: the first after about the start of the range, each pause twice the one
    /// before and never longer than the range's end; times 0.75 to 1.25 by chance, so that consumers that
    /// failed together do not come back together.
    #[must_use]
    pub fn exponential(limit: u32, pauses: Range<Duration>) -> Self {
        Self { limit, pace: Pace::Exponential(pauses) }
    }

    /// The pause after `retries` retries; `None` if there is no further one.
    #[must_use]
    pub fn delay(&self, retries: u32) -> Option<Duration> {
        if retries >= self.limit {
            return None;
        }
        Some(match &self.pace {
            Pace::Immediate => Duration::ZERO,
            Pace::Interval(interval) => *interval,
            Pace::Exponential(pauses) => {
                let pause = pauses.start.saturating_mul(2_u32.saturating_pow(retries)).min(pauses.end);
                // `Duration::MAX` times more than one is no duration.
                let spread = pause.as_secs_f64() * (0.75 + 0.5 * chance());
                Duration::try_from_secs_f64(spread).unwrap_or(pauses.end).min(pauses.end)
            }
        })
    }

    /// How many retries there are at most.
    #[must_use]
    pub fn limit(&self) -> u32 {
        self.limit
    }
}

/// A number from 0 to 1, good enough to spread retries: the random bits of a new id.
fn chance() -> f64 {
    f64::from(u32::try_from(uuid::Uuid::new_v4().as_u128() & 0xFFFF_FFFF).unwrap_or(0)) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_policy_gives_as_many_pauses_as_its_limit() {
        let pauses = |retry: Retry| -> Vec<Duration> { (0..).map_while(|n| retry.delay(n)).collect() };
        assert!(pauses(Retry::none()).is_empty());
        assert_eq!(pauses(Retry::immediate(2)), [Duration::ZERO; 2]);
        assert_eq!(pauses(Retry::interval(3, SECOND)), [SECOND; 3]);
        assert_eq!(pauses(Retry::exponential(50, Duration::MAX..Duration::MAX)).len(), 50);
        let grown = pauses(Retry::exponential(40, SECOND..10 * SECOND));
        assert_eq!(grown.len(), 40);
        for (n, pause) in grown.into_iter().enumerate() {
            let middle = SECOND.mul_f64(2_f64.powi(i32::try_from(n).unwrap())).min(10 * SECOND);
            assert!(pause >= middle.mul_f64(0.75) && pause <= middle.mul_f64(1.25).min(10 * SECOND), "{n}: {pause:?}");
        }
    }
}
