mod filter;
mod pace;
mod words;

use std::{error::Error, ops::Range, time::Duration};

use filter::{Filter, Kind};
use pace::Pace;

use crate::consumer::Failure;

/// When and how often a failed attempt is repeated within one delivery.
///
/// The message stays with its consumer meanwhile and holds one place of the endpoint's concurrency; the
/// count begins again if the process ends. The default is [`Retry::none`], as MassTransit has it.
///
/// Every failure is retried, panics too, unless a filter says otherwise. Either name the errors that are not
/// retried, with [`unless`](Self::unless) and [`unless_if`](Self::unless_if), or the only ones that are, with
/// [`only`](Self::only) and [`only_if`](Self::only_if); both together are refused by `build()`. They look at
/// the handler's error and at everything that it names as its source. What was said with an error outweighs
/// them, see [`Failure`].
///
/// ```
/// use bus_core::Retry;
/// use std::time::Duration;
///
/// let retry = Retry::exponential(5, Duration::from_millis(200)..Duration::from_secs(10))
///     .unless::<std::num::ParseIntError>()
///     .unless_if(|error: &std::io::Error| error.kind() == std::io::ErrorKind::NotFound);
/// assert_eq!(retry.delay(0), Some(Duration::from_millis(200)));
/// assert_eq!(retry.delay(5), None);
/// assert_eq!(
///     retry.to_string(),
///     "5 times, after 200ms and twice as long each time, up to 10s; not after ParseIntError, some Error"
/// );
/// ```
#[derive(Debug, Clone, Default)]
pub struct Retry {
    limit: u32,
    pace: Pace,
    filter: Filter,
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
        Self::paced(limit, Pace::Immediate)
    }

    /// Up to `limit` retries, each after `interval`.
    #[must_use]
    pub fn interval(limit: u32, interval: Duration) -> Self {
        Self::paced(limit, Pace::Interval(interval))
    }

    /// One retry after each of these pauses.
    #[must_use]
    pub fn intervals(pauses: impl IntoIterator<Item = Duration>) -> Self {
        let pauses: Vec<_> = pauses.into_iter().collect();
        Self::paced(u32::try_from(pauses.len()).unwrap_or(u32::MAX), Pace::Intervals(pauses))
    }

    /// Up to `limit` retries: the first after `initial`, each pause longer by `increment` than the one before.
    #[must_use]
    pub fn incremental(limit: u32, initial: Duration, increment: Duration) -> Self {
        Self::paced(limit, Pace::Incremental { initial, increment })
    }

    /// Up to `limit` retries: the first after about the start of the range, each pause twice the one
    /// before and never longer than the range's end; times 0.75 to 1.25 by chance, so that consumers that
    /// failed together do not come back together.
    #[must_use]
    pub fn exponential(limit: u32, pauses: Range<Duration>) -> Self {
        Self::paced(limit, Pace::Exponential(pauses))
    }

    fn paced(limit: u32, pace: Pace) -> Self {
        Self { limit, pace, filter: Filter::default() }
    }

    /// Errors of this type are not retried.
    #[must_use]
    pub fn unless<E: Error + 'static>(mut self) -> Self {
        self.filter.unless(Kind::all::<E>());
        self
    }

    /// Errors of this type are not retried if the predicate holds.
    #[must_use]
    pub fn unless_if<E: Error + 'static>(mut self, predicate: impl Fn(&E) -> bool + Send + Sync + 'static) -> Self {
        self.filter.unless(Kind::of(predicate));
        self
    }

    /// Errors of this type are retried, and others only if they are named too. A panic is none of them.
    #[must_use]
    pub fn only<E: Error + 'static>(mut self) -> Self {
        self.filter.only(Kind::all::<E>());
        self
    }

    /// Errors of this type are retried if the predicate holds, and others only if they are named too.
    #[must_use]
    pub fn only_if<E: Error + 'static>(mut self, predicate: impl Fn(&E) -> bool + Send + Sync + 'static) -> Self {
        self.filter.only(Kind::of(predicate));
        self
    }

    /// The same failures at another policy's pace.
    #[cfg(feature = "config")]
    pub(crate) fn at_pace_of(self, other: Self) -> Self {
        Self { filter: self.filter, ..other }
    }

    /// The pause after `retries` retries, or the middle of what chance makes of it; `None` if there is no further
    /// one.
    #[must_use]
    pub fn delay(&self, retries: u32) -> Option<Duration> {
        self.pause(retries, 0.5)
    }

    /// The same with chance in it, from 0 to 1.
    pub(crate) fn pause(&self, retries: u32, chance: f64) -> Option<Duration> {
        if retries < self.limit { self.pace.pause(retries, chance) } else { None }
    }

    /// How many retries there are at most.
    #[must_use]
    pub fn limit(&self) -> u32 {
        self.limit
    }

    /// Whether the filters let a failure be retried. Runs predicates of the user's.
    pub(crate) fn takes(&self, failure: &Failure) -> bool {
        self.filter.takes(failure)
    }

    /// Whether the filters let a panic be retried.
    pub(crate) fn takes_panics(&self) -> bool {
        self.filter.takes_panics()
    }

    /// What `build()` has against it.
    pub(crate) fn problems(&self) -> Vec<String> {
        self.pace.problem().into_iter().chain(self.filter.problem()).collect()
    }
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
        assert!(pauses(Retry::intervals([])).is_empty());
        assert_eq!(pauses(Retry::intervals([5 * SECOND, SECOND])), [5 * SECOND, SECOND]);
        assert_eq!(Retry::intervals([5 * SECOND, SECOND]).limit(), 2);
        assert_eq!(pauses(Retry::incremental(3, SECOND, 2 * SECOND)), [SECOND, 3 * SECOND, 5 * SECOND]);
        assert_eq!(pauses(Retry::incremental(3, SECOND, Duration::MAX)), [SECOND, Duration::MAX, Duration::MAX]);
        assert_eq!(pauses(Retry::exponential(50, Duration::MAX..Duration::MAX)).len(), 50);
        let grown = |chance| -> Vec<f64> {
            let retry = Retry::exponential(6, SECOND..10 * SECOND);
            (0..).map_while(|n| retry.pause(n, chance)).map(|pause| pause.as_secs_f64()).collect()
        };
        assert_eq!(grown(0.5), [1.0, 2.0, 4.0, 8.0, 10.0, 10.0]);
        assert_eq!(grown(0.0), [0.75, 1.5, 3.0, 6.0, 7.5, 7.5]);
        assert_eq!(grown(1.0), [1.25, 2.5, 5.0, 10.0, 10.0, 10.0]);
    }
}
