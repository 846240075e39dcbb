use bus_core::clock::Clock;

use super::{after::After, message::Entry, state::State};

impl State {
    /// A consumer has less than before.
    #[inline]
    pub(super) fn freed(&mut self, slot: usize, clock: &Clock, after: &mut After) {
        if self.consumers[slot].is_over() {
            self.remove(slot);
        } else {
            self.line_up(slot);
        }
        self.deal(clock, after);
    }

    /// Puts a consumer with room at the end of the line, once; by chance, anywhere.
    #[inline]
    pub(super) fn line_up(&mut self, slot: usize) {
        let consumer = &mut self.consumers[slot];
        if consumer.in_line || !consumer.has_room() {
            return;
        }
        consumer.in_line = true;
        match &mut self.chance {
            None => self.line.push_back(slot),
            Some(chance) => self.line.insert(chance.below(self.line.len() + 1), slot),
        }
    }

    /// Gives a new message to the next consumer with room, or lets it wait.
    #[inline]
    pub(super) fn arrive(&mut self, entry: Entry, clock: &Clock, after: &mut After) {
        // Where a consumer has room nothing waits, and nearly always one has: then the message need not wait either.
        if !self.waiting.has_lanes()
            && let Some(&slot) = self.line.front()
            && self.consumers[slot].has_room()
            && !entry.expired(clock)
        {
            self.line.pop_front();
            self.give(slot, entry, after);
        } else {
            self.waiting.push(entry, clock, after);
            self.deal(clock, after);
        }
    }

    /// Gives what waits to the consumers with room, one message each by turns.
    pub(super) fn deal(&mut self, clock: &Clock, after: &mut After) {
        // Who is before this one in the line has to wait: all that is left is of other consumers' lanes.
        let mut at = 0;
        while !self.waiting.is_empty()
            && let Some(&slot) = self.line.get(at)
        {
            if !self.consumers[slot].has_room() {
                self.line.remove(at);
                self.consumers[slot].in_line = false;
            } else if let Some(entry) = self.waiting.pop(slot, self.chance.as_mut(), clock, after) {
                self.line.remove(at);
                self.give(slot, entry, after);
                // By chance it may stand anywhere now.
                at = 0;
            } else {
                at += 1;
            }
        }
    }

    /// Gives a message to a consumer that was taken out of the line; with room left it is in it again.
    #[inline]
    fn give(&mut self, slot: usize, entry: Entry, after: &mut After) {
        let consumer = &mut self.consumers[slot];
        consumer.in_line = false;
        consumer.push(entry);
        if let Some(waker) = consumer.waker.take() {
            after.wake(waker);
        }
        self.line_up(slot);
    }
}
