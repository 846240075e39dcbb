use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Poll, Waker},
};

use bus_core::clock::Clock;
use slab::Slab;

use super::{
    after::After,
    backlog::Backlog,
    consumer::{Consumer, Intake, Key, Taken},
    message::{Entry, Message},
};

/// What the queue's lock guards.
///
/// After each of these steps the backlog is empty or no consumer has room.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) backlog: Backlog,
    consumers: Slab<Consumer>,
    /// The consumers with room, next in turn first. One that lost its room meanwhile is passed over.
    line: VecDeque<usize>,
    arrived: u64,
}

impl State {
    pub(super) fn push(&mut self, message: Arc<Message>, clock: &Clock, after: &mut After) {
        self.arrived += 1;
        self.backlog.push(Entry { sequence: self.arrived, redelivered: false, message }, clock, after);
        self.deal(clock, after);
    }

    pub(super) fn attach(&mut self, prefetch: u16, clock: &Clock, after: &mut After) -> Key {
        static ID: AtomicU64 = AtomicU64::new(1);
        let id = ID.fetch_add(1, Ordering::Relaxed);
        let slot = self.consumers.insert(Consumer::new(id, prefetch));
        self.line_up(slot);
        self.deal(clock, after);
        Key { slot, id }
    }

    /// Hands out up to `max` messages, or notes whom to wake; nothing if the consumer is gone.
    pub(super) fn take(
        &mut self,
        key: Key,
        max: usize,
        waker: &Waker,
        clock: &Clock,
        taken: &mut Vec<Taken>,
        after: &mut After,
    ) -> Poll<Option<()>> {
        loop {
            let Some(consumer) = self.consumer(key) else { return Poll::Ready(None) };
            let mut expired = false;
            while taken.len() < max
                && let Some(entry) = consumer.ready.pop_front()
            {
                if entry.message.expired(clock) {
                    expired = true;
                    after.drop_expired(entry);
                } else {
                    taken.push(consumer.hold(entry));
                }
            }
            if !expired && taken.is_empty() {
                match &consumer.waker {
                    Some(known) if known.will_wake(waker) => {}
                    _ => consumer.waker = Some(waker.clone()),
                }
                return Poll::Pending;
            }
            if expired {
                // Its room goes to the next in the backlog, which may be for this very consumer.
                self.line_up(key.slot);
                self.deal(clock, after);
            }
            if !taken.is_empty() {
                return Poll::Ready(Some(()));
            }
        }
    }

    /// Ends a delivery; nothing if it is no longer the consumer's. The caller drops it without the lock.
    pub(super) fn complete(&mut self, key: Key, number: u64, clock: &Clock, after: &mut After) -> Option<Entry> {
        let entry = self.consumer(key)?.unhold(number)?;
        self.freed(key.slot, clock, after);
        Some(entry)
    }

    /// Puts a delivery back; nothing if it is no longer the consumer's.
    pub(super) fn release(&mut self, key: Key, number: u64, clock: &Clock, after: &mut After) -> Option<()> {
        let entry = self.consumer(key)?.unhold(number)?;
        self.backlog.put_back_one(Entry { redelivered: true, ..entry });
        self.freed(key.slot, clock, after);
        Some(())
    }

    /// No more for this consumer; what it did not hand out goes back.
    pub(super) fn shut(&mut self, key: Key, intake: Intake, clock: &Clock, after: &mut After) {
        let Some(consumer) = self.consumer(key) else { return };
        consumer.intake = intake;
        let ready = std::mem::take(&mut consumer.ready);
        let over = consumer.is_over();
        if over {
            self.remove(key.slot);
        }
        self.backlog.put_back(ready.into());
        self.deal(clock, after);
    }

    /// The consumer is gone, and with it the right to settle: everything it had goes back.
    pub(super) fn end(&mut self, key: Key, clock: &Clock, after: &mut After) {
        if self.consumer(key).is_none() {
            return;
        }
        let mut consumer = self.remove(key.slot);
        let held = consumer.held.drain().map(|entry| Entry { redelivered: true, ..entry });
        let entries = held.chain(consumer.ready).collect();
        if let Some(waker) = consumer.waker {
            after.wake(waker);
        }
        self.backlog.put_back(entries);
        self.deal(clock, after);
    }

    #[cfg(test)]
    pub(super) fn consumers(&self) -> usize {
        self.consumers.len()
    }

    fn consumer(&mut self, key: Key) -> Option<&mut Consumer> {
        self.consumers.get_mut(key.slot).filter(|consumer| consumer.id == key.id)
    }

    fn remove(&mut self, slot: usize) -> Consumer {
        // Another consumer may get the slot, and must not stand in the line twice.
        self.line.retain(|other| *other != slot);
        self.consumers.remove(slot)
    }

    fn freed(&mut self, slot: usize, clock: &Clock, after: &mut After) {
        if self.consumers[slot].is_over() {
            self.remove(slot);
        } else {
            self.line_up(slot);
        }
        self.deal(clock, after);
    }

    /// Puts a consumer with room at the end of the line, once.
    fn line_up(&mut self, slot: usize) {
        let consumer = &mut self.consumers[slot];
        if !consumer.in_line && consumer.has_room() {
            consumer.in_line = true;
            self.line.push_back(slot);
        }
    }

    /// Gives the backlog to the consumers with room, one message each by turns.
    fn deal(&mut self, clock: &Clock, after: &mut After) {
        while !self.backlog.is_empty()
            && let Some(&slot) = self.line.front()
        {
            let consumer = &mut self.consumers[slot];
            if consumer.has_room() {
                let Some(entry) = self.backlog.pop(clock, after) else { return };
                consumer.ready.push_back(entry);
                if let Some(waker) = consumer.waker.take() {
                    after.wake(waker);
                }
            }
            self.line.pop_front();
            consumer.in_line = false;
            self.line_up(slot);
        }
    }
}
