//! Deadlines.

use std::time::{Duration, Instant};

use super::{entry::Entry, worker::Worker};

/// Deadlines are looked at no more often.
const SWEEP: Duration = Duration::from_millis(5);

impl Worker {
    /// Tells the outcome of what is past its deadline. What lapin has keeps its permit: lapin sends it all the
    /// same, and the window would have no bound.
    pub(super) fn sweep(&mut self) {
        let now = self.clock.now();
        let reason = self.status.borrow().reason(now);
        let mut earliest: Option<Instant> = None;
        let mut late = |entry: &mut Entry| match entry.deadline() {
            Some(deadline) if deadline <= now => {
                entry.give_up(format!("no answer for {} until the deadline: {reason}", entry.message.to));
                true
            }
            Some(deadline) => {
                earliest = Some(earliest.map_or(deadline, |earliest| earliest.min(deadline)));
                false
            }
            None => false,
        };
        self.line.retain(|entry| !late(entry));
        self.flying.values_mut().for_each(|entry| {
            late(entry);
        });
        self.earliest = earliest.map(|earliest| earliest.max(now + SWEEP));
        self.stuck();
    }

    /// A suspect flies alone: one that is given up, or one that flies before it and is given up, would hold up
    /// everything until the broker answers, if it ever does. They go down with their channel, and the rest is
    /// sent again.
    pub(super) fn stuck(&mut self) {
        let first = self.flying.values().next();
        let suspects = first.into_iter().chain(self.line.front()).any(|entry| entry.suspect);
        if suspects && self.flying.values().any(|entry| entry.deadline().is_none()) {
            self.lost();
        }
    }
}
