use std::{collections::HashSet, time::Instant};

use bus_core::{clock::Clock, transport::Lane};

use super::{
    after::After,
    consumer::{Intake, Key},
    message::Entry,
    state::State,
};

/// The ways in which a message comes back to its place.
impl State {
    /// Puts a delivery back; nothing if it is no longer the consumer's.
    pub(super) fn release(&mut self, key: Key, number: u64, clock: &Clock, after: &mut After) -> Option<()> {
        let entry = self.consumer(key)?.unhold(number)?;
        if self.waiting.has_lanes() && entry.message.lane.is_some() {
            self.give_back(key.slot, vec![entry], 0, clock, after);
        } else {
            self.put_back(entry, clock, after);
            self.freed(key.slot, clock, after);
        }
        Some(())
    }

    /// The leases of a consumer's messages may be over.
    pub(super) fn lapse(&mut self, key: Key, rung: Instant, clock: &Clock, after: &mut After) {
        let Some(consumer) = self.consumer(key) else { return };
        let Some(leases) = &mut consumer.leases else { return };
        let over = leases.over(rung);
        if over.is_empty() {
            return;
        }
        let is_over = |entry: &Entry| over.contains(&entry.sequence);
        let mut entries = consumer.drain(is_over);
        let drained = entries.len();
        entries.extend(consumer.unhold_all(is_over));
        self.give_back(key.slot, entries, drained, clock, after);
    }

    /// No more for this consumer; what it did not hand out goes back.
    pub(super) fn shut(&mut self, key: Key, intake: Intake, clock: &Clock, after: &mut After) {
        let Some(consumer) = self.consumer(key) else { return };
        consumer.intake = intake;
        let entries = consumer.drain(|_| true);
        let drained = entries.len();
        self.give_back(key.slot, entries, drained, clock, after);
    }

    /// The consumer is gone, and with it the right to settle: everything it had goes back.
    pub(super) fn end(&mut self, key: Key, clock: &Clock, after: &mut After) {
        let Some(consumer) = self.consumer(key) else { return };
        consumer.intake = Intake::Closed;
        if let Some(waker) = consumer.waker.take() {
            after.wake(waker);
        }
        let mut entries = consumer.drain(|_| true);
        let drained = entries.len();
        entries.extend(consumer.unhold_all(|_| true));
        self.give_back(key.slot, entries, drained, clock, after);
    }

    /// Puts back what a consumer had, so many of it in its buffer, and with it whatever else of the same lanes is
    /// there: behind it, or their order would be lost.
    fn give_back(&mut self, slot: usize, mut entries: Vec<Entry>, drained: usize, clock: &Clock, after: &mut After) {
        let consumer = &mut self.consumers[slot];
        let in_flight = consumer.in_flight.clone();
        let mut returned = drained;
        if self.waiting.has_lanes() {
            let lanes: HashSet<Lane> = entries.iter().filter_map(|entry| entry.message.lane.clone()).collect();
            let of_them = consumer.drain(|entry| entry.message.lane.as_ref().is_some_and(|lane| lanes.contains(lane)));
            returned += of_them.len();
            entries.extend(of_them);
        }
        // From the last to the first, each goes in before the one put in last: near the head, where little moves.
        entries.sort_unstable_by_key(|entry| std::cmp::Reverse(entry.sequence));
        entries.into_iter().for_each(|entry| self.put_back(entry, clock, after));
        self.freed(slot, clock, after);
        in_flight.remove(returned);
    }

    fn put_back(&mut self, entry: Entry, clock: &Clock, after: &mut After) {
        // Its alarm may have rung when it was handed out.
        if self.expiry.is_some() && entry.expired(clock) {
            self.waiting.left(&entry);
            after.drop_expired(entry, clock);
        } else {
            self.waiting.put_back(entry);
        }
    }
}
