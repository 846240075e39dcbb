use std::{
    collections::{BTreeSet, HashSet},
    time::{Duration, Instant},
};

use bus_core::clock::Clock;

use super::{bell::Bell, message::Entry};

/// Until when one consumer has what it has.
#[derive(Debug)]
pub(super) struct Leases {
    length: Duration,
    /// The consumer's.
    clock: Clock,
    /// When each message's lease is over, with the message's position.
    ends: BTreeSet<(Instant, u64)>,
    bell: Bell,
}

impl Leases {
    pub(super) fn new(length: Duration, clock: Clock, bell: Bell) -> Self {
        Self { length, clock, ends: BTreeSet::new(), bell }
    }

    /// A lease begins, or begins anew.
    pub(super) fn begin(&mut self, entry: &mut Entry) -> Instant {
        self.end(entry);
        let until = self.clock.after(self.length);
        entry.lease = Some(until);
        self.ends.insert((until, entry.sequence));
        self.bell.by(until, &self.clock);
        until
    }

    /// The consumer has the message no more.
    pub(super) fn end(&mut self, entry: &mut Entry) {
        if let Some(until) = entry.lease.take() {
            self.ends.remove(&(until, entry.sequence));
        }
    }

    /// The positions of the messages whose leases are over.
    pub(super) fn over(&mut self, rung: Instant) -> HashSet<u64> {
        self.bell.rang(rung);
        let later = self.ends.split_off(&(self.clock.now().max(rung), u64::MAX));
        let over = std::mem::replace(&mut self.ends, later);
        if let Some((next, _)) = self.ends.first() {
            self.bell.by(*next, &self.clock);
        }
        over.into_iter().map(|(_, sequence)| sequence).collect()
    }

    pub(super) fn move_alarm(&mut self) {
        self.bell.move_alarm();
    }
}
