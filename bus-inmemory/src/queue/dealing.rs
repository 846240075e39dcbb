use bus_core::clock::Clock;

use super::{after::After, state::State};

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

    /// Gives what waits to the consumers with room, one message each by turns.
    pub(super) fn deal(&mut self, clock: &Clock, after: &mut After) {
        // Who is before this one in the line has to wait: all that is left is of other consumers' lanes.
        let mut at = 0;
        while !self.waiting.is_empty()
            && let Some(&slot) = self.line.get(at)
        {
            let consumer = &mut self.consumers[slot];
            if consumer.has_room() {
                let Some(entry) = self.waiting.pop(slot, self.chance.as_mut(), clock, after) else {
                    at += 1;
                    continue;
                };
                consumer.push(entry);
                if let Some(waker) = consumer.waker.take() {
                    after.wake(waker);
                }
            }
            self.line.remove(at);
            consumer.in_line = false;
            self.line_up(slot);
            // By chance it may stand anywhere.
            at = 0;
        }
    }
}
