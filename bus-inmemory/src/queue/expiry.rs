use std::{
    collections::{BTreeMap, HashSet},
    time::Instant,
};

use bus_core::{clock::Clock, transport::Lane};

use super::{after::After, bell::Bell, message::Entry, state::State};

/// When the messages of a queue with a dead-letter queue expire, since there it happens also if nobody looks.
/// Elsewhere it is enough that they are not handed out.
#[derive(Debug)]
pub(super) struct Expiry {
    /// By time and position, with the lane in which it may be found.
    ends: BTreeMap<(Instant, u64), Option<Lane>>,
    bell: Bell,
}

impl Expiry {
    pub(super) fn new(bell: Bell) -> Self {
        Self { ends: BTreeMap::new(), bell }
    }

    /// A message entered the queue.
    pub(super) fn expect(&mut self, entry: &Entry, clock: &Clock) {
        if let Some(at) = entry.expires {
            self.ends.insert((at, entry.sequence), entry.message.lane.clone());
            self.bell.by(at, clock);
        }
    }

    /// A message left the queue in time.
    pub(super) fn forget(&mut self, entry: &Entry) {
        if let Some(at) = entry.expires {
            self.ends.remove(&(at, entry.sequence));
        }
    }

    pub(super) fn move_alarm(&mut self) {
        self.bell.move_alarm();
    }

    /// The messages whose time is over: position and lane.
    fn over(&mut self, rung: Instant, clock: &Clock) -> impl Iterator<Item = (u64, Option<Lane>)> {
        self.bell.rang(rung);
        let later = self.ends.split_off(&(clock.now().max(rung), u64::MAX));
        let over = std::mem::replace(&mut self.ends, later);
        if let Some(((next, _), _)) = self.ends.first_key_value() {
            self.bell.by(*next, clock);
        }
        over.into_iter().map(|((_, sequence), lane)| (sequence, lane))
    }
}

impl State {
    /// Messages may have expired. Those that were handed out have not, unless they come back.
    pub(super) fn expire(&mut self, rung: Instant, clock: &Clock, after: &mut After) {
        let Some(expiry) = &mut self.expiry else { return };
        let mut elsewhere = HashSet::new();
        for (sequence, lane) in expiry.over(rung, clock) {
            match self.waiting.remove(sequence, lane.as_ref()) {
                Some(entry) => after.drop_expired(entry, clock),
                None => drop(elsewhere.insert(sequence)),
            }
        }
        let mut drained = Vec::new();
        if !elsewhere.is_empty() {
            for (slot, consumer) in &mut self.consumers {
                let entries = consumer.drain(|entry| elsewhere.contains(&entry.sequence));
                if !entries.is_empty() {
                    drained.push((slot, consumer.in_flight.clone(), entries.len()));
                }
                for entry in entries {
                    self.waiting.left(&entry);
                    after.drop_expired(entry, clock);
                }
            }
        }
        drained.iter().for_each(|(slot, ..)| self.line_up(*slot));
        self.deal(clock, after);
        drained.iter().for_each(|(_, in_flight, messages)| in_flight.remove(*messages));
    }
}
