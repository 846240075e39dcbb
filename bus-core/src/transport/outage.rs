use std::time::{Duration, Instant};

/// Decides what of something that fails and comes back belongs in a log: an outage is one line when it begins and
/// one when it ends, however often it is tried in between. What comes and goes all the time is told twice, then only
/// if it lasts.
///
/// ```
/// use bus_core::{clock::Clock, transport::Outage};
/// use std::time::Duration;
///
/// let (clock, mut outage) = (Clock::manual(1), Outage::default());
/// assert!(outage.begin(clock.now()), "tell it");
/// assert!(!outage.begin(clock.now()), "it goes on");
/// let later = clock.after(Duration::from_secs(30));
/// assert_eq!(outage.end(later), Some(Duration::from_secs(30)), "tell that it is over");
/// ```
#[derive(Debug, Default)]
pub struct Outage {
    since: Option<Instant>,
    told: bool,
    /// How many began soon after the one before.
    in_a_row: u32,
    ended: Option<Instant>,
}

/// An outage that begins within it belongs to the one before.
const SOON: Duration = Duration::from_secs(60);
/// So many of those that follow one another are told at once.
const AT_ONCE: u32 = 2;
/// One of the others is told when it lasts so long.
const LASTS: Duration = Duration::from_secs(10);

impl Outage {
    /// It does not work, now or still: whether that is to be told.
    pub fn begin(&mut self, now: Instant) -> bool {
        if self.since.is_none() {
            let soon = self.ended.is_some_and(|ended| now.saturating_duration_since(ended) < SOON);
            self.in_a_row = if soon { self.in_a_row.saturating_add(1) } else { 1 };
            (self.since, self.told) = (Some(now), false);
        }
        let lasts = self.since.is_some_and(|since| now.saturating_duration_since(since) >= LASTS);
        let tell = !self.told && (self.in_a_row <= AT_ONCE || lasts);
        self.told |= tell;
        tell
    }

    /// It works: how long it did not, if that is to be told.
    pub fn end(&mut self, now: Instant) -> Option<Duration> {
        let since = self.since.take()?;
        self.ended = Some(now);
        self.told.then(|| now.saturating_duration_since(since))
    }

    /// Since when it does not work.
    pub fn since(&self) -> Option<Instant> {
        self.since
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;

    #[test]
    fn what_comes_and_goes_is_told_twice_then_only_if_it_lasts() {
        let (clock, mut outage) = (Clock::manual(1), Outage::default());
        let second = || clock.advance_to(clock.after(Duration::from_secs(1)));
        let mut told = Vec::new();
        for _ in 0..1800 {
            let begins = outage.begin(clock.now());
            second();
            told.push((begins, outage.end(clock.now()).is_some()));
            second();
        }
        assert_eq!(told[..3], [(true, true), (true, true), (false, false)]);
        assert_eq!(told.iter().filter(|told| **told != (false, false)).count(), 2, "in an hour");
        // The next one lasts.
        let trying = (0..3600).filter(|_| {
            second();
            outage.begin(clock.now())
        });
        assert_eq!(trying.count(), 1);
        assert!(outage.end(clock.now()).is_some_and(|after| after > Duration::from_secs(3500)));
        // After a while of peace all is as it was.
        clock.advance_to(clock.after(SOON));
        assert!(outage.begin(clock.now()));
    }
}
