use std::collections::VecDeque;

use bus_core::clock::Clock;

use super::{after::After, chance::Chance, message::Entry};

/// The messages that no consumer has, by position.
#[derive(Debug, Default)]
pub(super) struct Backlog(VecDeque<Entry>);

impl Backlog {
    /// Appends a new message. What expired at the head goes: a queue that nobody reads does not keep it.
    pub(super) fn push(&mut self, entry: Entry, clock: &Clock, after: &mut After) {
        self.shed(clock, after);
        self.0.push_back(entry);
    }

    /// Puts a message back to where it was.
    pub(super) fn put_back(&mut self, entry: Entry) {
        let at = self.0.partition_point(|other| other.sequence < entry.sequence);
        self.0.insert(at, entry);
    }

    /// Takes the first message whose time is not over; by chance, any.
    pub(super) fn pop(&mut self, chance: Option<&mut Chance>, clock: &Clock, after: &mut After) -> Option<Entry> {
        self.shed(clock, after);
        let Some(chance) = chance else { return self.0.pop_front() };
        while !self.0.is_empty() {
            let entry = self.0.remove(chance.below(self.0.len()))?;
            if !entry.expired(clock) {
                return Some(entry);
            }
            after.drop_expired(entry, clock);
        }
        None
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.0.iter()
    }

    /// Takes the message of this position.
    pub(super) fn remove(&mut self, sequence: u64) -> Option<Entry> {
        let at = self.0.binary_search_by_key(&sequence, |entry| entry.sequence).ok()?;
        self.0.remove(at)
    }

    pub(super) fn first(&self) -> Option<&Entry> {
        self.0.front()
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Lets go what expired at the head.
    pub(super) fn shed(&mut self, clock: &Clock, after: &mut After) {
        while let Some(entry) = self.0.pop_front_if(|entry| entry.expired(clock)) {
            after.drop_expired(entry, clock);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use bus_core::{address::Destination, transport::Outgoing};
    use bytes::Bytes;

    use super::*;
    use crate::queue::message::Message;

    fn entry(sequence: u64, time_to_live: Option<Duration>) -> Entry {
        let clock = Clock::real();
        let mut outgoing = Outgoing::new(Destination::Queue("q".into()), Bytes::new(), clock.now());
        outgoing.time_to_live = time_to_live;
        Entry::new(sequence, Arc::new(Message::new(outgoing)), None, &clock)
    }

    fn sequences(backlog: &Backlog) -> Vec<u64> {
        backlog.iter().map(|entry| entry.sequence).collect()
    }

    #[test]
    fn what_comes_back_goes_to_where_it_was() {
        let (mut backlog, mut after) = (Backlog::default(), After::default());
        for sequence in [3, 6, 8] {
            backlog.push(entry(sequence, None), &Clock::real(), &mut after);
        }
        for sequence in [7, 1, 5, 2, 4] {
            backlog.put_back(entry(sequence, None));
        }
        assert_eq!(sequences(&backlog), [1, 2, 3, 4, 5, 6, 7, 8]);
    }

    #[test]
    fn what_expired_at_the_head_makes_room_when_another_message_comes() {
        let (mut backlog, mut after) = (Backlog::default(), After::default());
        backlog.push(entry(1, Some(Duration::ZERO)), &Clock::real(), &mut after);
        backlog.push(entry(2, Some(Duration::MAX)), &Clock::real(), &mut after);
        assert_eq!(sequences(&backlog), [2]);
    }
}
